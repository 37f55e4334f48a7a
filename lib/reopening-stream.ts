/** A long stream that moves to another pod when its own holds more than its share of streams, as after a scale-up. */
import { milliseconds } from './options/checks.js';
import type { Schema } from './options/entry.js';
import { readGroup } from './options/group.js';
import { refuseValue } from './options/refusal.js';
import { type ImbalanceSource, type Movable, ReopeningQueue } from './reopening-queue.js';
import { MAX_TIMER_MS, type Runtime, systemRuntime } from './runtime.js';

/** What a stream's calls must have; every streaming call of grpc-js has it. */
export interface ReopenableCall {
  /** Ends the call with CANCELLED. */
  cancel(): void;
  /** `"ip:port"` once the server has sent its headers. */
  getPeer(): string;
  /** Adds a listener for the headers of the server, or for the end of the call. */
  once(event: 'metadata' | 'status', listener: () => void): unknown;
  /** Adds a listener before all others. Where it is missing, `once` is used, and your listeners are called before it. */
  prependOnceListener?(event: 'error' | 'status', listener: () => void): unknown;
  /** How many listeners there are. */
  listenerCount?(event: 'error'): number;
}

/** How fast streams of one channel are reopened. */
export interface ReopeningOptions {
  /**
   * Least milliseconds between two reopenings on one channel, to which up to as much again is added at random; 0 to
   * 2147483647. Default 100.
   */
  readonly intervalMs?: number | undefined;
}

const OPTIONS = {
  intervalMs: {
    doc: 'Least milliseconds between two reopenings on one channel.',
    check: milliseconds(0, MAX_TIMER_MS),
    default: 100,
  },
} satisfies Schema<ReopeningOptions>;

/**
 * Opens a stream through a function of yours, and opens it anew when the channel tells that its pod holds more than its
 * share of streams (the event `imbalance`). The new call goes where the policy sends it. When its server has sent its
 * headers, the new call takes the place of the old one, which is cancelled: it ends with CANCELLED, and by then `current` is
 * another call. So it is where the old call ends before: the new one is `current` at once, before the listeners of `status` and
 * `error` that `open` added to the old one are called. Streams that end by themselves are not opened anew: call `reopen()` when
 * you want that.
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
   * @throws {HeadlessError} `ERR_HEADLESS_OPTION` for arguments and options that are wrong, and where `open` returns no call;
   *   whatever `open` throws.
   */
  constructor(
    channel: ImbalanceSource,
    open: () => C,
    options: ReopeningOptions = {},
    runtime: Runtime = systemRuntime,
  ) {
    const { intervalMs } = readGroup(OPTIONS, options, 'ReopeningStream');
    if (!hasMethods(channel, 'on', 'off'))
      throw refuseValue('ReopeningStream.channel', channel, 'must be a HeadlessChannel such as client.getChannel()');
    if (typeof open !== 'function')
      throw refuseValue('ReopeningStream.open', open, 'must be a function that makes a call and returns it');
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
   * Opens a new call, which replaces the current one: at once if that has ended, else when the server has sent its headers,
   * or when the current one ends. Does nothing while another one is on its way, or after `close()`.
   *
   * @throws {HeadlessError} `ERR_HEADLESS_OPTION` where `open` returns no call; whatever `open` throws. The current call stays
   *   in use.
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
    if (!hasMethods(call, 'cancel', 'getPeer', 'once'))
      throw refuseValue(
        'ReopeningStream.open',
        call,
        'must return the call that it made, such as client.Watch(request)',
      );
    const onStatus = (): void => this.#onEnd(call);
    call.once('metadata', () => this.#onHeaders(call));
    // Before the user's listeners, which ask for the current call. grpc-js emits `error` before `status`. Where nobody listens
    // to errors they must stay uncaught.
    if (call.prependOnceListener) call.prependOnceListener('status', onStatus);
    else call.once('status', onStatus);
    if (call.listenerCount?.('error')) call.prependOnceListener?.('error', () => this.#onError(call));
    return call;
  }

  #onHeaders(call: C): void {
    if (call === this.#next) this.#replace(call);
  }

  /** The call is about to end; a call that is on its way takes its place. */
  #onError(call: C): void {
    if (call === this.#current && this.#next) this.#replace(this.#next);
  }

  #onEnd(call: C): void {
    // A new call that fails before its headers leaves the old one in use.
    if (call === this.#next) this.#next = null;
    else if (call !== this.#current) return;
    else if (this.#next) this.#replace(this.#next);
    else this.#ended = true;
  }

  #replace(next: C): void {
    const replaced = this.#current;
    this.#next = null;
    this.#current = next;
    this.#ended = false;
    replaced.cancel();
  }
}

function hasMethods(value: unknown, ...names: string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}
