/**
 * A clock for simulations: `lib`'s own Clock, whose time jumps to the next timer as soon as every promise has settled.
 * Made for hundreds of thousands of timers of which few are set at once.
 */
import type { Clock, Timer } from '../../lib/runtime.js';

interface Parked {
  readonly at: number;
  readonly callback: () => void;
}

export class VirtualClock implements Clock {
  #now = 0;
  /** In the order in which they fall due; of two at one moment, the one set first. */
  readonly #parked: Parked[] = [];

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#now;
  }

  setTurn(callback: () => void): Timer {
    return this.setTimer(0, callback);
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const parked: Parked = { at: this.#now + Math.max(0, delayMs), callback };
    const index = this.#parked.findIndex((other) => other.at > parked.at);
    this.#parked.splice(index < 0 ? this.#parked.length : index, 0, parked);
    return {
      cancel: () => {
        const at = this.#parked.indexOf(parked);
        if (at >= 0) this.#parked.splice(at, 1);
      },
    };
  }

  /** Lets everything due up to `endMs` happen. */
  async run(endMs: number): Promise<void> {
    await settled();
    while ((this.#parked[0]?.at ?? Number.POSITIVE_INFINITY) <= endMs) {
      const next = this.#parked.shift() as Parked;
      this.#now = next.at;
      next.callback();
      await settled();
    }
    this.#now = endMs;
  }
}

/** Every promise that can settle without I/O has done so before an immediate runs. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
