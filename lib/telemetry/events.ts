/**
 * What happened, as one closed union. Events are emitted once, where things happen; counters, channel events, diagnostics
 * channels and log lines only listen. No event is emitted for a call: the call path stays free of them.
 */
import type { Address } from '../address.js';
import type { DnsError } from '../errors.js';

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
  /** `lookup`: the user's own function threw, or returned something else than its type says. */
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
  | { readonly kind: 'drain_timed_out'; readonly address: string; readonly calls: number };

/** Must not throw. */
export type Emit = (event: TelemetryEvent) => void;

/** One `Emit` that tells all of these, in order. */
export function emitToAll(subscribers: readonly Emit[]): Emit {
  return (event) => {
    for (const emit of subscribers) emit(event);
  };
}
