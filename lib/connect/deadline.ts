/**
 * The deadline of one call, and the signal that ends the call: the caller's own, or the deadline's.
 *
 * While grpc-js has the call, grpc-js ends it at the deadline, because its status says what the call waited for. At any
 * other time, such as while an interceptor waits, the signal alone ends it.
 */
import { Code, ConnectError } from '@connectrpc/connect';
import { type Clock, MAX_TIMER_MS, type Timer } from '../runtime.js';

export class CallDeadline {
  /** When, in milliseconds since the epoch, as grpc-js takes it. */
  readonly at: number;
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #caller: AbortSignal | undefined;
  readonly #timer: Timer | null;
  #timerFired = false;
  /** Calls of grpc-js under way: interceptors may make several of one call. */
  #underWay = 0;
  #error: ConnectError | null = null;

  /** @param timeoutMs undefined for no deadline. */
  constructor(timeoutMs: number | undefined, caller: AbortSignal | undefined, clock: Clock) {
    this.at = timeoutMs === undefined ? Number.POSITIVE_INFINITY : clock.wallTime() + timeoutMs;
    this.#timer =
      timeoutMs === undefined || timeoutMs > MAX_TIMER_MS ? null : clock.setTimer(timeoutMs, () => this.#onTimer());
    this.#clock = clock;
    this.#caller = caller;
    if (caller?.aborted) this.#onAbort();
    else caller?.addEventListener('abort', this.#onAbort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get hasPassed(): boolean {
    return this.#clock.wallTime() >= this.at;
  }

  onCallStarted(): void {
    this.#underWay += 1;
  }

  /** @param error of a call that grpc-js ended; null where it went well. */
  onCallEnded(error: ConnectError | null): void {
    this.#underWay -= 1;
    if (error?.code === Code.DeadlineExceeded) this.#error = error;
    if (this.#timerFired && this.#underWay === 0) this.#expire();
  }

  /** Idempotent. */
  release(): void {
    this.#timer?.cancel();
    this.#caller?.removeEventListener('abort', this.#onAbort);
  }

  #onTimer(): void {
    this.#timerFired = true;
    if (this.#underWay === 0) this.#expire();
  }

  #expire(): void {
    this.#controller.abort(this.#error ?? new ConnectError('the operation timed out', Code.DeadlineExceeded));
  }

  readonly #onAbort = (): void => this.#controller.abort(this.#caller?.reason);
}
