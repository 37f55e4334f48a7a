/**
 * A headless Service: pods that share a port, and the DNS server that names the ready ones. As in Kubernetes, a pod is
 * up before its record is published, and leaves DNS before it stops.
 *
 * How the pods run is the runner's part (`pod-runner.ts`). `Cluster.start` runs them in this process, for a test.
 *
 *     const cluster = await Cluster.start(defer, { pods: 3 });
 *     createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), { headless: cluster.headless() });
 *     await cluster.scaleUp(2);  cluster.unpublish(pod);  await pod.stop();
 */
import type { HeadlessOptions } from '../../lib/index.js';
import type { DnsServer, DnsServerOptions } from './dns-server.js';
import type { Defer } from './leak-check.js';
import type { Pod, PodOptions } from './pod.js';
import type { ClusterDns, ClusterPod, PodRunner } from './pod-runner.js';
import { PodsInProcess } from './pods-in-process.js';

export interface ServiceOptions {
  /** In DNS. Default `hello.test.svc.cluster.local`. */
  name?: string;
  /** Of the A records, in seconds. Default 30, as kubeadm's Corefile has it. */
  ttl?: number;
  /** Of every pod. */
  pod?: PodOptions;
}

export interface ClusterOptions extends ServiceOptions {
  /** Pods at the start. Default 2. */
  pods?: number;
  dns?: DnsServerOptions;
}

export class Cluster<P extends ClusterPod = Pod, D extends ClusterDns = DnsServer> {
  readonly name: string;
  /** Those in DNS, in the order in which they were published. */
  readonly pods: P[] = [];
  readonly #runner: PodRunner<P, D>;
  readonly #ttl: number;
  readonly #podOptions: PodOptions;
  #started = 0;

  /** With pods in this process, closed when the test ends. */
  static async start(defer: Defer, { pods = 2, dns, ...service }: ClusterOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(await PodsInProcess.create({ suite: 'test', ...(dns ? { dns } : {}) }), service);
    defer(() => cluster.close());
    await cluster.scaleUp(pods);
    return cluster;
  }

  /** Without pods. The cluster closes the runner. */
  constructor(runner: PodRunner<P, D>, { name = 'hello.test.svc.cluster.local', ttl = 30, pod = {} }: ServiceOptions) {
    this.name = name;
    this.#runner = runner;
    this.#ttl = ttl;
    this.#podOptions = pod;
  }

  get dns(): D {
    return this.#runner.dns;
  }

  get port(): number {
    return this.#runner.port;
  }

  /** The absolute target: no search list, so that no test depends on this machine's resolv.conf. */
  get target(): string {
    return `${this.name}.:${this.port}`;
  }

  /** Addresses in DNS. */
  get ips(): string[] {
    return this.pods.map((pod) => pod.ip);
  }

  /** Options that make a client ask this cluster's DNS often enough for a test. */
  headless(overrides: HeadlessOptions = {}): HeadlessOptions {
    return {
      ...overrides,
      refresh: { intervalMs: 100, minIntervalMs: 50, ...overrides.refresh },
      dns: { servers: [this.dns.address], ...overrides.dns },
    };
  }

  /** Starts pods on addresses not used before, and publishes them together. */
  async scaleUp(count: number, options: PodOptions = {}): Promise<P[]> {
    const started = await Promise.all(Array.from({ length: count }, () => this.startUnpublished(options)));
    this.publish([...this.pods, ...started]);
    return started;
  }

  /** A pod that runs and is not in DNS, on an address not used before. */
  startUnpublished(options: PodOptions = {}): Promise<P> {
    const ip = this.#runner.ip(this.#started);
    this.#started += 1;
    return this.startAt(ip, options);
  }

  /** A pod that runs and is not in DNS, at an address of the runner's. */
  startAt(ip: string, options: PodOptions = {}): Promise<P> {
    return this.#runner.startPod(ip, { ...this.#podOptions, ...options });
  }

  /** Starts a pod at the address of one that has ended, and in its place in DNS if it is published. */
  async restart(ended: P, options: PodOptions = {}): Promise<P> {
    const pod = await this.startAt(ended.ip, options);
    const index = this.pods.indexOf(ended);
    if (index >= 0) this.pods[index] = pod;
    return pod;
  }

  /** From now on DNS names these pods: NXDOMAIN where there are none, as a headless Service answers. */
  publish(pods: readonly P[]): void {
    this.pods.splice(0, this.pods.length, ...pods);
    if (pods.length === 0) this.dns.remove(this.name);
    else this.dns.set(this.name, this.ips, { ttl: this.#ttl });
  }

  /** Takes pods out of DNS; they run on. */
  unpublish(...pods: P[]): void {
    this.publish(this.pods.filter((pod) => !pods.includes(pod)));
  }

  /** Ends the pods and the DNS server. */
  close(): Promise<void> {
    return this.#runner.close();
  }
}
