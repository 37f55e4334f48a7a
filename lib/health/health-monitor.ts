/** Whether a connected endpoint may take calls: the contract of every monitor. */
import type { Subchannel } from '../grpc/experimental.js';

export interface MonitoredEndpoint {
  /** `"ip:port"`, or `"[v6]:port"`. */
  readonly address: string;
  readonly subchannel: Subchannel;
}

export interface HealthMonitor {
  /**
   * Starts when the endpoint's subchannel is made, whatever its state. An endpoint is healthy until a monitor reports
   * otherwise, and takes calls while every monitor says that it is.
   *
   * @returns how to stop; no report may come after that.
   */
  watch(endpoint: MonitoredEndpoint, report: (healthy: boolean) => void): () => void;
}
