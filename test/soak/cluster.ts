/**
 * The Service that is soaked: pods on 127.x.y.z in a few processes of their own, the DNS server that names them, and the
 * book of what happened to each. As in Kubernetes, a pod is up before its record is published.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HeadlessOptions } from '../../lib/index.js';
import { DnsServer } from '../support/dns-server.js';
import { freePort } from '../support/pod.js';
import { PodHost, type RemotePod, type RemotePodOptions } from '../support/pod-host.js';
import { History } from './history.js';
import type { Outage } from './scenario.js';

export interface FleetOptions {
  readonly processes: number;
  readonly pod: RemotePodOptions;
  readonly intervalMs: number;
}

interface Member {
  readonly ip: string;
  readonly home: number;
  pod: RemotePod;
}

/** Each pod gets an address that nobody has had for this many pods. */
const ADDRESSES = 1_000;

export class Fleet {
  readonly name = 'hello.soak.svc.cluster.local';
  readonly dns: DnsServer;
  readonly port: number;
  readonly history = new History();
  readonly #options: FleetOptions;
  readonly #hosts: PodHost[];
  readonly #subnet: number;
  /** Those that run or will again, by number. */
  readonly #members = new Map<number, Member>();
  readonly #inDns = new Set<string>();

  static async start(options: FleetOptions): Promise<Fleet> {
    const dns = await DnsServer.start({ shuffle: true });
    const subnet = 20 + (process.pid % 200);
    const port = await freePort([1, 2, 3, 4].map((host) => `127.${subnet}.0.${host}`));
    const hosts = await Promise.all(Array.from({ length: options.processes }, () => PodHost.spawn()));
    return new Fleet(dns, port, subnet, hosts, options);
  }

  private constructor(dns: DnsServer, port: number, subnet: number, hosts: PodHost[], options: FleetOptions) {
    this.dns = dns;
    this.port = port;
    this.#subnet = subnet;
    this.#hosts = hosts;
    this.#options = options;
  }

  get target(): string {
    return `${this.name}.:${this.port}`;
  }

  /** Options for the clients. */
  get headless(): HeadlessOptions {
    const { intervalMs } = this.#options;
    return {
      refresh: { intervalMs, minIntervalMs: Math.min(500, intervalMs), burstMs: 2 * intervalMs },
      dns: { servers: [this.dns.address], timeoutMs: 500, attempts: 2 },
      // Connections of pods that went for good are let go before the run ends.
      drain: { lingerMs: 3_000 },
    };
  }

  /** In DNS. */
  get size(): number {
    return this.#inDns.size;
  }

  ipOf(pod: number): string {
    const host = pod % ADDRESSES;
    return `127.${this.#subnet}.${Math.floor(host / 200)}.${1 + (host % 200)}`;
  }

  /** Starts a pod and publishes it. */
  async come(number: number, home = number % this.#hosts.length): Promise<void> {
    const ip = this.ipOf(number);
    this.#members.set(number, { ip, home, pod: await this.#start(ip, home) });
    this.publish(number);
  }

  publish(number: number): void {
    const { ip } = this.#member(number);
    this.#inDns.add(ip);
    this.history.published(ip, performance.now());
    this.#tellDns();
  }

  unpublish(number: number): void {
    const { ip } = this.#member(number);
    if (!this.#inDns.delete(ip)) return;
    this.#tellDns();
    this.history.unpublished(ip, performance.now());
  }

  /** Out of DNS, then after `graceMs` gracefully to its end. */
  async go(number: number, graceMs: number): Promise<void> {
    const { ip, pod } = this.#member(number);
    this.unpublish(number);
    await sleep(graceMs);
    const stopped = this.history.trouble(ip, 'stopped', performance.now());
    await pod.stop();
    stopped.until = performance.now();
    this.#members.delete(number);
  }

  /** RST on all its connections; it stays in DNS. */
  async kill(number: number): Promise<void> {
    const { ip, pod } = this.#member(number);
    const killed = this.history.trouble(ip, 'killed', performance.now());
    await pod.kill();
    killed.until = performance.now();
  }

  /** A killed pod is back under its address. */
  async revive(number: number): Promise<void> {
    const member = this.#member(number);
    member.pod = await this.#start(member.ip, member.home);
    if (!this.#inDns.has(member.ip)) this.publish(number);
  }

  /** A killed pod is never seen again. */
  forget(number: number): void {
    this.unpublish(number);
    this.#members.delete(number);
  }

  podsOf(home: number): number[] {
    return [...this.#members].filter(([, member]) => member.home === home).map(([number]) => number);
  }

  /** SIGKILL: all pods of one process at once. They stay in DNS. */
  async killProcess(home: number): Promise<void> {
    const now = performance.now();
    const troubles = this.podsOf(home).map((number) => this.history.trouble(this.ipOf(number), 'killed', now));
    await this.#hosts[home]?.close();
    for (const killed of troubles) killed.until = performance.now();
  }

  /** A new process for a killed one. */
  async replaceProcess(home: number): Promise<void> {
    this.#hosts[home] = await PodHost.spawn();
  }

  async hang(number: number, forMs: number): Promise<void> {
    const { ip, pod } = this.#member(number);
    const hung = this.history.trouble(ip, 'hung', performance.now());
    await pod.behave({ hang: true });
    await sleep(forMs);
    await pod.behave({ hang: false });
    hung.until = performance.now();
  }

  /** Hangs for good; what it was about to answer is out when this resolves. */
  async seize(number: number, answersWithinMs: number): Promise<void> {
    const { ip, pod } = this.#member(number);
    this.history.trouble(ip, 'hung', performance.now());
    await pod.behave({ hang: true });
    await sleep(answersWithinMs);
  }

  async slow(number: number, forMs: number, delayMs: number): Promise<void> {
    const { pod } = this.#member(number);
    await pod.behave({ delayMs });
    await sleep(forMs);
    await pod.behave({ delayMs: this.#options.pod.delayMs ?? 0 });
  }

  async outage(failure: Outage, forMs: number): Promise<void> {
    const outage = this.history.outage(performance.now());
    this.dns.fail('*', failure);
    await sleep(forMs);
    this.dns.heal();
    outage.until = performance.now();
  }

  async close(): Promise<void> {
    await Promise.all([this.dns.close(), ...this.#hosts.map((host) => host.close())]);
  }

  async #start(ip: string, home: number): Promise<RemotePod> {
    const host = this.#hosts[home];
    if (!host) throw new Error(`no process ${home}`);
    return host.start(ip, this.port, this.#options.pod);
  }

  #tellDns(): void {
    this.dns.set(this.name, [...this.#inDns], { ttl: 30 });
  }

  #member(number: number): Member {
    const member = this.#members.get(number);
    if (!member) throw new Error(`pod ${number} is not there`);
    return member;
  }
}
