/**
 * Panic (Envoy): where no endpoint of the set may take calls, because all are ejected or say that they are not serving, those
 * that are connected take them all the same. Some may answer; without them every call would fail.
 */
import type { Clock, Timer } from '../runtime.js';
import type { Endpoint } from './endpoint.js';

/**
 * How long calls wait for endpoints that still connect, or are to be found healthy. A set whose servers are just starting is
 * no reason for panic; one of which a pod cannot be reached may be.
 */
const PATIENCE_MS = 1_000;

export interface PanicListener {
  /** The endpoints that still connect have had their time. */
  onDue(): void;
  /** It began, or it has ended: then there are no addresses. */
  onChange(active: boolean, addresses: readonly string[]): void;
}

export class Panic {
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #listener: PanicListener;
  #active = false;
  #timer: Timer | null = null;
  #isDue = false;

  constructor(clock: Pick<Clock, 'setTimer'>, listener: PanicListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  /**
   * Returns those that have to take calls.
   *
   * @param unhealthy endpoints of the set that would, if no other can; empty: others take calls, or none is connected.
   * @param others whether others still connect, or are to be found healthy.
   */
  update(unhealthy: readonly Endpoint[], others: boolean): readonly Endpoint[] {
    if (unhealthy.length === 0) this.stop();
    else if (others && !this.#isDue) {
      this.#timer ??= this.#clock.setTimer(PATIENCE_MS, () => {
        this.#isDue = true;
        this.#listener.onDue();
      });
    }
    const taking = others && !this.#isDue ? [] : unhealthy;
    const active = taking.length > 0;
    if (active !== this.#active) {
      this.#active = active;
      this.#listener.onChange(
        active,
        taking.map(({ name }) => name),
      );
    }
    return taking;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#isDue = false;
  }
}
