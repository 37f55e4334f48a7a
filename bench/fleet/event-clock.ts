/**
 * The Clock of a simulation: time jumps from event to event. After each event all promises settle before time moves on,
 * so that an event's consequences have set their timers by then. Nothing in the simulation may wait for real I/O.
 */
import type { Clock, Timer } from '../../lib/runtime.js';
import { EventQueue } from './event-queue.js';

export class EventClock implements Clock {
  readonly #queue = new EventQueue();
  #now = 0;

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
    const event = this.#queue.add(this.#now + Math.max(0, delayMs), callback);
    return {
      cancel: () => {
        event.cancelled = true;
      },
    };
  }

  /** Lets everything due up to `endMs` happen. */
  async run(endMs: number): Promise<void> {
    await settled();
    while ((this.#queue.nextAt ?? Number.POSITIVE_INFINITY) <= endMs) {
      const event = this.#queue.take();
      if (event === undefined || event.cancelled) continue;
      this.#now = event.at;
      event.callback();
      await settled();
    }
    this.#now = endMs;
  }
}

/** Every promise that can settle without I/O has done so before an immediate runs. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
