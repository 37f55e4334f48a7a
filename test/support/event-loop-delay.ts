/**
 * How long the event loop was held up: as the delay of a timer (what calls meet, whoever causes it), and as the CPU time
 * of the longest turn (what this process causes itself).
 */
import { type IntervalHistogram, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

/** Delays of a timer, beyond its own period. */
export class EventLoopDelay {
  readonly #histogram: IntervalHistogram;
  readonly #resolutionMs: number;

  /** @param resolutionMs the timer's period: shorter ones see more and cost more. */
  constructor(resolutionMs = 10) {
    this.#resolutionMs = resolutionMs;
    this.#histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  }

  /** Begins to measure, or begins anew. */
  start(): void {
    this.#histogram.enable();
    this.#histogram.reset();
  }

  /** Figures stay readable. */
  stop(): void {
    this.#histogram.disable();
  }

  get maxMs(): number {
    return this.#beyondPeriod(this.#histogram.max);
  }

  get p99Ms(): number {
    return this.#beyondPeriod(this.#histogram.percentile(99));
  }

  #beyondPeriod(nanoseconds: number): number {
    return Math.max(0, nanoseconds / 1e6 - this.#resolutionMs);
  }
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** The times for which the garbage collector stopped this process, from the construction to `stop()`. */
export class CollectorPauses {
  readonly #pauses: Span[] = [];
  readonly #observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      this.#pauses.push({ start: startTime, end: startTime + duration });
  });

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Resolves when the last pause was reported, which takes one more turn. */
  async stop(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#observer.disconnect();
  }

  get longestMs(): number {
    return this.#pauses.reduce((longest, { start, end }) => Math.max(longest, end - start), 0);
  }

  /** How much of a span the collector took. */
  within(span: Span): number {
    return this.#pauses.reduce(
      (sum, pause) => sum + Math.max(0, Math.min(span.end, pause.end) - Math.max(span.start, pause.start)),
      0,
    );
  }
}

/** Shorter turns are of no interest. */
const LONG_TURN_MS = 5;

/**
 * Milliseconds of CPU time that this process took in the longest turn of its event loop while `body` ran, less the
 * pauses of the garbage collector in it; at least `LONG_TURN_MS`. CPU time of other programs does not count. How long
 * the collector stops depends on V8's version and on the size of the heap, so it does not count either.
 */
export async function longestTurn(body: () => Promise<unknown>): Promise<number> {
  const turns: (Span & { readonly busyMs: number })[] = [];
  const pauses = new CollectorPauses();
  let going = true;
  let cpu = process.cpuUsage();
  let start = performance.now();
  const turn = (): void => {
    const { user, system } = process.cpuUsage(cpu);
    const end = performance.now();
    // The lesser of the two: CPU time includes other threads of this process, wall time includes other programs.
    const busyMs = Math.min((user + system) / 1000, end - start);
    if (busyMs > LONG_TURN_MS) turns.push({ start, end, busyMs });
    cpu = process.cpuUsage();
    start = performance.now();
    if (going) setImmediate(turn);
  };
  setImmediate(turn);
  await body().finally(() => {
    going = false;
  });
  await pauses.stop();
  return Math.max(LONG_TURN_MS, ...turns.map((one) => one.busyMs - pauses.within(one)));
}
