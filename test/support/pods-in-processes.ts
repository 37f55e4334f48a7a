/**
 * Runs a cluster's pods in processes: `SharedProcesses` deals many pods to a few processes, `ProcessPerPod` gives each
 * pod its own, with the signals that Kubernetes and its troubles send.
 */
import type { PodOptions } from './pod.js';
import { PodHost, RemotePod } from './pod-host.js';
import { type LoopbackOptions, LoopbackRunner, type LoopbackSite, openLoopback } from './pod-runner.js';

export interface SharedProcessesOptions extends LoopbackOptions {
  /** Default 1. */
  readonly processes?: number;
}

/** A pod's `stop()` and `kill()` leave its process alive. */
export class SharedProcesses extends LoopbackRunner<RemotePod> {
  readonly #hosts: PodHost[];
  /** The process for each address. */
  readonly #places = new Map<string, number>();

  static async create({ processes = 1, ...options }: SharedProcessesOptions): Promise<SharedProcesses> {
    const [site, ...hosts] = await Promise.all([
      openLoopback(options),
      ...Array.from({ length: processes }, () => PodHost.spawn()),
    ]);
    return new SharedProcesses(site, hosts);
  }

  private constructor(site: LoopbackSite, hosts: PodHost[]) {
    super(site);
    this.#hosts = hosts;
  }

  /** The process in which the pods of this address start. Default: addresses are dealt in turn. */
  place(ip: string, process: number): void {
    this.#places.set(ip, process);
  }

  startPod(ip: string, options: PodOptions): Promise<RemotePod> {
    const place = this.#places.get(ip) ?? this.#places.size % this.#hosts.length;
    this.#places.set(ip, place);
    return this.#host(place).start(ip, this.port, options);
  }

  /** SIGKILL: all pods of this process end at once. */
  async killProcess(process: number): Promise<void> {
    await this.#host(process).close();
  }

  /** A new process, without pods, for one that was killed. */
  async replaceProcess(process: number): Promise<void> {
    this.#hosts[process] = await PodHost.spawn();
  }

  protected endPods(): Promise<unknown> {
    return Promise.all(this.#hosts.map((host) => host.close()));
  }

  #host(process: number): PodHost {
    const host = this.#hosts[process];
    if (host === undefined) throw new Error(`there is no process ${process}`);
    return host;
  }
}

export interface ProcessPerPodOptions extends LoopbackOptions {
  /** How long SIGTERM leaves a pod serving before it sends GOAWAY: a container's `preStop` sleep. Default 0. */
  readonly lameDuckMs?: number;
}

export class ProcessPerPod extends LoopbackRunner<PodProcess> {
  readonly #lameDuckMs: number;
  readonly #pods: PodProcess[] = [];
  /** Processes that are up and wait for a pod. */
  readonly #spares: Promise<PodHost>[] = [];
  #prepared: Promise<unknown> = Promise.resolve();

  static async create({ lameDuckMs = 0, ...options }: ProcessPerPodOptions): Promise<ProcessPerPod> {
    return new ProcessPerPod(await openLoopback(options), lameDuckMs);
  }

  private constructor(site: LoopbackSite, lameDuckMs: number) {
    super(site);
    this.#lameDuckMs = lameDuckMs;
  }

  /** Processes for pods to come, since starting one takes a second of CPU: all at once, or one after the other. */
  async prepare(processes: number, order: 'at once' | 'one by one' = 'at once'): Promise<void> {
    for (let index = 0; index < processes; index++) {
      const spare = order === 'at once' ? PodHost.spawn() : this.#prepared.then(() => PodHost.spawn());
      spare.catch(() => {}); // The pod that takes it fails with this error.
      this.#prepared = order === 'at once' ? Promise.all([this.#prepared, spare]) : spare;
      this.#spares.push(spare);
    }
    await this.#prepared;
  }

  async startPod(ip: string, options: PodOptions): Promise<PodProcess> {
    const host = await (this.#spares.shift() ?? PodHost.spawn());
    const pod = await PodProcess.start(ip, this.port, { ...options, lameDuckMs: this.#lameDuckMs }, host);
    this.#pods.push(pod);
    return pod;
  }

  protected endPods(): Promise<unknown> {
    const spares = this.#spares.map((spare) =>
      spare.then(
        (host) => host.close(),
        () => {},
      ),
    );
    return Promise.all([...this.#pods.map((pod) => pod.kill()), ...spares]);
  }
}

export interface PodProcessOptions extends PodOptions {
  /** As for `ProcessPerPod`. */
  readonly lameDuckMs?: number;
}

/** One pod with a process to itself. */
export class PodProcess extends RemotePod {
  readonly #host: PodHost;

  /** `port` 0 takes any free one. Default: a new process. */
  static async start(ip: string, port = 0, options: PodProcessOptions = {}, host?: PodHost): Promise<PodProcess> {
    const { lameDuckMs = 0, ...podOptions } = options;
    const used = host ?? (await PodHost.spawn());
    try {
      if (lameDuckMs > 0) await used.setLameDuck(lameDuckMs);
      return new PodProcess(used, await used.start(ip, port, podOptions));
    } catch (error) {
      await used.close();
      throw error;
    }
  }

  private constructor(host: PodHost, pod: RemotePod) {
    super(host.call, pod.ip, pod.port, pod.name);
    this.#host = host;
  }

  /** SIGTERM; resolves when it has finished its calls and exited. */
  override stop(): Promise<void> {
    return this.#host.end('SIGTERM');
  }

  /** SIGKILL; resolves when it is gone. */
  override kill(): Promise<void> {
    return this.#host.end('SIGKILL');
  }

  /** SIGSTOP: the pod is there and silent, without FIN or RST. */
  pause(): void {
    this.#host.pause();
  }

  /** SIGCONT. */
  resume(): void {
    this.#host.resume();
  }
}
