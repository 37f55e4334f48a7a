/** Latencies of calls, in a histogram of fixed size. */
import { build, type Histogram } from 'hdr-histogram-js';

export interface Latency {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** Longer latencies count as this. */
const LONGEST_US = 60_000_000;

/** From a microsecond to a minute, with three significant digits. */
export class LatencyHistogram {
  readonly #microseconds: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_US,
    numberOfSignificantValueDigits: 3,
  });

  record(latencyMs: number): void {
    this.#microseconds.recordValue(Math.min(LONGEST_US, Math.max(1, Math.round(latencyMs * 1000))));
  }

  add(other: LatencyHistogram): void {
    this.#microseconds.add(other.#microseconds);
  }

  reset(): void {
    this.#microseconds.reset();
  }

  get report(): Latency {
    const at = (percentile: number): number => this.#microseconds.getValueAtPercentile(percentile) / 1000;
    return {
      count: this.#microseconds.totalCount,
      meanMs: this.#microseconds.mean / 1000,
      p50Ms: at(50),
      p90Ms: at(90),
      p99Ms: at(99),
      p999Ms: at(99.9),
      maxMs: this.#microseconds.maxValue / 1000,
    };
  }
}
