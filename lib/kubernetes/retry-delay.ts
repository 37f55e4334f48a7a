/** How long to wait after a failure: exponential backoff with jitter (as gRPC's connection backoff), from 0.5 s to 30 s. */
import type { Random } from '../runtime.js';

const FIRST_MS = 500;
const MOST_MS = 30_000;

export class RetryDelay {
  readonly #random: Random;
  #ceilingMs = FIRST_MS;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Half of the wait is random: clients that lost one API server do not return to it together. */
  next(leastMs: number): number {
    const ceilingMs = this.#ceilingMs;
    this.#ceilingMs = Math.min(2 * ceilingMs, MOST_MS);
    return Math.max(leastMs, ceilingMs * (0.5 + this.#random() / 2));
  }

  reset(): void {
    this.#ceilingMs = FIRST_MS;
  }
}
