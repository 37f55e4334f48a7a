/**
 * The Service that is soaked: a cluster whose pods run in a few processes and are called by number, and the history of
 * what happened to each.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HeadlessOptions } from '../../lib/index.js';
import { Cluster } from '../support/cluster.js';
import type { DnsServer } from '../support/dns-server.js';
import type { PodOptions } from '../support/pod.js';
import type { RemotePod } from '../support/pod-host.js';
import { SharedProcesses } from '../support/pods-in-processes.js';
import { History } from './history.js';
import type { Outage } from './scenario.js';

export interface SoakClusterOptions {
  readonly processes: number;
  readonly pod: PodOptions;
  readonly intervalMs: number;
}

/** An address is used again only after so many other pods. */
const ADDRESSES = 1_000;
/** Kubernetes' default of `terminationGracePeriodSeconds`. */
const MOST_RETIREMENT_MS = 30_000;

export class SoakCluster {
  readonly history = new History();
  readonly #cluster: Cluster<RemotePod, DnsServer>;
  readonly #runner: SharedProcesses;
  readonly #options: SoakClusterOptions;
  /** Those that run or will again, by number. */
  readonly #pods = new Map<number, RemotePod>();
  /** The process of each of them. */
  readonly #homes = new Map<number, number>();

  static async start(options: SoakClusterOptions): Promise<SoakCluster> {
    const { processes } = options;
    const runner = await SharedProcesses.create({
      suite: 'soak',
      addresses: ADDRESSES,
      processes,
      dns: { shuffle: true },
    });
    return new SoakCluster(runner, options);
  }

  private constructor(runner: SharedProcesses, options: SoakClusterOptions) {
    this.#runner = runner;
    this.#cluster = new Cluster(runner, { name: 'hello.soak.svc.cluster.local', pod: options.pod });
    this.#options = options;
  }

  get dns(): DnsServer {
    return this.#cluster.dns;
  }

  get target(): string {
    return this.#cluster.target;
  }

  /** Options for the clients. */
  get headless(): HeadlessOptions {
    const { intervalMs } = this.#options;
    return this.#cluster.headless({
      refresh: { intervalMs, minIntervalMs: Math.min(500, intervalMs), burstMs: 2 * intervalMs },
      dns: { servers: [this.dns.address], timeoutMs: 500, attempts: 2 },
      // Connections of pods that went for good are closed before the run ends.
      drain: { lingerMs: 3_000 },
    });
  }

  /** Pods in DNS. */
  get size(): number {
    return this.#cluster.pods.length;
  }

  ipOf(number: number): string {
    return this.#runner.ip(number % ADDRESSES);
  }

  /** Starts a pod and publishes it. */
  async come(number: number, home = number % this.#options.processes): Promise<void> {
    const ip = this.ipOf(number);
    this.#runner.place(ip, home);
    this.#pods.set(number, await this.#cluster.startAt(ip));
    this.#homes.set(number, home);
    this.publish(number);
  }

  publish(number: number): void {
    const pod = this.#pod(number);
    this.history.published(pod.ip, performance.now());
    this.#cluster.publish([...this.#cluster.pods, pod]);
  }

  unpublish(number: number): void {
    const pod = this.#pod(number);
    if (!this.#cluster.pods.includes(pod)) return;
    this.#cluster.unpublish(pod);
    this.history.unpublished(pod.ip, performance.now());
  }

  /** Out of DNS, then after `graceMs` gracefully to its end. */
  async go(number: number, graceMs: number): Promise<void> {
    const pod = this.#pod(number);
    this.unpublish(number);
    await sleep(graceMs);
    const stopped = this.history.trouble(pod.ip, 'stopped', performance.now());
    await pod.stop();
    stopped.until = performance.now();
    this.#drop(number);
  }

  /**
   * Out of DNS, and at the same moment NOT_SERVING: it finishes what it has, and is gone when no call has come for
   * `quietMs`.
   */
  async retire(number: number, quietMs: number): Promise<void> {
    const pod = this.#pod(number);
    this.unpublish(number);
    const stopped = this.history.trouble(pod.ip, 'stopped', performance.now());
    await pod.retire({ quietMs, mostMs: MOST_RETIREMENT_MS });
    stopped.until = performance.now();
    this.#drop(number);
  }

  /** RST on all its connections; it stays in DNS. */
  async kill(number: number): Promise<void> {
    const pod = this.#pod(number);
    const killed = this.history.trouble(pod.ip, 'killed', performance.now());
    await pod.kill();
    killed.until = performance.now();
  }

  /** A killed pod is back under its address. */
  async revive(number: number): Promise<void> {
    const pod = await this.#cluster.restart(this.#pod(number));
    this.#pods.set(number, pod);
    if (!this.#cluster.pods.includes(pod)) this.publish(number);
  }

  /** A killed pod does not come back. */
  forget(number: number): void {
    this.unpublish(number);
    this.#drop(number);
  }

  podsOf(home: number): number[] {
    return [...this.#homes].filter(([, other]) => other === home).map(([number]) => number);
  }

  /** SIGKILL: all pods of one process at once. They stay in DNS. */
  async killProcess(home: number): Promise<void> {
    const now = performance.now();
    const troubles = this.podsOf(home).map((number) => this.history.trouble(this.ipOf(number), 'killed', now));
    await this.#runner.killProcess(home);
    for (const killed of troubles) killed.until = performance.now();
  }

  /** A new process for a killed one. */
  replaceProcess(home: number): Promise<void> {
    return this.#runner.replaceProcess(home);
  }

  async hang(number: number, forMs: number): Promise<void> {
    const pod = this.#pod(number);
    const hung = this.history.trouble(pod.ip, 'hung', performance.now());
    await pod.behave({ hang: true });
    await sleep(forMs);
    await pod.behave({ hang: false });
    hung.until = performance.now();
  }

  /** Hangs for good; what it was about to answer is out when this resolves. */
  async seize(number: number, answersWithinMs: number): Promise<void> {
    const pod = this.#pod(number);
    this.history.trouble(pod.ip, 'hung', performance.now());
    await pod.behave({ hang: true });
    await sleep(answersWithinMs);
  }

  async slow(number: number, forMs: number, delayMs: number): Promise<void> {
    const pod = this.#pod(number);
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

  close(): Promise<void> {
    return this.#cluster.close();
  }

  #drop(number: number): void {
    this.#pods.delete(number);
    this.#homes.delete(number);
  }

  #pod(number: number): RemotePod {
    const pod = this.#pods.get(number);
    if (!pod) throw new Error(`there is no pod ${number}`);
    return pod;
  }
}
