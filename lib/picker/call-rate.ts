/** How many calls an endpoint gets in a second, and so how many calls of one turn may go to it as one batch. */
import type { Clock } from '../runtime.js';

/**
 * The part of an endpoint's calls of one second that may come in one batch. With more, the busiest of 50 or 100
 * endpoints gets over a tenth above the mean within a second; with less, batches over 100 endpoints save hardly any CPU.
 */
const SHARE = 1 / 7;
/** Minimum sampling window: in a shorter one a burst would be taken for a rate. */
const WINDOW_MS = 100;

export class CallRate {
  /** The largest batch that the last window allows; 1 until there was one. */
  batch = 1;
  readonly #clock: Pick<Clock, 'now'>;
  #since: number;
  #calls = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** A call was sent. */
  count(): void {
    this.#calls += 1;
  }

  /** To be called now and then, for example once in each rotation, because it reads the clock. */
  measure(endpoints: number): void {
    const now = this.#clock.now();
    const elapsedMs = now - this.#since;
    if (elapsedMs < WINDOW_MS) return;
    const callsPerSecond = this.#calls / endpoints / (elapsedMs / 1000);
    this.batch = Math.max(1, Math.floor(callsPerSecond * SHARE));
    this.#since = now;
    this.#calls = 0;
  }
}
