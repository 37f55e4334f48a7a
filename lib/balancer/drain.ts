/**
 * The drain of one endpoint that left the set. Its calls finish, and its connection lingers, since a DNS replica that
 * lags behind, or a flapping readiness probe, brings many endpoints back within seconds.
 */
import type { Clock, Timer } from '../runtime.js';

export class Drain {
  #timer: Timer | null;

  /** @param onLingered is called once, after `lingerMs`, unless the drain is cancelled before. */
  constructor(clock: Pick<Clock, 'setTimer'>, lingerMs: number, onLingered: () => void) {
    this.#timer = clock.setTimer(lingerMs, () => {
      this.#timer = null;
      onLingered();
    });
  }

  /** The connection has been kept long enough for the endpoint's return. */
  get lingered(): boolean {
    return this.#timer === null;
  }

  /** The endpoint returned, or is released. Idempotent. */
  cancel(): void {
    this.#timer?.cancel();
  }
}
