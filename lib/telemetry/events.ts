/**
 * What happened, as one closed union. Events are emitted once, where things happen; counters, channel events, diagnostics
 * channels and log lines only listen. No event is emitted for a call: the call path stays free of them.
 */
import type { Address } from '../address.js';
import type { DnsError, HeadlessError } from '../errors.js';
import type { DiscoveryStatus, Ejection, EndpointSnapshot } from './snapshot.js';

export type TelemetryEvent = NameEvent | TargetEvent;

/** Of a name that is asked for. All channels of the name and the same settings share them. */
export type NameEvent = DnsEvent | PollEvent;

/** Of one channel. */
export type TargetEvent = ChannelEvent | EndpointEvent;

export type Transport = 'udp' | 'tcp' | 'lookup';

/** One question to one DNS server. */
export type DnsEvent =
  | { readonly kind: 'query_sent'; readonly transport: Transport }
  /** A valid response, whatever its RCODE; that by name, as `NXDOMAIN`. */
  | { readonly kind: 'response_received'; readonly transport: Transport; readonly rcode: string }
  /** `lookup`: the user's own function threw, or returned something else than its type says; `timeout` where it took too long. */
  | {
      readonly kind: 'query_failed';
      readonly transport: Transport;
      readonly reason: 'timeout' | 'unreachable' | 'malformed' | 'lookup';
    }
  /** Over UDP: too short, not a response, another opcode, not one question, or from another address. */
  | { readonly kind: 'datagram_dropped' }
  /** A response with another id: it may be forged, so the question goes to TCP. */
  | { readonly kind: 'id_mismatch' }
  | { readonly kind: 'question_mismatch' }
  /** TC over UDP: asked again over TCP. */
  | { readonly kind: 'response_truncated' }
  /** FORMERR or BADVERS: asked again without EDNS. */
  | { readonly kind: 'edns_withdrawn' }
  /** Addresses that no connection can be opened to (unspecified, multicast, broadcast), left out. */
  | { readonly kind: 'addresses_refused'; readonly count: number };

/** One poll of a name, which may take several queries. */
export type PollEvent =
  | { readonly kind: 'poll_started' }
  /** A lost connection or `refresh()` moved the next poll forward. */
  | { readonly kind: 'poll_moved_forward' }
  | {
      readonly kind: 'poll_settled';
      /** `empty`: NXDOMAIN or NODATA. */
      readonly result: 'addresses' | 'empty' | 'failed';
      /** The set is another one than before. */
      readonly changed: boolean;
      /** From the start of the poll, with all its queries. */
      readonly durationMs: number;
    };

/** The channel's own life, and what it was told. */
export type ChannelEvent =
  /** It was made. Or it was idle, and is in use again: only where grpc-js made it, and no answer had come before. */
  | { readonly kind: 'channel_opened' }
  | { readonly kind: 'channel_closed' }
  /** Whole set, after the filters. */
  | { readonly kind: 'addresses_changed'; readonly addresses: readonly Address[] }
  | {
      readonly kind: 'resolution_failed';
      readonly error: DnsError;
      /** In a row. */
      readonly failures: number;
      /** Addresses that stay in use. */
      readonly kept: number;
    }
  /**
   * `active`: DNS has no name for the zone, and pods of every zone are used alike from now on. Not active: it has one
   * again.
   */
  | { readonly kind: 'zone_fallback'; readonly zone: string; readonly active: boolean }
  /** With the option `source`: the set comes from another source than before. `error` is why DNS is used, else null. */
  | {
      readonly kind: 'source_changed';
      readonly source: NonNullable<DiscoveryStatus['source']>;
      readonly error: HeadlessError | null;
    }
  /** Endpoints hold more than their share of streams. Told only where someone asked for it. */
  | {
      readonly kind: 'streams_uneven';
      readonly share: number;
      readonly endpoints: readonly { readonly address: string; readonly streams: number; readonly excess: number }[];
    };

/** `address` is `"ip:port"`, or `"[v6]:port"`. */
export type EndpointEvent =
  | { readonly kind: 'connected'; readonly address: string }
  /** An attempt to connect failed. `error` is grpc-js's message. */
  | { readonly kind: 'connection_failed'; readonly address: string; readonly error: string }
  /** The connection of a pod in the set broke or was closed by the pod. */
  | { readonly kind: 'connection_lost'; readonly address: string }
  | { readonly kind: 'drain_started'; readonly address: string }
  /** A draining pod came back and kept its connection. */
  | { readonly kind: 'drain_cancelled'; readonly address: string }
  /** `drain.timeoutMs` passed, and so many calls were ended. */
  | { readonly kind: 'drain_timed_out'; readonly address: string; readonly calls: number }
  | { readonly kind: 'ejected'; readonly address: string; readonly ejection: Ejection }
  /** An ejected pod takes calls again. */
  | { readonly kind: 'ejection_ended'; readonly address: string }
  /** The pod's answer to its health check is another one than before. */
  | {
      readonly kind: 'health_changed';
      readonly address: string;
      readonly health: NonNullable<EndpointSnapshot['health']>;
    }
  /** Servers have no health service, and are taken for healthy. `address`: the first of them. Told once for a channel. */
  | { readonly kind: 'health_unimplemented'; readonly address: string }
  /** The stream of health answers broke. The pod is asked again in `retryMs`. */
  | {
      readonly kind: 'health_watch_failed';
      readonly address: string;
      /** gRPC's status code, as a number. */
      readonly code: number;
      readonly details: string;
      readonly retryMs: number;
    }
  /**
   * `active`: no pod of the set may take calls, so those that are connected take them all the same, although they are
   * ejected or say that they are not serving. Not active: that has ended, and `addresses` is empty.
   */
  | { readonly kind: 'panic'; readonly active: boolean; readonly addresses: readonly string[] };

/** Must not throw. */
export type Emit = (event: TelemetryEvent) => void;

/** One `Emit` that tells all of these, in order. */
export function emitToAll(subscribers: readonly Emit[]): Emit {
  return (event) => {
    for (const emit of subscribers) emit(event);
  };
}
