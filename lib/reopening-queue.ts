/**
 * Moves streams of one channel from pods that hold more than their share of them, a few at a time: a fleet of clients that
 * sees the same scale-up must not open thousands of streams in the same moment.
 */
import type { HeadlessChannel } from './channel.js';
import { MAX_TIMER_MS, type Random, type Runtime, type Timer } from './runtime.js';
import type { ImbalanceEvent } from './telemetry/channel-events.js';

/** A stream that can be opened anew. */
export interface Movable {
  /** `"ip:port"` of the pod that it is on; null where that is not known, or where it has ended. */
  readonly pod: string | null;
  /** Least time between two reopenings. */
  readonly intervalMs: number;
  reopen(): void;
}

export type ImbalanceSource = Pick<HeadlessChannel, 'on' | 'off'>;

/** The first reopening waits for a random part of this, so that the clients of a fleet do not begin together. */
const FIRST_MS = 3_000;
/**
 * None is begun later than this after the event: the next event comes 10 s after this one, and by then streams have to be
 * open for a second to be counted where they are.
 */
const WINDOW_MS = 8_000;

const queues = new WeakMap<ImbalanceSource, ReopeningQueue>();

export class ReopeningQueue {
  readonly #channel: ImbalanceSource;
  readonly #runtime: Runtime;
  readonly #streams = new Set<Movable>();
  /** Streams to move, with the pod to leave. */
  #waiting: [stream: Movable, pod: string][] = [];
  #until = 0;
  #timer: Timer | null = null;

  /** The one queue of a channel. */
  static of(channel: ImbalanceSource, runtime: Runtime): ReopeningQueue {
    const queue = queues.get(channel) ?? new ReopeningQueue(channel, runtime);
    queues.set(channel, queue);
    return queue;
  }

  private constructor(channel: ImbalanceSource, runtime: Runtime) {
    this.#channel = channel;
    this.#runtime = runtime;
  }

  /** To be called before the stream is opened: the channel counts what begins from then on. */
  add(stream: Movable): void {
    if (this.#streams.size === 0) this.#channel.on('imbalance', this.#onImbalance);
    this.#streams.add(stream);
  }

  delete(stream: Movable): void {
    if (!this.#streams.delete(stream) || this.#streams.size > 0) return;
    this.#channel.off('imbalance', this.#onImbalance);
    this.#timer?.cancel();
    this.#timer = null;
  }

  readonly #onImbalance = ({ endpoints }: ImbalanceEvent): void => {
    const { random, clock } = this.#runtime;
    const chosen = endpoints.flatMap(({ address, excess }) => {
      const there = [...this.#streams].filter(({ pod }) => pod === address);
      return shuffled(there, random)
        .slice(0, excess)
        .map((stream): [Movable, string] => [stream, address]);
    });
    this.#waiting = shuffled(chosen, random);
    this.#until = clock.now() + WINDOW_MS;
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#waiting.length > 0) this.#wait(random() * FIRST_MS);
  };

  #wait(delayMs: number): void {
    this.#timer = this.#runtime.clock.setTimer(delayMs, () => this.#moveNext());
  }

  #moveNext(): void {
    const { random, clock } = this.#runtime;
    this.#timer = null;
    const next = this.#waiting.pop();
    if (!next || clock.now() > this.#until) return;
    const [stream, pod] = next;
    // It may have been closed, or have moved by itself, meanwhile.
    if (this.#streams.has(stream) && stream.pod === pod) move(stream);
    this.#wait(Math.min(stream.intervalMs * (1 + random()), MAX_TIMER_MS));
  }
}

/** A stream that cannot be opened anew, for instance because the channel is closed, stays where it is. */
function move(stream: Movable): void {
  try {
    stream.reopen();
  } catch {
    // The next event chooses again.
  }
}

/** Fisher-Yates. */
function shuffled<T>(list: readonly T[], random: Random): T[] {
  const copy = [...list];
  for (let last = copy.length - 1; last > 0; last--) {
    const place = Math.floor(random() * (last + 1));
    [copy[last], copy[place]] = [copy[place] as T, copy[last] as T];
  }
  return copy;
}
