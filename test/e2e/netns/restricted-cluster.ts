/**
 * A cluster seen from a restricted pod: pods and DNS at 10.x addresses on the far end of a cable, and on the near end
 * a firewall, as a NetworkPolicy makes it, that lets out nothing but DNS and connections to the pods' port.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HeadlessChannelOptions } from '../../../lib/channel.js';
import type { HeadlessOptions } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import type { Defer } from '../../support/leak-check.js';
import type { ClientPlan, ClientProgram } from './client-main.js';
import type { ClusterProgram, PodPlan } from './cluster-main.js';
import { inside, makeNamespaces, type Namespaces } from './namespaces.js';
import { type Remote, startInside } from './remote.js';

export const POD_PORT = 50_051;
export const DNS_IP = '10.96.0.10';
/** Named first in no resolv.conf of ours unless a test says so: nothing listens there. */
export const DEAD_DNS_IP = '10.96.0.11';
/** Of other people. */
export const ELSEWHERE_IP = '10.97.0.1';
const POD_NETWORK = '10.244.0.0/16';

/** Short of a search domain, so that every look-up takes the way of `ndots:5`. */
export const TARGET = `hello.shop:${POD_PORT}`;
const SERVICE_NAME = 'hello.shop.svc.cluster.local';
const TTL = 30;

/** Patience for what takes the kernel or grpc-js a while, on a machine that is busy. */
export const PATIENT = { timeoutMs: 30_000, intervalMs: 20 } as const;

export class RestrictedCluster {
  readonly cluster: Remote<ClusterProgram>;
  readonly client: Remote<ClientProgram>;
  readonly names: Namespaces;
  readonly resolvConf: string;
  /** IPs in DNS. */
  pods: string[] = [];
  #lastPod = 0;

  private constructor(
    names: Namespaces,
    cluster: Remote<ClusterProgram>,
    client: Remote<ClientProgram>,
    resolvConf: string,
  ) {
    this.names = names;
    this.cluster = cluster;
    this.client = client;
    this.resolvConf = resolvConf;
  }

  /** With so many pods, published; the client's program is up, and has no client yet. */
  static async start(defer: Defer, { pods }: { pods: number }): Promise<RestrictedCluster> {
    const names = await makeNamespaces(defer);
    await inside(names.cluster, ...[DNS_IP, ELSEWHERE_IP].map((ip) => `ip addr add ${ip}/32 dev lo`));
    await raiseFirewall(names.client);
    const program = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
    const [far, near] = await Promise.all([
      startInside<ClusterProgram>(names.cluster, program('./cluster-main.ts')),
      startInside<ClientProgram>(names.client, program('./client-main.ts')),
    ]);
    defer(() => Promise.all([far.end(), near.end()]));
    const folder = mkdtempSync(join(tmpdir(), 'grpc-headless-netns-'));
    defer(() => rmSync(folder, { recursive: true }));
    const made = new RestrictedCluster(names, far.call, near.call, join(folder, 'resolv.conf'));
    made.writeResolvConf(DNS_IP);
    await made.cluster.startDns(DNS_IP);
    await made.scaleUp(pods);
    return made;
  }

  /** As a pod's kubelet writes it. */
  writeResolvConf(...servers: readonly string[]): void {
    const lines = servers.map((server) => `nameserver ${server}`);
    lines.push('search shop.svc.cluster.local svc.cluster.local cluster.local', 'options ndots:5');
    writeFileSync(this.resolvConf, `${lines.join('\n')}\n`);
  }

  /** Makes the client, and waits until it has a pod. */
  async open(
    options: HeadlessChannelOptions = {},
    { refresh, ca }: { refresh?: HeadlessOptions['refresh']; ca?: Buffer } = {},
  ): Promise<void> {
    const headless: HeadlessOptions = {
      refresh: { intervalMs: 500, minIntervalMs: 200, ...refresh },
      dns: { resolvConf: this.resolvConf },
    };
    const plan: ClientPlan = { target: TARGET, options: { headless, ...options } as ClientPlan['options'] };
    await this.client.open(ca ? { ...plan, ca } : plan);
    await this.client.ready(20_000);
  }

  /** Starts pods on addresses not used before, and publishes them. */
  async scaleUp(count: number, plan: Pick<PodPlan, 'tls'> = {}): Promise<string[]> {
    const ips = Array.from({ length: count }, () => {
      const number = ++this.#lastPod;
      return `10.244.${1 + Math.floor(number / 250)}.${(number % 250) + 1}`;
    });
    await inside(this.names.cluster, ...ips.map((ip) => `ip addr add ${ip}/32 dev lo`));
    await this.cluster.startPods(ips.map((ip) => ({ ip, port: POD_PORT, ...plan })));
    await this.publish([...this.pods, ...ips]);
    return ips;
  }

  /** From now on DNS names these pods. */
  async publish(ips: readonly string[]): Promise<void> {
    this.pods = [...ips];
    await this.cluster.publish(SERVICE_NAME, ips, TTL);
  }

  /** From now on packets to and from these addresses vanish, without FIN, RST or ICMP. */
  async blackHole(...ips: readonly string[]): Promise<void> {
    for (const ip of ips)
      await inside(this.names.cluster, `iptables -A INPUT -d ${ip} -j DROP`, `iptables -A OUTPUT -s ${ip} -j DROP`);
  }

  /** Ends every black hole. */
  async heal(): Promise<void> {
    await inside(this.names.cluster, 'iptables -F');
  }

  /** Pulls the cable out, or puts it back. At the far end, since the near one would lose its route with the link. */
  async setLink(state: 'up' | 'down'): Promise<void> {
    await inside(this.names.cluster, `ip link set eth0 ${state}`);
  }

  async lowerFirewall(): Promise<void> {
    await inside(this.names.client, 'iptables -P OUTPUT ACCEPT');
  }

  /** Resolves when calls are answered by these pods and by no others. */
  async awaitAnswersFrom(ips: readonly string[]): Promise<void> {
    await eventually(async () => {
      const { answers, failures } = await this.client.calls(10 * ips.length, { deadlineMs: 10_000 });
      const expected = ips.toSorted();
      if (failures.length > 0) throw new Error(`${failures.length} calls failed, the first with ${failures[0]}`);
      const got = [...answers.keys()].sort();
      if (got.join() !== expected.join()) throw new Error(`answers came from ${got}, not from ${expected}`);
    }, PATIENT);
  }

  /** Resolves when the client sees the pod in one of these states. */
  async awaitState(ip: string, ...states: readonly string[]): Promise<void> {
    await eventually(async () => {
      const { endpoints } = await this.client.snapshot();
      const state = endpoints.find(({ address }) => address === `${ip}:${POD_PORT}`)?.state ?? 'absent';
      if (!states.includes(state)) throw new Error(`${ip} is ${state}, not ${states}`);
    }, PATIENT);
  }
}

async function raiseFirewall(namespace: string): Promise<void> {
  await inside(
    namespace,
    `iptables -A OUTPUT -d ${DNS_IP} -p udp --dport 53 -j ACCEPT`,
    `iptables -A OUTPUT -d ${DNS_IP} -p tcp --dport 53 -j ACCEPT`,
    `iptables -A OUTPUT -d ${POD_NETWORK} -p tcp --dport ${POD_PORT} -j ACCEPT`,
    'iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT',
    'iptables -P OUTPUT DROP',
    'iptables -P INPUT DROP',
  );
}
