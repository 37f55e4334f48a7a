/**
 * What outlier ejection remembers of one endpoint: the results of its calls, and whether it is ejected. It decides
 * nothing about other endpoints.
 *
 * An endpoint whose ejection has ended is on trial. Its first call goes alone: while that is in flight the endpoint gets no
 * other. If it succeeds the endpoint is back; if it fails the endpoint is ejected again, for longer.
 */
import { connectivityState, status } from '@grpc/grpc-js';
import type { Clock, Timer } from '../runtime.js';
import type { Ejection } from '../telemetry/snapshot.js';
import type { CallObserver, MonitoredEndpoint, ReportHealth } from './health-monitor.js';

type Phase =
  /** Takes calls. */
  | { readonly kind: 'in' }
  | { readonly kind: 'ejected'; readonly timer: Timer }
  /** The ejection has ended, and no call has been sent since. */
  | { readonly kind: 'returning' }
  /** One call is in flight. The timer ends the wait for it: it may be a stream that stays open. */
  | { readonly kind: 'trial'; readonly timer: Timer }
  /** The call of the trial took too long: the endpoint takes calls, and its first result decides. */
  | { readonly kind: 'undecided' };

export interface OutlierRecordContext {
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Codes that count as failures. */
  readonly failures: ReadonlySet<status>;
  /** How long the other calls wait for that of a trial. */
  readonly trialMs: number;
  /** The record has one more failure in a row. */
  onFailure(record: OutlierRecord, code: status): void;
  /** Whether others take calls, so that this one may do without them for a while. */
  canSpare(record: OutlierRecord): boolean;
  /** The ejection has ended. */
  onReturned(record: OutlierRecord): void;
}

export class OutlierRecord implements CallObserver {
  readonly endpoint: MonitoredEndpoint;
  /** Failures since the last success. */
  consecutive = 0;
  /** Calls of the current interval. */
  succeeded = 0;
  failed = 0;
  /** gRFC A50's multiplier of the ejection time: one more at each ejection, one less in each interval without. */
  ejections = 0;
  readonly #report: ReportHealth;
  readonly #context: OutlierRecordContext;
  #phase: Phase = { kind: 'in' };

  constructor(endpoint: MonitoredEndpoint, report: ReportHealth, context: OutlierRecordContext) {
    this.endpoint = endpoint;
    this.#report = report;
    this.#context = context;
  }

  /** Ejected, or kept from calls by its trial. */
  get isOut(): boolean {
    return this.#phase.kind === 'ejected' || this.#phase.kind === 'trial';
  }

  get isEjected(): boolean {
    return this.#phase.kind === 'ejected';
  }

  /** Its ejection has ended, and no call has succeeded since. */
  get isOnTrial(): boolean {
    return this.#phase.kind === 'returning' || this.#phase.kind === 'trial' || this.#phase.kind === 'undecided';
  }

  /** Of the set, connected, and not ejected. */
  get takesCalls(): boolean {
    const { listed, subchannel } = this.endpoint;
    return listed && !this.isOut && subchannel.getConnectivityState() === connectivityState.READY;
  }

  eject(durationMs: number, ejection: Ejection): void {
    this.#enter({ kind: 'ejected', timer: this.#context.clock.setTimer(durationMs, () => this.#return()) });
    this.consecutive = 0;
    this.#report(false, { ejected: ejection });
  }

  onStarted(): void {
    if (this.#phase.kind !== 'returning') return;
    const { clock, trialMs } = this.#context;
    if (!this.#context.canSpare(this)) {
      this.#enter({ kind: 'undecided' });
      return;
    }
    const timer = clock.setTimer(trialMs, () => {
      this.#enter({ kind: 'undecided' });
      this.#report(true);
    });
    this.#enter({ kind: 'trial', timer });
    this.#report(false);
  }

  onEnded(code: status): void {
    // Calls that were in flight at the ejection are no news. A cancelled call says nothing about its server.
    if (this.#phase.kind === 'ejected' || code === status.CANCELLED) return;
    if (this.#context.failures.has(code)) {
      this.failed += 1;
      this.consecutive += 1;
      this.#context.onFailure(this, code);
      return;
    }
    this.succeeded += 1;
    this.consecutive = 0;
    if (this.#phase.kind !== 'in') this.#passTrial();
  }

  /** The next interval begins. */
  startInterval(): void {
    this.succeeded = 0;
    this.failed = 0;
    if (this.#phase.kind === 'in' && this.ejections > 0) this.ejections -= 1;
  }

  stop(): void {
    this.#enter({ kind: 'in' });
  }

  #passTrial(): void {
    const wasOut = this.isOut;
    this.#enter({ kind: 'in' });
    if (wasOut) this.#report(true);
  }

  #return(): void {
    this.#enter({ kind: 'returning' });
    this.#context.onReturned(this);
    this.#report(true, { ejected: null });
  }

  #enter(phase: Phase): void {
    if (this.#phase.kind === 'ejected' || this.#phase.kind === 'trial') this.#phase.timer.cancel();
    this.#phase = phase;
  }
}
