/**
 * The cluster of the demo: each pod is a process, whose record appears when it is ready and disappears when it gets
 * SIGTERM, while it can still serve. Keeps a record of every pod, for the screen and the summary.
 */
import { Cluster } from '../../test/support/cluster.js';
import type { DnsServer } from '../../test/support/dns-server.js';
import { type PodProcess, ProcessPerPod } from '../../test/support/pods-in-processes.js';

export interface PodRecord {
  readonly name: string;
  /** Moments are `performance.now()`; undefined: not yet. */
  readonly enteredDnsAt: number;
  leftDnsAt: number | undefined;
  exitedAt: number | undefined;
}

export interface DemoClusterOptions {
  /** The Service's name in DNS. */
  service: string;
  /** Seconds in each record. */
  ttl: number;
  /** How long a pod serves on after SIGTERM: what a `preStop` sleep gives. */
  lameDuckMs: number;
  /** As many pods as ever run. */
  maxPods: number;
}

export class DemoCluster {
  /** All pods that ever were, oldest first. */
  readonly pods: PodRecord[] = [];
  /** Told in a few words of what happens. */
  onEvent: (event: string) => void = () => {};
  readonly #cluster: Cluster<PodProcess, DnsServer>;
  readonly #runner: ProcessPerPod;
  readonly #records = new Map<PodProcess, PodRecord>();
  readonly #leaving = new Set<Promise<void>>();
  #started = 0;

  static async start({ service, ttl, lameDuckMs, maxPods }: DemoClusterOptions): Promise<DemoCluster> {
    const runner = await ProcessPerPod.create({
      suite: 'demo',
      addresses: maxPods,
      lameDuckMs,
      dns: { shuffle: true },
    });
    return new DemoCluster(runner, new Cluster(runner, { name: service, ttl }));
  }

  private constructor(runner: ProcessPerPod, cluster: Cluster<PodProcess, DnsServer>) {
    this.#runner = runner;
    this.#cluster = cluster;
  }

  get dns(): DnsServer {
    return this.#cluster.dns;
  }

  get port(): number {
    return this.#cluster.port;
  }

  get service(): string {
    return this.#cluster.name;
  }

  /** Processes for pods to come, all at once or, in the background, one after the other. */
  prepare(processes: number, order: 'at once' | 'one by one'): Promise<void> {
    return this.#runner.prepare(processes, order);
  }

  /** Starts pods, waits until they are ready, and then lets their records appear together. */
  async scaleUp(by: number): Promise<readonly PodRecord[]> {
    const names = Array.from({ length: by }, (_, index) => `pod-${this.#started + index + 1}`);
    this.#started += by;
    const pods = await Promise.all(names.map((name) => this.#cluster.startUnpublished({ name })));
    const enteredDnsAt = performance.now();
    this.#cluster.publish([...this.#cluster.pods, ...pods]);
    const records = pods.map((pod) => {
      const record = { name: pod.name, enteredDnsAt, leftDnsAt: undefined, exitedAt: undefined };
      this.#records.set(pod, record);
      return record;
    });
    this.pods.push(...records);
    this.onEvent(`${names.join(', ')} ready and in DNS`);
    return records;
  }

  /** Removes the records of these pods (default: the youngest) and sends the pods SIGTERM; does not wait for the end. */
  scaleDown(by: number, which: 'youngest' | 'oldest' = 'youngest'): void {
    const { pods } = this.#cluster;
    const leavers = which === 'oldest' ? pods.slice(0, by) : pods.slice(-by);
    const leftDnsAt = performance.now();
    this.#cluster.unpublish(...leavers);
    for (const pod of leavers) {
      const record = this.#records.get(pod);
      if (record) record.leftDnsAt = leftDnsAt;
      const gone = pod.stop().then(() => {
        if (record) record.exitedAt = performance.now();
        this.#leaving.delete(gone);
      });
      this.#leaving.add(gone);
    }
    this.onEvent(`${leavers.map(({ name }) => name).join(', ')} got SIGTERM and left DNS`);
  }

  /** Until every pod that was told to go has finished its calls and exited. */
  async settled(): Promise<void> {
    await Promise.all(this.#leaving);
  }

  async close(): Promise<void> {
    await this.#cluster.close();
  }
}
