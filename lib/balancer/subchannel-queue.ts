/**
 * Starts new endpoints, a few in each turn of the event loop: making a subchannel and connecting it costs a fraction of
 * a millisecond, and grpc-js's subchannel pool looks each up by a linear scan, so that ten thousand at once would hold
 * up every call for seconds.
 */
import type { Clock, Timer } from '../runtime.js';
import type { Endpoint } from './endpoint.js';

/**
 * Started at once; as many again in every later turn, until all are. Turns, not timers: connecting moves the clock on,
 * so that timers of no delay fall due in one and the same phase, and all that is refused comes back at once after it.
 */
const BATCH = 4;

export class SubchannelQueue {
  readonly #clock: Pick<Clock, 'setTurn'>;
  readonly #waiting = new Set<Endpoint>();
  #turn: Timer | null = null;

  constructor(clock: Pick<Clock, 'setTurn'>) {
    this.#clock = clock;
  }

  /** Endpoints that are still to be started. */
  get size(): number {
    return this.#waiting.size;
  }

  add(endpoints: readonly Endpoint[]): void {
    for (const endpoint of endpoints) this.#waiting.add(endpoint);
    this.#turn?.cancel();
    this.#startSome();
  }

  /** The endpoint left the set before it was started. */
  delete(endpoint: Endpoint): void {
    this.#waiting.delete(endpoint);
  }

  clear(): void {
    this.#turn?.cancel();
    this.#turn = null;
    this.#waiting.clear();
  }

  #startSome(): void {
    let started = 0;
    for (const endpoint of this.#waiting) {
      if (started === BATCH) break;
      this.#waiting.delete(endpoint);
      endpoint.start();
      started += 1;
    }
    this.#turn = this.#waiting.size > 0 ? this.#clock.setTurn(() => this.#startSome()) : null;
  }
}
