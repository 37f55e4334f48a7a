/** Calls at a constant rate through one client, and a ledger of which pod answered which of them, and when. */
import { status } from '@grpc/grpc-js';
import { type HelloClient, sayHi } from '../../test/support/hello-service.js';

export interface PodCalls {
  answered: number;
  /** `performance.now()` of the first answer. */
  firstAnsweredAt: number;
  /** `performance.now()` at the start of the latest call that the pod answered. */
  lastStartedAt: number;
}

export interface FailedCall {
  readonly at: number;
  /** The status code's name. */
  readonly code: string;
  readonly details: string;
}

const TICK_MS = 10;
/** Long, so that a busy machine does not look like a lost pod; slow calls show in `slowestMs`. */
const DEADLINE_MS = 5_000;
/** What "calls a second" looks back on. */
const WINDOW_MS = 1_000;

export class Load {
  readonly name: string;
  readonly byPod = new Map<string, PodCalls>();
  readonly failed: FailedCall[] = [];
  started = 0;
  /** From a call's start to its answer. */
  slowestMs = 0;

  readonly #client: HelloClient;
  readonly #callsPerSecond: number;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #recent: { pod: string; at: number }[] = [];
  #ticks: NodeJS.Timeout | undefined;

  constructor(name: string, client: HelloClient, callsPerSecond: number) {
    this.name = name;
    this.#client = client;
    this.#callsPerSecond = callsPerSecond;
  }

  start(): void {
    const startedAt = performance.now();
    this.#ticks = setInterval(() => {
      // By the clock and not by the tick: a late tick makes up for what it missed.
      const due = Math.floor(((performance.now() - startedAt) * this.#callsPerSecond) / 1000);
      while (this.started < due) this.#call();
    }, TICK_MS);
  }

  /** Resolves when the last call has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#ticks);
    await Promise.all(this.#inFlight);
    this.#client.close();
  }

  answeredBy(pods: readonly string[]): number {
    return pods.reduce((sum, pod) => sum + (this.byPod.get(pod)?.answered ?? 0), 0);
  }

  /** Answers from this pod within the last second. */
  rate(pod: string): number {
    const since = performance.now() - WINDOW_MS;
    while (this.#recent[0] !== undefined && this.#recent[0].at < since) this.#recent.shift();
    return this.#recent.reduce((sum, answer) => sum + (answer.pod === pod ? 1 : 0), 0);
  }

  #call(): void {
    this.started += 1;
    const startedAt = performance.now();
    const call = sayHi(this.#client, { deadline: Date.now() + DEADLINE_MS }).then(
      ({ from_who }) => this.#answered(from_who, startedAt),
      ({ code, details }: { code: status; details: string }) => {
        this.failed.push({ at: performance.now(), code: status[code] ?? String(code), details });
      },
    );
    this.#inFlight.add(call);
    void call.then(() => this.#inFlight.delete(call));
  }

  #answered(pod: string, startedAt: number): void {
    const at = performance.now();
    this.#recent.push({ pod, at });
    this.slowestMs = Math.max(this.slowestMs, at - startedAt);
    const calls = this.byPod.get(pod);
    if (calls === undefined) this.byPod.set(pod, { answered: 1, firstAnsweredAt: at, lastStartedAt: startedAt });
    else {
      calls.answered += 1;
      calls.lastStartedAt = Math.max(calls.lastStartedAt, startedAt);
    }
  }
}
