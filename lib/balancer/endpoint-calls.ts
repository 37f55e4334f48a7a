/** The calls of one endpoint: how many there were, which of them count as load, and those that are open. */
import { status } from '@grpc/grpc-js';
import type { PickResult, Subchannel } from '../grpc/experimental.js';
import type { CallObserver } from '../health/health-monitor.js';
import { QUEUE } from '../picker/static-pickers.js';
import type { Clock } from '../runtime.js';
import type { CallCounters } from '../telemetry/counters.js';
import type { CallCounts } from '../telemetry/released-pods.js';
import { OpenCalls } from './open-calls.js';
import { OutstandingCalls } from './outstanding-calls.js';

export interface EndpointCallsContext {
  readonly clock: Pick<Clock, 'now'>;
  /** Of all endpoints of the channel. */
  readonly totals: CallCounters;
  /** Told of every call, after it was counted here. */
  readonly observer: CallObserver;
  /** Why no call may begin at this moment; null where it may. Asked for calls that are kept account of. */
  refusal(): string | null;
  /** The last call in flight has ended. */
  onIdle(): void;
}

export class EndpointCalls implements CallObserver {
  readonly #context: EndpointCallsContext;
  /** Made with the subchannel. */
  #outstanding: OutstandingCalls | null = null;
  /** null where calls are only counted. */
  #open: OpenCalls | null = null;
  #started = 0;
  #succeeded = 0;
  #failed = 0;

  constructor(context: EndpointCallsContext) {
    this.#context = context;
  }

  attach(subchannel: Subchannel): void {
    this.#outstanding = new OutstandingCalls(subchannel, this);
  }

  get pickResult(): PickResult {
    return this.#outstanding?.pickResult ?? QUEUE;
  }

  get inFlight(): number {
    return this.#outstanding?.total ?? 0;
  }

  load(turn: number): number {
    return this.#outstanding?.load(turn) ?? 0;
  }

  get setAside(): number {
    return this.#outstanding?.setAside ?? 0;
  }

  recordTurn(otherOutstanding: number): boolean {
    return this.#outstanding?.recordTurn(otherOutstanding) ?? false;
  }

  recordPick(turn: number): void {
    this.#outstanding?.recordPick(turn);
  }

  get counts(): CallCounts {
    return { inFlight: this.inFlight, started: this.#started, succeeded: this.#succeeded, failed: this.#failed };
  }

  /** From now on each call is kept account of. Does nothing before `attach`; idempotent. */
  track(subchannel: Subchannel): void {
    if (this.#open || !this.#outstanding) return;
    this.#open = new OpenCalls(subchannel, this.#context.clock, () => this.#context.refusal());
    this.#outstanding.subchannel = this.#open.subchannel;
  }

  /** Calls that have been open for so long, as far as they were kept account of. */
  openFor(ageMs: number): number {
    return this.#open?.openFor(ageMs) ?? 0;
  }

  /** Ends the open calls, as far as they were kept account of, and says how many there were. */
  endAll(details: string): number {
    return this.#open?.endAll(status.UNAVAILABLE, details) ?? 0;
  }

  onStarted(): void {
    const { totals, observer } = this.#context;
    this.#started += 1;
    totals.callsStarted += 1;
    observer.onStarted();
  }

  onEnded(code: status): void {
    const { totals, observer } = this.#context;
    if (code === status.OK) {
      this.#succeeded += 1;
      totals.callsSucceeded += 1;
    } else {
      this.#failed += 1;
      totals.callsFailed += 1;
    }
    observer.onEnded(code);
    if (this.inFlight === 0) this.#context.onIdle();
  }
}
