/** A clock that moves only when told to, and the means to wait until code under test has parked on it. */
import type { Clock, Timer } from '../../lib/runtime.js';

interface Parked {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  #now = 1_000;
  #wallOffset = 1_700_000_000_000;
  #order = 0;
  readonly #parked = new Set<Parked>();

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#wallOffset + this.#now;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const parked: Parked = { at: this.#now + Math.max(0, delayMs), order: this.#order++, callback };
    this.#parked.add(parked);
    return { cancel: () => void this.#parked.delete(parked) };
  }

  setTurn(callback: () => void): Timer {
    return this.setTimer(0, callback);
  }

  /** Timers set and neither fired nor cancelled. */
  get timers(): number {
    return this.#parked.size;
  }

  /** Milliseconds until the next timer fires; undefined when none is set. */
  get nextIn(): number | undefined {
    const next = this.#next();
    return next && next.at - this.#now;
  }

  /** The wall clock alone jumps, as under NTP or an operator's hand. */
  jumpWallTime(ms: number): void {
    this.#wallOffset += ms;
  }

  /** Moves time on, firing what falls due in order, and lets promises settle after each timer. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(); next && next.at <= end; next = this.#next()) {
      this.#now = next.at;
      this.#parked.delete(next);
      next.callback();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  #next(): Parked | undefined {
    let first: Parked | undefined;
    for (const parked of this.#parked)
      if (!first || parked.at < first.at || (parked.at === first.at && parked.order < first.order)) first = parked;
    return first;
  }
}

/** Lets every promise that can settle without I/O do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
