/**
 * A clock that moves only when told to, for tests and simulations. `advance` fires the timers that fall due, in order,
 * and lets promises settle after each, so that code under test has set its next timers before time moves on.
 */
import type { Clock, Timer } from '../../lib/runtime.js';

interface PendingTimer {
  readonly at: number;
  readonly callback: () => void;
}

export interface FakeClockOptions {
  /** What `now()` starts at. Default 1000. */
  readonly startMs?: number;
  /**
   * Turns of the event loop after each timer, for promises to settle in. One is enough for promises alone, and fast;
   * the default of 3 also lets streams and sockets in memory hand on their data.
   */
  readonly settleTurns?: number;
}

const SETTLE_TURNS = 3;

export class FakeClock implements Clock {
  #now: number;
  #wallOffset = 1_700_000_000_000;
  readonly #settleTurns: number;
  /** In the order in which they fall due; of two at one moment, the one set first. */
  readonly #timers: PendingTimer[] = [];

  constructor({ startMs = 1_000, settleTurns = SETTLE_TURNS }: FakeClockOptions = {}) {
    this.#now = startMs;
    this.#settleTurns = settleTurns;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#wallOffset + this.#now;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer: PendingTimer = { at: this.#now + Math.max(0, delayMs), callback };
    const index = this.#timers.findIndex((other) => other.at > timer.at);
    this.#timers.splice(index < 0 ? this.#timers.length : index, 0, timer);
    return {
      cancel: () => {
        const at = this.#timers.indexOf(timer);
        if (at >= 0) this.#timers.splice(at, 1);
      },
    };
  }

  setTurn(callback: () => void): Timer {
    return this.setTimer(0, callback);
  }

  /** Timers set and neither fired nor cancelled. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Milliseconds until the next timer fires; undefined when none is set. */
  get nextIn(): number | undefined {
    const [next] = this.#timers;
    return next && next.at - this.#now;
  }

  /** The wall clock alone jumps, as under NTP or an operator's hand. */
  jumpWallTime(ms: number): void {
    this.#wallOffset += ms;
  }

  /** Time passes and no timer fires, as while the event loop is blocked. They fire late, in the next `advance`. */
  stall(ms: number): void {
    this.#now += ms;
  }

  /** Moves time on, firing what falls due in order, and lets promises settle after each timer. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle(this.#settleTurns);
    for (let next = this.#timers[0]; next && next.at <= end; next = this.#timers[0]) {
      this.#now = Math.max(this.#now, next.at);
      this.#timers.shift();
      next.callback();
      await settle(this.#settleTurns);
    }
    this.#now = end;
    await settle(this.#settleTurns);
  }
}

/** Lets every promise that can settle without I/O do so. */
export async function settle(turns = SETTLE_TURNS): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}
