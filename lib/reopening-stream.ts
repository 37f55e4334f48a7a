/** A long stream that moves to another pod when its own holds more than its share of streams, as after a scale-up. */
import { refuseValue } from './options/refusal.js';
import { type ImbalanceSource, type Movable, ReopeningQueue } from './reopening-queue.js';
import { type Runtime, systemRuntime } from './runtime.js';

/** What a stream's calls must have; every streaming call of grpc-js has it. */
export interface ReopenableCall {
  /** Ends the call with CANCELLED. */
  cancel(): void;
  /** `"ip:port"` once the server has sent its headers. */
  getPeer(): string;
  /** Adds a listener for the headers of the server, or for the end of the call. */
  once(event: 'metadata' | 'status', listener: () => void): unknown;
}

/** How fast streams of one channel are reopened. */
export interface ReopeningOptions {
  /**
   * Least milliseconds between two reopenings on one channel, to which up to as much again is added at random.
   * Default 100.
   */
  readonly intervalMs?: number | undefined;
}

const DEFAULT_INTERVAL_MS = 100;

/**
 * Opens a stream through a function of yours, and opens it anew when the channel tells that its pod holds more than its
 * share of streams (the event `imbalance`). The new call goes where the policy sends it. When its server has sent its
 * headers, the new call takes the place of the old one, which is cancelled: it ends with CANCELLED, and by then `current` is
 * another call. Streams that end by themselves are not opened anew: call `reopen()` when you want that.
 *
 * A server that sends no headers before its first message keeps its pod unknown to grpc-js until then: such a stream is
 * not moved before.
 */
export class ReopeningStream<C extends ReopenableCall> {
  readonly #open: () => C;
  readonly #queue: ReopeningQueue;
  readonly #movable: Movable;
  #current: C;
  /** Takes the place of the current call when its headers arrive. */
  #next: C | null = null;
  /** The current call has ended by itself. */
  #ended = false;
  #closed = false;

  /**
   * @param channel the channel of the stub that `open` uses.
   * @param open makes one call and adds its listeners; called at once, and for each reopening.
   * @param runtime time and randomness, for tests.
   * @throws {HeadlessError} `ERR_HEADLESS_OPTION`; whatever `open` throws.
   */
  constructor(
    channel: ImbalanceSource,
    open: () => C,
    options: ReopeningOptions = {},
    runtime: Runtime = systemRuntime,
  ) {
    const intervalMs = options.intervalMs ?? DEFAULT_INTERVAL_MS;
    if (!(typeof intervalMs === 'number' && intervalMs >= 0))
      throw refuseValue('intervalMs', intervalMs, 'must be milliseconds >= 0');
    this.#open = open;
    this.#queue = ReopeningQueue.of(channel, runtime);
    const pod = (): string | null => (this.#ended || this.#next ? null : this.#current.getPeer());
    this.#movable = {
      get pod() {
        return pod();
      },
      intervalMs,
      reopen: () => this.reopen(),
    };
    this.#queue.add(this.#movable);
    try {
      this.#current = this.#begin();
    } catch (error) {
      this.#queue.delete(this.#movable);
      throw error;
    }
  }

  /** The call in use: the one to write to, and the only one whose end means the end of the stream. */
  get current(): C {
    return this.#current;
  }

  /**
   * Opens a new call, which replaces the current one. Does nothing while another one is on its way, or after `close()`.
   *
   * @throws whatever `open` throws; the current call stays in use.
   */
  reopen(): void {
    if (this.#closed || this.#next) return;
    const next = this.#begin();
    if (this.#ended) {
      this.#current = next;
      this.#ended = false;
    } else this.#next = next;
  }

  /** Cancels the call and reopens no more. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.delete(this.#movable);
    this.#next?.cancel();
    this.#current.cancel();
  }

  #begin(): C {
    const call = this.#open();
    call.once('metadata', () => this.#onHeaders(call));
    call.once('status', () => this.#onEnd(call));
    return call;
  }

  #onHeaders(call: C): void {
    if (call !== this.#next) return;
    const replaced = this.#current;
    this.#next = null;
    this.#current = call;
    this.#ended = false;
    replaced.cancel();
  }

  #onEnd(call: C): void {
    // A new call that fails before its headers leaves the old one in use.
    if (call === this.#next) this.#next = null;
    else if (call === this.#current) this.#ended = true;
  }
}
