/**
 * The smallest thing that behaves as a cluster does towards a client: a DNS server, and pods (one process each, one
 * loopback address each, the same port) whose records follow their readiness.
 *
 * As in Kubernetes, a pod is ready before its record appears, and its record disappears when it gets SIGTERM, while
 * it can still serve.
 */
import { DnsServer } from '../../test/support/dns-server.js';
import { freePort } from '../../test/support/pod.js';
import { PodHost } from '../../test/support/pod-host.js';
import { type PodProcess, startPodProcess } from '../../test/support/pod-process.js';

export interface PodRecord {
  readonly name: string;
  /** Moments are `performance.now()`; undefined: not yet. */
  readonly enteredDnsAt: number;
  leftDnsAt: number | undefined;
  exitedAt: number | undefined;
}

export interface ClusterOptions {
  /** The Service's name in DNS. */
  service: string;
  /** Seconds in each record. */
  ttl: number;
  /** How long a pod serves on after SIGTERM: what a `preStop` sleep gives. */
  lameDuckMs: number;
  /** Addresses to keep in hand: as many pods as ever run. */
  maxPods: number;
}

interface Member {
  readonly record: PodRecord;
  readonly process: PodProcess;
}

export class Cluster {
  readonly dns: DnsServer;
  readonly port: number;
  readonly service: string;
  /** All pods that ever were, oldest first. */
  readonly pods: PodRecord[] = [];
  /** Told in a few words of what happens. */
  onEvent: (event: string) => void = () => {};

  readonly #options: ClusterOptions;
  readonly #serving: Member[] = [];
  readonly #leaving = new Set<Promise<void>>();
  /** Processes that are up and wait for a pod: TypeScript takes them a second, which no step should wait for. */
  readonly #spares: Promise<PodHost>[] = [];
  #spawned: Promise<unknown> = Promise.resolve();

  static async start(options: ClusterOptions): Promise<Cluster> {
    const port = await freePort(Array.from({ length: options.maxPods }, (_, index) => ipOf(index + 1)));
    return new Cluster(await DnsServer.start({ shuffle: true }), port, options);
  }

  private constructor(dns: DnsServer, port: number, options: ClusterOptions) {
    this.dns = dns;
    this.port = port;
    this.service = options.service;
    this.#options = options;
  }

  /** Processes for pods to come, all at once or, in the background, one after the other. */
  async prepare(processes: number, pace: 'at once' | 'one by one'): Promise<void> {
    for (let index = 0; index < processes; index++) {
      const spare = pace === 'at once' ? PodHost.spawn() : this.#spawned.then(() => PodHost.spawn());
      spare.catch(() => {}); // Whoever takes it hears of it.
      this.#spawned = pace === 'at once' ? Promise.all([this.#spawned, spare]) : spare;
      this.#spares.push(spare);
    }
    await this.#spawned;
  }

  /** Starts pods, waits until they are ready, and then lets their records appear together. */
  async scaleUp(by: number): Promise<readonly PodRecord[]> {
    const first = this.pods.length + this.#starting + 1;
    this.#starting += by;
    const processes = await Promise.all(Array.from({ length: by }, (_, index) => this.#startPod(first + index)));
    this.#starting -= by;
    const enteredDnsAt = performance.now();
    const members = processes.map((process) => ({
      process,
      record: { name: process.name, enteredDnsAt, leftDnsAt: undefined, exitedAt: undefined },
    }));
    this.#serving.push(...members);
    this.pods.push(...members.map((member) => member.record));
    this.#publish();
    this.onEvent(`${names(members)} ready and in DNS`);
    return members.map((member) => member.record);
  }

  /** Removes the records of these pods (default: the youngest) and sends the pods SIGTERM; does not wait for the end. */
  scaleDown(by: number, which: 'youngest' | 'oldest' = 'youngest'): readonly PodRecord[] {
    const members = which === 'oldest' ? this.#serving.splice(0, by) : this.#serving.splice(-by, by);
    const leftDnsAt = performance.now();
    this.#publish();
    for (const member of members) {
      member.record.leftDnsAt = leftDnsAt;
      const gone = member.process.stop().then(() => {
        member.record.exitedAt = performance.now();
        this.#leaving.delete(gone);
      });
      this.#leaving.add(gone);
    }
    this.onEvent(`${names(members)} got SIGTERM and left DNS`);
    return members.map((member) => member.record);
  }

  /** Until every pod that was told to go has finished its calls and exited. */
  async settled(): Promise<void> {
    await Promise.all(this.#leaving);
  }

  async close(): Promise<void> {
    await Promise.all([
      this.dns.close(),
      ...this.#serving.map((member) => member.process.kill()),
      ...this.#spares.map((spare) =>
        spare.then(
          (host) => host.close(),
          () => {},
        ),
      ),
      ...this.#leaving,
    ]);
  }

  #starting = 0;

  async #startPod(number: number): Promise<PodProcess> {
    const host = await (this.#spares.shift() ?? PodHost.spawn());
    const { lameDuckMs } = this.#options;
    return startPodProcess(ipOf(number), this.port, { name: `pod-${number}`, lameDuckMs }, host);
  }

  #publish(): void {
    const addresses = this.#serving.map((member) => member.process.ip);
    this.dns.set(this.service, addresses, { ttl: this.#options.ttl });
  }
}

/** pod-3 lives at 127.0.1.3. */
function ipOf(number: number): string {
  return `127.0.1.${number}`;
}

function names(members: readonly Member[]): string {
  return members.map((member) => member.record.name).join(', ');
}
