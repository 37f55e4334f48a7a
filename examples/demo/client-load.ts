/** Calls at a constant rate through one client, and which pod answered first and last when. */
import { systemRuntime } from '../../lib/runtime.js';
import { unary } from '../../test/support/hello-calls.js';
import type { HelloClient } from '../../test/support/hello-service.js';
import { OpenLoop } from '../../test/support/load-generator.js';
import type { Recorder } from '../../test/support/recorder.js';

export interface PodTimes {
  /** `performance.now()` of the first answer. */
  readonly firstAnsweredAt: number;
  /** `performance.now()` at the start of the latest call that the pod answered. */
  lastStartedAt: number;
}

/** Long, so that a busy machine does not look like a lost pod; slow calls show in the latencies. */
const DEADLINE_MS = 5_000;
/** What "calls a second" looks back on. */
const WINDOW_MS = 1_000;

export class ClientLoad {
  readonly name: string;
  readonly recorder: Recorder;
  /** Of the pods that answered. */
  readonly podTimes = new Map<string, PodTimes>();

  readonly #client: HelloClient;
  readonly #loop: OpenLoop;
  readonly #recent: { pod: string; at: number }[] = [];

  constructor(name: string, client: HelloClient, callsPerSecond: number) {
    this.name = name;
    this.#client = client;
    this.#loop = new OpenLoop(unary(client, { deadlineMs: DEADLINE_MS }), {
      callsPerSecond,
      random: systemRuntime.random,
    });
    this.recorder = this.#loop.recorder;
    this.recorder.subscribe(({ pod, dueAt, endedAt }) => {
      if (pod !== null) this.#onAnswer(pod, dueAt, endedAt);
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** Resolves when the last call has ended. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    this.#client.close();
  }

  answeredBy(pods: readonly string[]): number {
    return pods.reduce((sum, pod) => sum + (this.recorder.byPod.get(pod) ?? 0), 0);
  }

  /** Answers from this pod within the last second. */
  rate(pod: string): number {
    const since = performance.now() - WINDOW_MS;
    while (this.#recent[0] !== undefined && this.#recent[0].at < since) this.#recent.shift();
    return this.#recent.reduce((sum, answer) => sum + (answer.pod === pod ? 1 : 0), 0);
  }

  #onAnswer(pod: string, startedAt: number, at: number): void {
    this.#recent.push({ pod, at });
    const times = this.podTimes.get(pod);
    if (times === undefined) this.podTimes.set(pod, { firstAnsweredAt: at, lastStartedAt: startedAt });
    else times.lastStartedAt = Math.max(times.lastStartedAt, startedAt);
  }
}
