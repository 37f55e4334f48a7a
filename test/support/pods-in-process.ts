/** Runs a cluster's pods in this process: the cheapest way, and the one whose pods can be looked at directly. */
import type { DnsServer } from './dns-server.js';
import { type Pod, type PodOptions, startPod } from './pod.js';
import { type LoopbackOptions, LoopbackSite, type PodRunner } from './pod-runner.js';

export class PodsInProcess implements PodRunner<Pod, DnsServer> {
  readonly #site: LoopbackSite;
  readonly #pods: Pod[] = [];

  static async create(options: LoopbackOptions): Promise<PodsInProcess> {
    return new PodsInProcess(await LoopbackSite.open(options));
  }

  private constructor(site: LoopbackSite) {
    this.#site = site;
  }

  get dns(): DnsServer {
    return this.#site.dns;
  }

  get port(): number {
    return this.#site.port;
  }

  ip(index: number): string {
    return this.#site.ip(index);
  }

  async startPod(ip: string, options: PodOptions): Promise<Pod> {
    const pod = await startPod(ip, this.port, options);
    this.#pods.push(pod);
    return pod;
  }

  async close(): Promise<void> {
    await Promise.all(this.#pods.map((pod) => pod.kill()));
    await this.#site.close();
  }
}
