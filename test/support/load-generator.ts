/**
 * Makes calls in one of two ways, and hands each to a recorder.
 *
 * - `OpenLoop`: so many calls a second, whether or not earlier ones have ended. Latency counts from the moment a call
 *   was due: a client or server that stalls cannot hide the calls that it delayed ("coordinated omission").
 * - `ClosedLoop`: N calls in flight at all times, or fewer with a pause after each. Latency counts from the call's
 *   start. A slow machine makes fewer calls, and no backlog.
 */
import { status } from '@grpc/grpc-js';
import { type Clock, type Random, systemRuntime, type Timer } from '../../lib/runtime.js';
import { type Call, type CallEnd, unary } from './hello-calls.js';
import type { HelloClient } from './hello-service.js';
import type { Defer } from './leak-check.js';
import { Recorder } from './recorder.js';

export interface LoadOptions {
  /** Default: one of its own. Several generators may share one. */
  readonly recorder?: Recorder;
  readonly clock?: Clock;
}

abstract class LoadGenerator {
  readonly recorder: Recorder;
  protected readonly clock: Clock;
  protected stopping = false;
  readonly #call: Call;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #isStopping = (): boolean => this.stopping;

  constructor(call: Call, { recorder = new Recorder(), clock = systemRuntime.clock }: LoadOptions) {
    this.#call = call;
    this.recorder = recorder;
    this.clock = clock;
  }

  /** No call starts after this; resolves when the last one has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wake();
    await Promise.all(this.#inFlight);
  }

  /** Ends all pauses. */
  protected abstract wake(): void;

  /** Starts one call; resolves when it has ended. */
  protected begin(dueAt: number): Promise<void> {
    const started = this.recorder.start(this.#call.kind, dueAt);
    const ended = (end: CallEnd): void => {
      this.recorder.end(started, end, this.clock.now());
      this.#inFlight.delete(call);
    };
    const call = this.#call.start(started.id, this.#isStopping).then(ended, (error) => ended(rejected(error)));
    this.#inFlight.add(call);
    return call;
  }
}

export interface OpenLoopOptions extends LoadOptions {
  readonly callsPerSecond: number;
  /** Default `constant`: evenly spaced. `poisson`: independent arrivals, which come in clusters as users do. */
  readonly arrivals?: 'constant' | 'poisson';
  /** Needed for `poisson`, and for the phase of `constant`. */
  readonly random: Random;
}

export class OpenLoop extends LoadGenerator {
  readonly #gapMs: () => number;
  #dueAt = 0;
  #timer: Timer | null = null;

  constructor(call: Call, { callsPerSecond, arrivals = 'constant', random, ...options }: OpenLoopOptions) {
    super(call, options);
    const meanMs = 1000 / callsPerSecond;
    this.#gapMs = arrivals === 'constant' ? () => meanMs : () => -Math.log(1 - random()) * meanMs;
    // Loops started together must not call together.
    this.#dueAt = random() * meanMs;
  }

  start(): void {
    this.#dueAt += this.clock.now();
    this.#wait();
  }

  protected wake(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #wait(): void {
    this.#timer = this.clock.setTimer(Math.max(0, this.#dueAt - this.clock.now()), () => {
      // After a late timer several calls are due, each since its own moment.
      for (const now = this.clock.now(); this.#dueAt <= now; this.#dueAt += this.#gapMs()) void this.begin(this.#dueAt);
      this.#wait();
    });
  }
}

export interface ClosedLoopOptions extends LoadOptions {
  readonly inFlight: number;
  /** Between the end of a call and the start of the next one in its place. Default: none. */
  readonly pauseMs?: () => number;
  /** Ends by itself after so many calls. */
  readonly calls?: number;
}

export class ClosedLoop extends LoadGenerator {
  readonly #inFlight: number;
  readonly #pauseMs: (() => number) | undefined;
  readonly #pauses = new Set<() => void>();
  #left: number;

  constructor(call: Call, { inFlight, pauseMs, calls = Number.POSITIVE_INFINITY, ...options }: ClosedLoopOptions) {
    super(call, options);
    this.#inFlight = inFlight;
    this.#pauseMs = pauseMs;
    this.#left = calls;
  }

  start(): void {
    void this.run();
  }

  /** Resolves when all `calls` have ended, or after `stop()`. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#inFlight }, () => this.#work()));
  }

  protected wake(): void {
    for (const end of this.#pauses) end();
  }

  async #work(): Promise<void> {
    while (!this.stopping && this.#left-- > 0) {
      await this.begin(this.clock.now());
      if (this.#pauseMs && !this.stopping) await this.#pause(this.#pauseMs());
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#pauses.delete(end);
        resolve();
      };
      const timer = this.clock.setTimer(ms, end);
      this.#pauses.add(end);
    });
  }
}

/** A call that could not even start, as on a closed client. */
function rejected(error: unknown): CallEnd {
  const details = error instanceof Error ? error.message : String(error);
  return { pod: null, peer: null, code: status.UNKNOWN, details, committed: false, mismatch: null };
}

/** Unary calls in the background of a test, until it ends; with pauses, to leave the machine to what is tested. */
export function startLoad(defer: Defer, client: HelloClient, { inFlight = 4, pauseMs = 5 } = {}): ClosedLoop {
  const load = new ClosedLoop(unary(client), { inFlight, pauseMs: () => pauseMs });
  defer(() => load.stop());
  load.start();
  return load;
}
