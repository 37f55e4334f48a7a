/** How many calls a pod gets in a second, and so how many of them may follow each other to one pod. */
import type { Clock } from '../runtime.js';

/**
 * The part of a pod's calls of one second that may come in one run. With more, the busiest of 50 or 100 pods gets over
 * a tenth above the mean within a second; with less, 100 pods save hardly anything.
 */
const SHARE = 1 / 7;
/** Over less, a burst would pass for a rate. */
const WINDOW_MS = 100;

export class CallRate {
  /** The longest run that the last window allows; 1 until there was one. */
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

  /** To be called now and then, say once in each rotation: it reads the clock. */
  measure(pods: number): void {
    const now = this.#clock.now();
    const elapsedMs = now - this.#since;
    if (elapsedMs < WINDOW_MS) return;
    const callsPerSecond = this.#calls / pods / (elapsedMs / 1000);
    this.batch = Math.max(1, Math.floor(callsPerSecond * SHARE));
    this.#since = now;
    this.#calls = 0;
  }
}
