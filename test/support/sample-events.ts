/** One telemetry event of each kind. */
import { DnsError, HeadlessError } from '../../lib/errors.js';
import type { NameEvent, TargetEvent, TelemetryEvent } from '../../lib/telemetry/events.js';

type ByKind<E extends TelemetryEvent> = { readonly [K in E['kind']]: Extract<E, { kind: K }> };

const error = new DnsError('ERR_HEADLESS_DNS_NXDOMAIN', 'A of "svc.ns": NXDOMAIN', { hostname: 'svc.ns' });
const address = '10.0.0.1:50051';

export const TARGET_EVENTS: ByKind<TargetEvent> = {
  channel_opened: { kind: 'channel_opened' },
  channel_closed: { kind: 'channel_closed' },
  addresses_changed: {
    kind: 'addresses_changed',
    addresses: [
      { host: '10.0.0.1', port: 50_051 },
      { host: 'fd00::1', port: 50_051 },
    ],
  },
  resolution_failed: { kind: 'resolution_failed', error, failures: 2, kept: 3 },
  zone_fallback: { kind: 'zone_fallback', zone: 'eu-1a', active: true },
  source_changed: {
    kind: 'source_changed',
    source: 'dns',
    error: new HeadlessError('ERR_HEADLESS_WATCH', 'watching the EndpointSlices of shop/hello failed: 403 forbidden'),
  },
  streams_uneven: { kind: 'streams_uneven', share: 2, endpoints: [{ address, streams: 4, excess: 2 }] },
  connected: { kind: 'connected', address },
  connection_failed: { kind: 'connection_failed', address, error: 'ECONNREFUSED' },
  connection_lost: { kind: 'connection_lost', address },
  drain_started: { kind: 'drain_started', address },
  drain_cancelled: { kind: 'drain_cancelled', address },
  drain_timed_out: { kind: 'drain_timed_out', address, calls: 2 },
  ejected: {
    kind: 'ejected',
    address,
    ejection: {
      reason: 'consecutive_failures',
      details: '5 failures in a row, the last one UNAVAILABLE',
      since: 1_000,
      untilMs: 11_000,
      ejections: 1,
    },
  },
  ejection_ended: { kind: 'ejection_ended', address },
  health_changed: { kind: 'health_changed', address, health: 'NOT_SERVING' },
  health_unimplemented: { kind: 'health_unimplemented', address },
  health_watch_failed: { kind: 'health_watch_failed', address, code: 13, details: 'it broke', retryMs: 1_000 },
  panic: { kind: 'panic', active: true, addresses: [address] },
};

export const NAME_EVENTS: ByKind<NameEvent> = {
  query_sent: { kind: 'query_sent', transport: 'udp' },
  response_received: { kind: 'response_received', transport: 'udp', rcode: 'NOERROR' },
  query_failed: { kind: 'query_failed', transport: 'tcp', reason: 'timeout' },
  datagram_dropped: { kind: 'datagram_dropped' },
  id_mismatch: { kind: 'id_mismatch' },
  question_mismatch: { kind: 'question_mismatch' },
  response_truncated: { kind: 'response_truncated' },
  edns_withdrawn: { kind: 'edns_withdrawn' },
  addresses_refused: { kind: 'addresses_refused', count: 2 },
  poll_started: { kind: 'poll_started' },
  poll_moved_forward: { kind: 'poll_moved_forward' },
  poll_settled: { kind: 'poll_settled', result: 'addresses', changed: true, durationMs: 2.4 },
};
