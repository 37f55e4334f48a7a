/**
 * A moving average of latency that follows a peak at once and forgets it slowly (Finagle's PeakEwma). Samples come at
 * uneven times, so the weight of the past falls with the time since the last sample.
 */

/** The average falls to 1/e in this time without a sample. Finagle's default. */
const DECAY_MS = 10_000;

export class PeakLatency {
  #valueMs = 0;
  #sampledAt = 0;

  /** As it was after the last sample; 0 before the first one. */
  get last(): number {
    return this.#valueMs;
  }

  at(now: number): number {
    return this.#valueMs * Math.exp((this.#sampledAt - now) / DECAY_MS);
  }

  observe(sampleMs: number, now: number): void {
    const past = Math.exp((this.#sampledAt - now) / DECAY_MS);
    this.#valueMs = sampleMs > this.#valueMs ? sampleMs : this.#valueMs * past + sampleMs * (1 - past);
    this.#sampledAt = now;
  }

  /** The next sample is taken as the first one. */
  forget(): void {
    this.#valueMs = 0;
  }
}
