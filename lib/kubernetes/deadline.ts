/** Aborts a request that has been silent for too long. */
import type { Clock, Timer } from '../runtime.js';

export class Deadline {
  readonly #clock: Clock;
  readonly #outer: AbortSignal;
  readonly #abort = new AbortController();
  readonly #onOuterAbort = (): void => this.#abort.abort();
  #timer: Timer | null = null;

  /** @param outer aborts the request, too. */
  constructor(clock: Clock, outer: AbortSignal) {
    this.#clock = clock;
    this.#outer = outer;
    // `AbortSignal.any` would stay registered for as long as the outer signal lives, and that outlives many requests.
    outer.addEventListener('abort', this.#onOuterAbort, { once: true });
  }

  /** For the request. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** It was silent for too long. */
  get passed(): boolean {
    return this.#abort.signal.aborted && !this.#outer.aborted;
  }

  /** Counts from now on. */
  restart(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(ms, () => this.#abort.abort());
  }

  end(): void {
    this.#timer?.cancel();
    this.#outer.removeEventListener('abort', this.#onOuterAbort);
  }
}
