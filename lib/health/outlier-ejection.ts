/**
 * Outlier ejection: an endpoint whose calls fail gets no calls for a while (gRFC A50, Envoy). There are two rules.
 *
 * - So many failures in a row, at once (Envoy's "consecutive 5xx").
 * - So high a percentage of failed calls in one interval (gRFC A50's failure percentage), looked at as the interval ends.
 *
 * It does not use grpc-js's `outlier_detection`, which has no rule for failures in a row, counts every status but OK as a
 * failure, allocates for each pick, and keeps to itself whom it ejected, why, and for how long.
 */
import { status } from '@grpc/grpc-js';
import type { Runtime, Timer } from '../runtime.js';
import type { Emit } from '../telemetry/events.js';
import type { Ejection } from '../telemetry/snapshot.js';
import type { HealthMonitor, MonitoredEndpoint, ReportHealth } from './health-monitor.js';
import { OutlierRecord, type OutlierRecordContext } from './outlier-record.js';

export interface OutlierSettings {
  /** 0: no such rule. */
  readonly consecutiveFailures: number;
  /** 0: no such rule. */
  readonly failurePercentage: number;
  readonly intervalMs: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  readonly maxEjectionPercent: number;
  /** Names of the status codes that count as failures. */
  readonly codes: readonly string[];
}

/** Calls of an endpoint in one interval from which a percentage is taken: of fewer it means little. */
const LEAST_CALLS = 10;

export interface OutlierDependencies {
  readonly clock: Pick<Runtime['clock'], 'setTimer' | 'wallTime'>;
  readonly emit: Emit;
}

export class OutlierEjection implements HealthMonitor, OutlierRecordContext {
  readonly clock: OutlierDependencies['clock'];
  readonly failures: ReadonlySet<status>;
  readonly #settings: OutlierSettings;
  readonly #emit: Emit;
  readonly #records = new Set<OutlierRecord>();
  #interval: Timer | null = null;

  constructor(settings: OutlierSettings, { clock, emit }: OutlierDependencies) {
    this.clock = clock;
    this.failures = new Set(settings.codes.map((name) => status[name as keyof typeof status]));
    this.#settings = settings;
    this.#emit = emit;
  }

  get trialMs(): number {
    return this.#settings.baseEjectionMs;
  }

  watch(endpoint: MonitoredEndpoint, report: ReportHealth): () => void {
    const record = new OutlierRecord(endpoint, report, this);
    this.#records.add(record);
    endpoint.observeCalls(record);
    if (this.#interval === null) this.#startInterval();
    return () => {
      record.stop();
      this.#records.delete(record);
      if (this.#records.size > 0) return;
      this.#interval?.cancel();
      this.#interval = null;
    };
  }

  onFailure(record: OutlierRecord, code: status): void {
    const { consecutiveFailures } = this.#settings;
    const { consecutive } = record;
    if (record.isOnTrial) {
      this.#eject(record, 'failed_return', `its first call after an ejection ended with ${status[code]}`);
      return;
    }
    // Where it could not be ejected, it is looked at again after as many failures more.
    if (consecutiveFailures === 0 || consecutive % consecutiveFailures !== 0) return;
    this.#eject(record, 'consecutive_failures', `${consecutive} failures in a row, the last one ${status[code]}`);
  }

  canSpare(record: OutlierRecord): boolean {
    for (const other of this.#records) if (other !== record && other.takesCalls) return true;
    return false;
  }

  onReturned({ endpoint }: OutlierRecord): void {
    this.#emit({ kind: 'ejection_ended', address: endpoint.address });
  }

  #startInterval(): void {
    this.#interval = this.clock.setTimer(this.#settings.intervalMs, () => {
      this.#checkPercentages();
      for (const record of this.#records) record.startInterval();
      this.#startInterval();
    });
  }

  #checkPercentages(): void {
    const { failurePercentage } = this.#settings;
    if (failurePercentage === 0) return;
    const found = [...this.#records]
      .map((record) => ({ record, calls: record.failed + record.succeeded, failed: record.failed }))
      .filter(({ calls, failed }) => calls >= LEAST_CALLS && failed * 100 >= failurePercentage * calls)
      // Not all of them may be ejected: the worst come first.
      .sort((a, b) => b.failed / b.calls - a.failed / a.calls);
    for (const { record, calls, failed } of found)
      this.#eject(
        record,
        'failure_percentage',
        `${failed} of ${calls} calls failed in ${this.#settings.intervalMs} ms`,
      );
  }

  #eject(record: OutlierRecord, reason: Ejection['reason'], details: string): void {
    if (record.isEjected || !this.#mayEject(record)) return;
    const { baseEjectionMs, maxEjectionMs } = this.#settings;
    record.ejections += 1;
    const durationMs = Math.min(baseEjectionMs * record.ejections, Math.max(baseEjectionMs, maxEjectionMs));
    const since = this.clock.wallTime();
    const ejection = { reason, details, since, untilMs: since + durationMs, ejections: record.ejections };
    this.#emit({ kind: 'ejected', address: record.endpoint.address, ejection });
    record.eject(durationMs, ejection);
  }

  /** Another one takes calls, and no more than the allowed part of the set is ejected. */
  #mayEject(record: OutlierRecord): boolean {
    if (!record.endpoint.listed || !this.canSpare(record)) return false;
    let size = 0;
    let ejected = 1;
    for (const other of this.#records) {
      if (!other.endpoint.listed) continue;
      size += 1;
      if (other !== record && other.isOut) ejected += 1;
    }
    return ejected * 100 <= this.#settings.maxEjectionPercent * size;
  }
}
