/**
 * How soon after the last query a requested re-resolution may come. A lost connection asks DNS at once; where that finds
 * nothing new, the next request waits twice as long, up to the interval. So servers that close their connections again
 * and again do not keep the poller at its fastest pace.
 */
export class RequestBackoff {
  readonly #floorMs: number;
  readonly #intervalMs: number;
  #waitMs: number;
  #requested = false;

  constructor(floorMs: number, intervalMs: number) {
    this.#floorMs = floorMs;
    this.#intervalMs = intervalMs;
    this.#waitMs = floorMs;
  }

  /** Least milliseconds between the last query and one that is requested now. */
  get waitMs(): number {
    return this.#waitMs;
  }

  /** A re-resolution was requested, whether or not a query follows from it. */
  request(): void {
    this.#requested = true;
  }

  /** A query was settled. A change, or a query that was not requested, ends the backoff. */
  settled(changed: boolean): void {
    const inVain = this.#requested && !changed;
    this.#waitMs = inVain ? Math.min(2 * this.#waitMs, this.#intervalMs) : this.#floorMs;
    this.#requested = false;
  }
}
