/**
 * A Service as an end-to-end test sees it: pods on 127.x.y.z that share a port, and the DNS server that names the ready
 * ones. As in Kubernetes, a pod is up before its record is published, and leaves DNS before it stops.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HeadlessOptions } from '../../lib/index.js';
import { DnsServer, type DnsServerOptions } from './dns-server.js';
import { type HelloClient, sayHi } from './hello-service.js';
import type { Defer } from './leak-check.js';
import { freePort, type Pod, type PodOptions, startPod } from './pod.js';

export interface ClusterOptions {
  /** Pods at the start. Default 2. */
  pods?: number;
  /** Of the A records, in seconds. Default 30, as kubeadm's Corefile has it. */
  ttl?: number;
  dns?: DnsServerOptions;
  pod?: PodOptions;
}

/** Each cluster of a process has a /24 of loopback to itself, so that tests cannot meet. */
let clusters = 0;

export class Cluster {
  readonly name = 'hello.test.svc.cluster.local';
  readonly dns: DnsServer;
  readonly port: number;
  /** Those in DNS, in the order in which they were added. */
  readonly pods: Pod[] = [];
  readonly #subnet: string;
  readonly #options: ClusterOptions;
  readonly #all: Pod[] = [];
  #lastHost = 0;

  private constructor(dns: DnsServer, port: number, subnet: string, options: ClusterOptions) {
    this.dns = dns;
    this.port = port;
    this.#subnet = subnet;
    this.#options = options;
  }

  static async start(defer: Defer, options: ClusterOptions = {}): Promise<Cluster> {
    const subnet = `127.${10 + (process.pid % 200)}.${++clusters % 256}`;
    const dns = await DnsServer.start(options.dns);
    defer(() => dns.close());
    const port = await freePort([1, 2, 3, 4].map((host) => `${subnet}.${host}`));
    const cluster = new Cluster(dns, port, subnet, options);
    defer(() => Promise.all(cluster.#all.map((pod) => pod.kill())));
    await cluster.scaleUp(options.pods ?? 2);
    return cluster;
  }

  /** The absolute target: no search list, so that no test depends on this machine's resolv.conf. */
  get target(): string {
    return `${this.name}.:${this.port}`;
  }

  /** Options that make a client ask this cluster's DNS often enough for a test. */
  headless(overrides: HeadlessOptions = {}): HeadlessOptions {
    return {
      ...overrides,
      refresh: { intervalMs: 100, minIntervalMs: 50, ...overrides.refresh },
      dns: { servers: [`${this.dns.host}:${this.dns.port}`], ...overrides.dns },
    };
  }

  /** Starts pods on addresses not used before, and publishes them. */
  async scaleUp(count: number, options: PodOptions = {}): Promise<Pod[]> {
    const started: Pod[] = [];
    for (let index = 0; index < count; index++) started.push(await this.startUnpublished(options));
    this.publish([...this.pods, ...started]);
    return started;
  }

  /** A pod that runs and is not in DNS. */
  async startUnpublished(options: PodOptions = {}): Promise<Pod> {
    const pod = await startPod(`${this.#subnet}.${++this.#lastHost}`, this.port, { ...this.#options.pod, ...options });
    this.#all.push(pod);
    return pod;
  }

  /** From now on DNS names these pods: NXDOMAIN where there are none, as a headless Service answers. */
  publish(pods: readonly Pod[]): void {
    this.pods.splice(0, this.pods.length, ...pods);
    if (pods.length === 0) this.dns.remove(this.name);
    else
      this.dns.set(
        this.name,
        pods.map((pod) => pod.ip),
        { ttl: this.#options.ttl ?? 30 },
      );
  }

  /** Takes pods out of DNS; they run on. */
  unpublish(...pods: Pod[]): void {
    this.publish(this.pods.filter((pod) => !pods.includes(pod)));
  }

  /** Calls answered by each pod that ever was, in the order of their start. */
  get calls(): number[] {
    return this.#all.map((pod) => pod.calls);
  }
}

/** Calls that go on in the background while a test does something to the cluster. */
export class Load {
  /** Answered so far. */
  calls = 0;
  readonly failures: Error[] = [];
  #stopping = false;
  readonly #workers: Promise<unknown>;

  private constructor(client: HelloClient, workers: number, gapMs: number) {
    const work = async (): Promise<void> => {
      while (!this.#stopping) {
        await sayHi(client).then(
          () => {
            this.calls += 1;
          },
          (error: Error) => this.failures.push(error),
        );
        await sleep(gapMs);
      }
    };
    this.#workers = Promise.all(Array.from({ length: workers }, work));
  }

  /** Each worker makes one call at a time and pauses between two, to leave the machine to what is tested. */
  static start(defer: Defer, client: HelloClient, { workers = 4, gapMs = 5 } = {}): Load {
    const load = new Load(client, workers, gapMs);
    defer(() => load.stop());
    return load;
  }

  /** Resolves when the last call has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#workers;
  }
}
