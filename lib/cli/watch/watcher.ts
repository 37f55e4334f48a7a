/**
 * Keeps a history up to date: takes a snapshot at a steady pace and right after each event of the channel, and tells its
 * listeners when there is something new.
 */
import type { HeadlessEvents, HeadlessListener, Snapshot } from '../../index.js';
import type { Clock, Timer } from '../../runtime.js';
import type { History } from './history.js';
import type { ChangeView } from './view.js';

/** What is watched: a `HeadlessChannel`, or what asks DNS alone. */
export interface Watched {
  snapshot(): Snapshot;
  on<E extends keyof HeadlessEvents>(event: E, listener: HeadlessListener<E>): unknown;
  off<E extends keyof HeadlessEvents>(event: E, listener: HeadlessListener<E>): unknown;
  /** Begins to ask DNS, and resolves with the first answer or its failure. */
  refresh(): Promise<void>;
  close(): void;
}

/** Called after every snapshot that showed something new, with the changes in order; there may be none. */
export type WatchListener = (changes: readonly ChangeView[]) => void;

/** After each of these a snapshot shows something new. */
const EVENTS = ['update', 'dnsFailure', 'zoneFallback', 'ejection', 'health', 'panic'] as const;
/** Short to a person's eye, and cheap. */
const SAMPLE_MS = 200;

export class Watcher {
  readonly history: History;
  readonly #watched: Watched;
  readonly #clock: Clock;
  readonly #listeners = new Set<WatchListener>();
  #timer: Timer | null = null;
  /** Set while a sample is due in the next turn. */
  #turn: Timer | null = null;
  #running = false;

  constructor(watched: Watched, history: History, clock: Clock) {
    this.#watched = watched;
    this.history = history;
    this.#clock = clock;
  }

  start(): void {
    this.#running = true;
    for (const event of EVENTS) this.#watched.on(event, this.#soon);
    this.#sample();
    this.#wait();
  }

  stop(): void {
    this.#running = false;
    for (const event of EVENTS) this.#watched.off(event, this.#soon);
    this.#timer?.cancel();
    this.#turn?.cancel();
  }

  /** Returns how to stop listening. */
  onChange(listener: WatchListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #wait(): void {
    this.#timer = this.#clock.setTimer(SAMPLE_MS, () => {
      this.#sample();
      if (this.#running) this.#wait();
    });
  }

  /** In the next turn of the event loop: the balancer acts on an answer after the channel has told of it. */
  readonly #soon = (): void => {
    this.#turn ??= this.#clock.setTurn(() => {
      this.#turn = null;
      this.#sample();
    });
  };

  #sample(): void {
    const { revision } = this.history;
    const changes = this.history.observe(this.#watched.snapshot(), this.#clock.wallTime());
    if (this.history.revision === revision) return;
    for (const listener of [...this.#listeners]) listener(changes);
  }
}
