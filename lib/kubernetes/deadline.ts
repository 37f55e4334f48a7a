/** Aborts a request that has been silent for too long, and the waiting for what comes before it. */
import { abortable, type Clock, type Timer } from '../runtime.js';

const OF_THE_SERVER = 'the API server was silent for too long';

export class Deadline {
  readonly #clock: Clock;
  readonly #outer: AbortSignal;
  readonly #abort = new AbortController();
  readonly #onOuterAbort = (): void => this.#abort.abort();
  #timer: Timer | null = null;
  #message = OF_THE_SERVER;

  /** @param outer aborts the request, too. */
  constructor(clock: Clock, outer: AbortSignal) {
    this.#clock = clock;
    this.#outer = outer;
    // `AbortSignal.any` would stay registered for as long as the outer signal lives, and that outlives many requests.
    outer.addEventListener('abort', this.#onOuterAbort, { once: true });
    if (outer.aborted) this.#abort.abort();
  }

  /** For the request. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** It was silent for too long. */
  get passed(): boolean {
    return this.#abort.signal.aborted && !this.#outer.aborted;
  }

  /** What was waited for in vain, where it has passed. */
  get message(): string {
    return this.#message;
  }

  /** Counts from now on. */
  restart(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(ms, () => this.#abort.abort());
  }

  /**
   * Settles as `work` does, or rejects as soon as the signal is aborted: work that knows no signal may never settle.
   *
   * @param message for the case that the time ends first.
   */
  async race<T>(work: Promise<T>, message: string): Promise<T> {
    this.#message = message;
    const result = await abortable(work, this.#abort.signal);
    this.#message = OF_THE_SERVER;
    return result;
  }

  end(): void {
    this.#timer?.cancel();
    this.#outer.removeEventListener('abort', this.#onOuterAbort);
  }
}
