/** Whether a connected endpoint may take calls: the contract of every monitor. */
import type { status } from '@grpc/grpc-js';
import type { Subchannel } from '../grpc/experimental.js';
import type { EndpointSnapshot } from '../telemetry/snapshot.js';

export interface MonitoredEndpoint {
  /** `"ip:port"`, or `"[v6]:port"`. */
  readonly address: string;
  /** The `:authority` of the channel's calls. */
  readonly authority: string;
  readonly subchannel: Subchannel;
  /** It is in the set: false while it drains. */
  readonly listed: boolean;
  /** From now on the observer is told of every call. Endpoints without an observer do no work for it. */
  observeCalls(observer: CallObserver): void;
}

export interface CallObserver {
  /** A call was sent. */
  onStarted(): void;
  /** A call that was sent has ended. */
  onEnded(code: status): void;
}

/** What a monitor adds to the endpoint's snapshot. */
export type ShownHealth = Partial<Pick<EndpointSnapshot, 'health' | 'ejected'>>;

/**
 * @param healthy null: not known yet. Such an endpoint takes no calls, and counts as one that still connects.
 * @param shown is merged into what the snapshot shows.
 */
export type ReportHealth = (healthy: boolean | null, shown?: ShownHealth) => void;

export interface HealthMonitor {
  /** An endpoint that it reports unhealthy takes no calls, even where no other one can: no panic. Default false. */
  readonly binding?: boolean;
  /**
   * Starts when the endpoint's subchannel is made, whatever its state. An endpoint is healthy until a monitor reports
   * otherwise, and takes calls while every monitor says that it is.
   *
   * @returns how to stop; no report may come after that.
   */
  watch(endpoint: MonitoredEndpoint, report: ReportHealth): () => void;
}
