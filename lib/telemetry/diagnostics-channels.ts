/**
 * A subscriber that publishes each event on a channel of `node:diagnostics_channel`, named `grpc-headless:KIND`. An event
 * without a listener costs one look at its channel.
 */
import { type Channel, channel } from 'node:diagnostics_channel';
import type { Emit, NameEvent, TargetEvent, TelemetryEvent } from './events.js';

/** Whose events: a channel's by its target, or those of a name that is asked for, as the user wrote it. */
export type Subject = { readonly target: string } | { readonly name: string };

/** What listeners of each channel get: the event with its `target`, or with its `name`. */
export type DiagnosticsMessages = {
  readonly [E in TargetEvent as `grpc-headless:${E['kind']}`]: E & {
    /** Of the channel, as `getTarget()` returns it. */
    readonly target: string;
  };
} & {
  readonly [E in NameEvent as `grpc-headless:${E['kind']}`]: E & {
    /** The name that is asked for, as the user wrote it. */
    readonly name: string;
  };
};

type ByKind = Readonly<Record<TelemetryEvent['kind'], Channel>>;

export const CHANNELS: ByKind = {
  query_sent: channel('grpc-headless:query_sent'),
  response_received: channel('grpc-headless:response_received'),
  query_failed: channel('grpc-headless:query_failed'),
  datagram_dropped: channel('grpc-headless:datagram_dropped'),
  id_mismatch: channel('grpc-headless:id_mismatch'),
  question_mismatch: channel('grpc-headless:question_mismatch'),
  response_truncated: channel('grpc-headless:response_truncated'),
  edns_withdrawn: channel('grpc-headless:edns_withdrawn'),
  addresses_refused: channel('grpc-headless:addresses_refused'),
  poll_started: channel('grpc-headless:poll_started'),
  poll_moved_forward: channel('grpc-headless:poll_moved_forward'),
  poll_settled: channel('grpc-headless:poll_settled'),
  channel_opened: channel('grpc-headless:channel_opened'),
  channel_closed: channel('grpc-headless:channel_closed'),
  addresses_changed: channel('grpc-headless:addresses_changed'),
  resolution_failed: channel('grpc-headless:resolution_failed'),
  zone_fallback: channel('grpc-headless:zone_fallback'),
  source_changed: channel('grpc-headless:source_changed'),
  streams_uneven: channel('grpc-headless:streams_uneven'),
  connected: channel('grpc-headless:connected'),
  connection_failed: channel('grpc-headless:connection_failed'),
  connection_lost: channel('grpc-headless:connection_lost'),
  drain_started: channel('grpc-headless:drain_started'),
  drain_cancelled: channel('grpc-headless:drain_cancelled'),
  drain_timed_out: channel('grpc-headless:drain_timed_out'),
  ejected: channel('grpc-headless:ejected'),
  ejection_ended: channel('grpc-headless:ejection_ended'),
  health_changed: channel('grpc-headless:health_changed'),
  health_unimplemented: channel('grpc-headless:health_unimplemented'),
  health_watch_failed: channel('grpc-headless:health_watch_failed'),
  panic: channel('grpc-headless:panic'),
};

/** A listener that throws stops nothing: Node raises its error as an uncaught exception afterwards. */
export function publishTo(subject: Subject): Emit {
  return (event) => {
    const channel = CHANNELS[event.kind];
    if (channel.hasSubscribers) channel.publish({ ...subject, ...event });
  };
}
