/**
 * grpc-headless: gRPC client-side load balancing over a Kubernetes headless Service, by DNS alone.
 *
 * @module grpc-headless
 */
export { HeadlessChannel, type HeadlessChannelOptions } from './channel.js';
export {
  type ClientConstructor,
  createHeadlessClient,
  type HeadlessClient,
  type HeadlessClientOptions,
} from './client.js';
export type { AddressSourceFactory } from './discovery/address-source.js';
export type { Lookup, LookupResult } from './dns/lookup-resolver.js';
export { ConnectionError, DnsError, type DnsErrorCode, HeadlessError, type HeadlessErrorCode } from './errors.js';
export type { BalancePolicy, HeadlessOptions } from './options.js';
export { type ReopenableCall, type ReopeningOptions, ReopeningStream } from './reopening-stream.js';
export type {
  DnsFailureEvent,
  EjectionEvent,
  HeadlessEvents,
  HeadlessListener,
  HealthEvent,
  ImbalanceEvent,
  PanicEvent,
  SourceEvent,
  UpdateEvent,
  ZoneFallbackEvent,
} from './telemetry/channel-events.js';
export type { DiagnosticsMessages } from './telemetry/diagnostics-channels.js';
export { type ChannelView, channels } from './telemetry/open-channels.js';
export type {
  CacheStatus,
  DiscoveryStatus,
  DnsStatus,
  Ejection,
  EndpointSnapshot,
  Snapshot,
  SnapshotCounters,
  ZoneStatus,
} from './telemetry/snapshot.js';
