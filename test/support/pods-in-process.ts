/** Runs a cluster's pods in this process: the cheapest way, and the one whose pods can be looked at directly. */
import { type Pod, type PodOptions, startPod } from './pod.js';
import { type LoopbackOptions, LoopbackRunner, openLoopback } from './pod-runner.js';

export class PodsInProcess extends LoopbackRunner<Pod> {
  readonly #pods: Pod[] = [];

  static async create(options: LoopbackOptions): Promise<PodsInProcess> {
    return new PodsInProcess(await openLoopback(options));
  }

  async startPod(ip: string, options: PodOptions): Promise<Pod> {
    const pod = await startPod(ip, this.port, options);
    this.#pods.push(pod);
    return pod;
  }

  protected endPods(): Promise<unknown> {
    return Promise.all(this.#pods.map((pod) => pod.kill()));
  }
}
