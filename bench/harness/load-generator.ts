/**
 * Calls, made in one of two ways, and what became of them.
 *
 * - `OpenLoop`: so many calls a second, whether or not the last ones were answered. Latency counts from the moment a
 *   call was due: a stalled client or server cannot hide the calls that it kept waiting ("coordinated omission").
 * - `ClosedLoop`: N calls in flight at all times, for throughput. Latency counts from the call's start.
 *
 * Both count answers by pod and failures by status, into a Tally that may be read and replaced while they run.
 */
import { status } from '@grpc/grpc-js';
import { build, type Histogram } from 'hdr-histogram-js';
import type { Random } from '../../lib/runtime.js';
import { type HelloClient, sayHi } from '../../test/support/hello-service.js';

/** Makes one call; resolves with the name of the pod that answered, rejects with an error that has a status `code`. */
export type Call = () => Promise<string>;

const DEFAULT_DEADLINE_MS = 5_000;

/** A unary call of the Hello service. */
export function hello(client: HelloClient, deadlineMs = DEFAULT_DEADLINE_MS): Call {
  return async () => (await sayHi(client, { deadline: Date.now() + deadlineMs })).from_who;
}

export interface Latency {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

export interface TallyReport {
  readonly started: number;
  readonly answered: number;
  readonly failed: number;
  readonly byPod: Readonly<Record<string, number>>;
  /** By the status's name: `UNAVAILABLE` … */
  readonly failedByStatus: Readonly<Record<string, number>>;
  /** Of the calls that were answered. */
  readonly latency: Latency;
}

/** Told of every answer; times are `performance.now()`. `dueAt` is the start in a closed loop. */
export type AnswerListener = (pod: string, dueAt: number, endedAt: number) => void;

export class Tally {
  started = 0;
  answered = 0;
  readonly byPod = new Map<string, number>();
  readonly failedByStatus = new Map<string, number>();
  /** In microseconds, to a minute, three digits. */
  readonly histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  });

  succeed(pod: string, latencyMs: number): void {
    this.answered += 1;
    this.byPod.set(pod, (this.byPod.get(pod) ?? 0) + 1);
    this.histogram.recordValue(Math.min(60_000_000, Math.max(1, Math.round(latencyMs * 1000))));
  }

  fail(error: unknown): void {
    const code = (error as { code?: number } | null)?.code;
    const name = (code === undefined ? undefined : status[code]) ?? 'UNKNOWN';
    this.failedByStatus.set(name, (this.failedByStatus.get(name) ?? 0) + 1);
  }

  report(): TallyReport {
    const ms = (microseconds: number): number => microseconds / 1000;
    const at = (percentile: number): number => ms(this.histogram.getValueAtPercentile(percentile));
    return {
      started: this.started,
      answered: this.answered,
      failed: [...this.failedByStatus.values()].reduce((sum, count) => sum + count, 0),
      byPod: Object.fromEntries(this.byPod),
      failedByStatus: Object.fromEntries(this.failedByStatus),
      latency: {
        count: this.histogram.totalCount,
        meanMs: ms(this.histogram.mean),
        p50Ms: at(50),
        p90Ms: at(90),
        p99Ms: at(99),
        p999Ms: at(99.9),
        maxMs: ms(this.histogram.maxValue),
      },
    };
  }
}

/** What both loops have in common. */
class Loop {
  /** Replace it to begin a new count: calls under way go to the tally of the moment they end. */
  tally = new Tally();
  onAnswer: AnswerListener | null = null;
  readonly #call: Call;
  readonly #inFlight = new Set<Promise<void>>();

  constructor(call: Call) {
    this.#call = call;
  }

  protected begin(dueAt: number): Promise<void> {
    this.tally.started += 1;
    const call = this.#call().then(
      (pod) => {
        const endedAt = performance.now();
        this.tally.succeed(pod, endedAt - dueAt);
        this.onAnswer?.(pod, dueAt, endedAt);
      },
      (error: unknown) => this.tally.fail(error),
    );
    this.#inFlight.add(call);
    void call.then(() => this.#inFlight.delete(call));
    return call;
  }

  protected async drained(): Promise<void> {
    await Promise.all(this.#inFlight);
  }
}

export interface OpenLoopOptions {
  readonly callsPerSecond: number;
  /** Default `constant`: evenly spaced. `poisson`: independent arrivals, which come in clumps as users do. */
  readonly arrivals?: 'constant' | 'poisson';
  /** Needed for `poisson`, and for the phase of `constant`. */
  readonly random: Random;
}

export class OpenLoop extends Loop {
  readonly #gapMs: () => number;
  #dueAt = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(call: Call, { callsPerSecond, arrivals = 'constant', random }: OpenLoopOptions) {
    super(call);
    const meanMs = 1000 / callsPerSecond;
    this.#gapMs = arrivals === 'constant' ? () => meanMs : () => -Math.log(1 - random()) * meanMs;
    // Loops started together must not call together.
    this.#dueAt = random() * meanMs;
  }

  start(): void {
    this.#dueAt += performance.now();
    this.#wait();
  }

  /** No call starts after this; resolves when the last one has ended. */
  async stop(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    await this.drained();
  }

  #wait(): void {
    this.#timer = setTimeout(
      () => {
        // A late timer makes up for what it missed, and those calls were due when they were due.
        for (const now = performance.now(); this.#dueAt <= now; this.#dueAt += this.#gapMs())
          void this.begin(this.#dueAt);
        this.#wait();
      },
      Math.max(0, this.#dueAt - performance.now()),
    );
  }
}

export class ClosedLoop extends Loop {
  readonly #inFlight: number;
  #stopping = false;
  #workers: Promise<unknown> = Promise.resolve();

  constructor(call: Call, inFlight: number) {
    super(call);
    this.#inFlight = inFlight;
  }

  start(): void {
    this.#stopping = false;
    const work = async (): Promise<void> => {
      while (!this.#stopping) await this.begin(performance.now());
    };
    this.#workers = Promise.all(Array.from({ length: this.#inFlight }, work));
  }

  /** Resolves when the last call has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#workers;
  }
}
