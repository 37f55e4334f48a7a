/**
 * A cluster seen from a restricted pod: pods and DNS at 10.x addresses on the far end of a link, and on the near end
 * a firewall, as a NetworkPolicy makes it, that lets out nothing but DNS and connections to the pods' port.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HeadlessChannelOptions } from '../../../lib/channel.js';
import type { HeadlessOptions } from '../../../lib/index.js';
import { Cluster } from '../../support/cluster.js';
import { eventually } from '../../support/eventually.js';
import type { Defer } from '../../support/leak-check.js';
import { inside, type Namespaces } from '../../support/namespaces.js';
import type { PodOptions, PodStats } from '../../support/pod.js';
import type { RemoteDns, RemotePod } from '../../support/pod-host.js';
import { DNS_IP, POD_NETWORK, POD_PORT, PodsInNamespaces } from '../../support/pods-in-namespaces.js';
import { type RpcClient, RpcProcess } from '../../support/rpc.js';
import type { ClientPlan, ClientProgram } from './client-main.js';

/** Named first in no resolv.conf of ours unless a test says so: nothing listens there. */
export const DEAD_DNS_IP = '10.96.0.11';
/** An address that is neither a pod's nor the DNS server's. */
export const ELSEWHERE_IP = '10.97.0.1';

/** Short of a search domain, so that every lookup takes the way of `ndots:5`. */
export const TARGET = `hello.shop:${POD_PORT}`;
const SERVICE_NAME = 'hello.shop.svc.cluster.local';

/** For what takes the kernel or grpc-js a while, on a machine that is busy. */
export const PATIENT = { timeoutMs: 30_000, intervalMs: 20 } as const;

export class RestrictedCluster {
  readonly cluster: Cluster<RemotePod, RemoteDns>;
  readonly client: RpcClient<ClientProgram>;
  readonly names: Namespaces;
  readonly resolvConf: string;
  readonly #runner: PodsInNamespaces;
  /** In the order in which they were started. */
  readonly #started: RemotePod[] = [];

  private constructor(runner: PodsInNamespaces, client: RpcClient<ClientProgram>, resolvConf: string) {
    this.#runner = runner;
    this.cluster = new Cluster(runner, { name: SERVICE_NAME });
    this.client = client;
    this.names = runner.names;
    this.resolvConf = resolvConf;
  }

  /** With so many pods, published; the client's program is up, and has no client yet. */
  static async start(defer: Defer, { pods }: { pods: number }): Promise<RestrictedCluster> {
    const runner = await PodsInNamespaces.create();
    defer(() => runner.close());
    await raiseFirewall(runner.names.client);
    const program = new URL('./client-main.ts', import.meta.url);
    const client = await RpcProcess.start<ClientProgram>(program, { namespace: runner.names.client });
    defer(() => client.end());
    const folder = mkdtempSync(join(tmpdir(), 'grpc-headless-netns-'));
    defer(() => rmSync(folder, { recursive: true }));
    const made = new RestrictedCluster(runner, client.call, join(folder, 'resolv.conf'));
    made.writeResolvConf(DNS_IP);
    await made.scaleUp(pods);
    return made;
  }

  /** Addresses in DNS. */
  get pods(): string[] {
    return this.cluster.ips;
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
  async scaleUp(count: number, options: PodOptions = {}): Promise<void> {
    this.#started.push(...(await this.cluster.scaleUp(count, options)));
  }

  /** Of every pod that was started here, in the order of their start. */
  stats(): Promise<PodStats[]> {
    return Promise.all(this.#started.map((pod) => pod.stats()));
  }

  /** Something that accepts TCP connections at an address of the far end. */
  listen(ip: string, port: number): Promise<void> {
    return this.#runner.listen(ip, port);
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

  /** Cuts the link, or restores it. At the far end, since the near end would lose its route with the link. */
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
