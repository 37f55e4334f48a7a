/**
 * The drain of one endpoint that left the set. Its calls finish, or are ended when `timeoutMs` has passed. Its connection
 * lingers, since a DNS replica that lags behind, or a flapping readiness probe, brings many endpoints back within seconds.
 */
import type { Clock, Timer } from '../runtime.js';

export interface DrainSettings {
  /** How long a connection is kept for the endpoint's return. */
  readonly lingerMs: number;
  /** How long calls may stay open; null: to their own end. */
  readonly timeoutMs: number | null;
}

export interface DrainListener {
  /** `lingerMs` have passed. Called once. */
  onLingered(): void;
  /** `timeoutMs` have passed: since the drain began, since the endpoint left DNS, or since `restartTimeout`. */
  onTimeout(): void;
}

export class Drain {
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #settings: DrainSettings;
  readonly #listener: DrainListener;
  #linger: Timer | null;
  #timeout: Timer | null = null;
  #listed: boolean;

  /**
   * Nothing is called any more once the drain is cancelled.
   *
   * @param listed see `listed`.
   */
  constructor(clock: Pick<Clock, 'setTimer'>, settings: DrainSettings, listener: DrainListener, listed: boolean) {
    this.#listed = listed;
    this.#clock = clock;
    this.#settings = settings;
    this.#listener = listener;
    this.#linger = clock.setTimer(settings.lingerMs, () => {
      this.#linger = null;
      listener.onLingered();
    });
    this.restartTimeout();
  }

  /** The connection has been kept long enough for the endpoint's return. */
  get lingered(): boolean {
    return this.#linger === null;
  }

  /** The time for open calls is over. */
  get timedOut(): boolean {
    return !this.#listed && this.#settings.timeoutMs !== null && this.#timeout === null;
  }

  /** The endpoint is still in DNS, and only not needed: its calls have all the time. */
  set listed(listed: boolean) {
    if (listed === this.#listed) return;
    this.#listed = listed;
    if (!listed) this.restartTimeout();
    else this.#timeout?.cancel();
  }

  /** Open calls get the whole time once more. */
  restartTimeout(): void {
    const { timeoutMs } = this.#settings;
    if (timeoutMs === null || this.#listed) return;
    this.#timeout?.cancel();
    this.#timeout = this.#clock.setTimer(timeoutMs, () => {
      this.#timeout = null;
      this.#listener.onTimeout();
    });
  }

  /** The endpoint returned, or is released. Idempotent. */
  cancel(): void {
    this.#linger?.cancel();
    this.#timeout?.cancel();
  }
}
