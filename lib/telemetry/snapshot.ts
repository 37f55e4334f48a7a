/** A channel's state at one moment, as plain JSON-able data: for people and metrics, never for the call path. */
import type { EndpointSnapshot } from '../balancer/endpoint.js';
import type { DnsStatus, PollerCounters } from '../discovery/poller.js';
import type { DnsCounters } from '../dns/resolution.js';
import type { BalancerCounters } from '../grpc/channel-context.js';

export type { EndpointSnapshot } from '../balancer/endpoint.js';

/** Only ever count up. Those of DNS and of the polls are shared by all channels of the same name and settings. */
export type SnapshotCounters = PollerCounters & DnsCounters & BalancerCounters;

export interface Snapshot {
  /** As `getTarget()` returns it. */
  readonly target: string;
  /** gRPC's connectivity state. */
  readonly state: 'IDLE' | 'CONNECTING' | 'READY' | 'TRANSIENT_FAILURE' | 'SHUTDOWN';
  readonly endpoints: readonly EndpointSnapshot[];
  readonly dns: DnsStatus;
  readonly counters: SnapshotCounters;
}
