/** A channel's state at one moment, as plain JSON-able data: for people and metrics, never for the call path. */
import type { DnsErrorCode, HeadlessErrorCode } from '../errors.js';
import type { BalancerCounters, CallCounters, DiscoveryCounters } from './counters.js';

/**
 * Only ever count up. Those of DNS and of the polls are shared by all channels of the same name and settings.
 *
 * @interface
 */
export type SnapshotCounters = DiscoveryCounters & BalancerCounters & CallCounters;

/** What `snapshot()` returns. */
export interface Snapshot {
  /** As `getTarget()` returns it. */
  readonly target: string;
  /** gRPC's connectivity state. */
  readonly state: 'IDLE' | 'CONNECTING' | 'READY' | 'TRANSIENT_FAILURE' | 'SHUTDOWN';
  /**
   * The balancer that chooses the pods: `headless` is the one of this package; any other one is named by the
   * `loadBalancingConfig` in the channel option `grpc.service_config`.
   */
  readonly balancer: string;
  /** One for each pod. */
  readonly endpoints: readonly EndpointSnapshot[];
  /** Of the last answer of DNS, and what became of the queries since; it is not asked while another source is in use. */
  readonly dns: DnsStatus;
  /** Where the set comes from. Only with the option `source`. */
  readonly discovery?: DiscoveryStatus;
  /** Counts since the channel was made, or the process started to ask for the name. */
  readonly counters: SnapshotCounters;
}

/** Where the set of addresses comes from. Times are of the wall clock, in ms since the epoch. */
export interface DiscoveryStatus {
  /** null: nothing has answered yet, or the channel is idle. */
  readonly source: 'endpointslices' | 'dns' | null;
  /** When this became so. */
  readonly since: number | null;
  /** Why the EndpointSlices are not in use, or hold no endpoint that takes calls; null where neither is so. */
  readonly error: string | null;
  /** The `code` of the same error. */
  readonly errorCode: HeadlessErrorCode | null;
  /** Attempts to watch that failed in a row. */
  readonly failures: number;
  /** When the next attempt to watch is made; null while one is under way, or none is needed. */
  readonly nextAttemptAt: number | null;
}

/** One pod: its connection and its calls. */
export interface EndpointSnapshot {
  /** `"ip:port"`, or `"[v6]:port"`. */
  readonly address: string;
  /**
   * `backoff` from the first failed attempt until READY: retries in between do not show (gRFC A61's sticky failure).
   * `idle`, not connected and not connecting, occurs only where another balancer is in use, such as `pick_first`.
   */
  readonly state: 'connecting' | 'ready' | 'backoff' | 'draining' | 'idle';
  /** Calls under way; a stream counts until it ends. */
  readonly inFlight: number;
  /** Calls that were sent to the pod so far. */
  readonly started: number;
  /** Ended with status OK. */
  readonly succeeded: number;
  /** Ended with any other status. */
  readonly failed: number;
  /** When the state was entered: wall-clock ms since the epoch. */
  readonly since: number;
  /** The topology zone, where the option `zone` is set and DNS tells that the pod is in it. */
  readonly zone: string | null;
  /** Of its SRV record (RFC 2782), 0 to 65535; null where the target has a port of its own. */
  readonly weight: number | null;
  /** Why the last attempt to connect failed, in the words of grpc-js; null once it is connected. */
  readonly lastError: string | null;
  /**
   * The last answer to the health check, of this connection: gRPC's `ServingStatus`, or `UNIMPLEMENTED` for a server
   * without a health service, which counts as healthy. `UNKNOWN` before the first answer, too. null: the option `health` is
   * not set.
   */
  readonly health: 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN' | 'UNIMPLEMENTED' | null;
  /** null: not ejected, or the option `outlier` is not set. */
  readonly ejected: Ejection | null;
  /** Connections to the pod, where they are more than one (the option `balance.connections`); the counts are of all. */
  readonly connections?: number;
}

/** Why a pod gets no calls at the moment, although it is connected. Times are of the wall clock, in ms since the epoch. */
export interface Ejection {
  /** `failed_return`: it had been ejected before, and its first call after that failed. */
  readonly reason: 'consecutive_failures' | 'failure_percentage' | 'failed_return';
  /** The figures behind the reason, for people. */
  readonly details: string;
  /** When the ejection began. */
  readonly since: number;
  /** When it will take calls again. */
  readonly untilMs: number;
  /** How many times the base time it is ejected for, unless that is more than the longest time. */
  readonly ejections: number;
}

/** The last answer, for people and metrics. Times are of the wall clock, in ms since the epoch. */
export interface DnsStatus {
  /** The fully qualified name that was asked for last. */
  readonly name: string;
  /** `"ip:port"` of the server that answered last; null before the first answer, and with `dns.lookup`. */
  readonly server: string | null;
  /** How the last answer came; `lookup` is the user's own `dns.lookup`. */
  readonly transport: 'udp' | 'tcp' | 'lookup' | null;
  /** Of the last answer (RFC 1035 section 4.1.1), as `NOERROR` or `NXDOMAIN`. */
  readonly rcode: string | null;
  /** Of a named port, with ports. */
  readonly addresses: readonly string[];
  /** Of the last answer that had addresses. */
  readonly ttlMs: number | null;
  /** When it came. */
  readonly answeredAt: number | null;
  /** Milliseconds since then. */
  readonly ageMs: number | null;
  /** In a row. */
  readonly failures: number;
  /** Message of the last failure or empty answer; null since an answer brought addresses. */
  readonly error: string | null;
  /** The `code` of the same error. */
  readonly errorCode: DnsErrorCode | null;
  /** What is known of the DNS cache in front; null where TTLs are ignored (`refresh.ttl: 'ignore'`). */
  readonly cache: CacheStatus | null;
  /** When DNS will be asked next; null while no query is planned. */
  readonly nextQueryAt: number | null;
  /** null: the option `zone` is not set. */
  readonly zone: ZoneStatus | null;
}

/** What comes of the option `zone`. */
export interface ZoneStatus {
  /** As the option has it. */
  readonly name: string;
  /** As the option has it. */
  readonly mode: 'prefer' | 'pin';
  /** DNS has no name for the zone: pods of every zone are used alike. */
  readonly fallback: boolean;
}

/** What is known of a DNS cache between the client and the server of the zone. */
export interface CacheStatus {
  /** `unknown` until two answers have shown whether TTLs count down. */
  readonly state: 'unknown' | 'none' | 'present';
  /** The full TTL, as far as seen, in milliseconds; null before the first answer. */
  readonly ttlMs: number | null;
  /** Of each cache entry that is read (`phased`: up to four): milliseconds until it expires, negative where it has. */
  readonly expiresInMs: readonly number[];
}
