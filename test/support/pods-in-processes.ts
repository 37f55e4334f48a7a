/**
 * One pod, one process, and the signals that Kubernetes and its troubles send: SIGTERM, SIGKILL, and SIGSTOP for a
 * pod that is there and says nothing (no FIN, no RST).
 */
import type { PodBehaviour, PodStats } from './pod.js';
import { PodHost, type RemotePod, type RemotePodOptions } from './pod-host.js';

export interface PodProcessOptions extends RemotePodOptions {
  /** How long SIGTERM leaves it serving before it says GOAWAY: Kubernetes users' `preStop` sleep. Default 0. */
  lameDuckMs?: number;
}

/** Starts a process and a pod in it; with `host`, takes a process that is up already. */
export async function startPodProcess(
  ip: string,
  port = 0,
  options: PodProcessOptions = {},
  host?: PodHost,
): Promise<PodProcess> {
  const { lameDuckMs = 0, ...remote } = options;
  const home = host ?? (await PodHost.spawn());
  try {
    if (lameDuckMs > 0) await home.setLameDuck(lameDuckMs);
    return new PodProcess(home, await home.start(ip, port, remote));
  } catch (error) {
    await home.close();
    throw error;
  }
}

export class PodProcess {
  readonly ip: string;
  readonly port: number;
  readonly address: string;
  readonly name: string;
  readonly pid: number;
  readonly #host: PodHost;
  readonly #pod: RemotePod;

  constructor(host: PodHost, pod: RemotePod) {
    this.#host = host;
    this.#pod = pod;
    this.ip = pod.ip;
    this.port = pod.port;
    this.address = pod.address;
    this.name = pod.name;
    this.pid = host.process.pid ?? -1;
  }

  behave(changes: Partial<PodBehaviour>): Promise<void> {
    return this.#pod.behave(changes);
  }

  stats(): Promise<PodStats> {
    return this.#pod.stats();
  }

  /** SIGTERM; resolves when it has finished its calls and exited. */
  stop(): Promise<void> {
    return this.#host.signal('SIGTERM');
  }

  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void> {
    return this.#host.signal('SIGKILL');
  }

  /** SIGSTOP: the kernel goes on acknowledging, the program is silent. */
  pause(): void {
    this.#host.process.kill('SIGSTOP');
  }

  /** SIGCONT. */
  resume(): void {
    this.#host.process.kill('SIGCONT');
  }
}
