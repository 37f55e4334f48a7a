/**
 * A queue of events by time, for simulations with tens of thousands of timers: a binary heap, so that adding an event
 * and taking the next one cost O(log n). Of two events at one moment, the one that was added first comes first.
 */

export interface QueuedEvent {
  readonly at: number;
  /** Counts the events added. */
  readonly order: number;
  readonly callback: () => void;
  /** A cancelled event stays in the heap until its time comes, and is left out then. */
  cancelled: boolean;
}

export class EventQueue {
  readonly #heap: QueuedEvent[] = [];
  #added = 0;

  /** When the next event is due, cancelled or not; undefined where there is none. */
  get nextAt(): number | undefined {
    return this.#heap[0]?.at;
  }

  add(at: number, callback: () => void): QueuedEvent {
    const event: QueuedEvent = { at, order: this.#added++, callback, cancelled: false };
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as QueuedEvent;
      if (!precedes(event, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
    return event;
  }

  /** Removes and returns the next event, cancelled ones included. */
  take(): QueuedEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && precedes(right, heap[child] as QueuedEvent)) child += 1;
      const below = heap[child] as QueuedEvent;
      if (!precedes(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function precedes(a: QueuedEvent, b: QueuedEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
