/**
 * Every metric, as data: its name, kind, unit and meaning. Names and attributes follow gRPC's (gRFC A66, A78, A94) and
 * OpenTelemetry's semantic conventions. docs/monitoring.md has the same table.
 */
import type { Attributes, MetricOptions } from '@opentelemetry/api';
import type { TelemetryEvent } from '../events.js';

/** gRFC A66: the channel's target. */
export const TARGET = 'grpc.target';
/** OpenTelemetry: the name that is asked for, as the user wrote it. */
export const QUESTION_NAME = 'dns.question.name';
export const CHANNEL_STATE = 'grpc.lb.headless.channel_state';
export const ENDPOINT_STATE = 'grpc.lb.headless.endpoint_state';
export const CALL_RESULT = 'grpc.lb.headless.call_result';
const EJECTION_REASON = 'grpc.lb.headless.ejection_reason';
const REFRESH_RESULT = 'grpc.lb.headless.refresh_result';
const DNS_OUTCOME = 'grpc.lb.headless.dns_outcome';
const NETWORK_TRANSPORT = 'network.transport';
export const PEER_ADDRESS = 'network.peer.address';
export const PEER_PORT = 'network.peer.port';

export interface Definition extends MetricOptions {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
}

/** Read from the channels' snapshots when metrics are collected. */
export const OBSERVED = {
  channels: {
    name: 'grpc.lb.headless.channels',
    unit: '{channel}',
    description: 'Open channels, by state.',
  },
  endpoints: {
    name: 'grpc.lb.headless.endpoints',
    unit: '{endpoint}',
    description: 'Endpoints, by state.',
  },
  ejected: {
    name: 'grpc.lb.headless.endpoints_ejected',
    unit: '{endpoint}',
    description: 'Connected endpoints of the set that are ejected as outliers at the moment.',
  },
  unhealthy: {
    name: 'grpc.lb.headless.endpoints_unhealthy',
    unit: '{endpoint}',
    description: 'Connected endpoints of the set whose health check does not say that they serve.',
  },
  inPanic: {
    name: 'grpc.lb.headless.channels_in_panic',
    unit: '{channel}',
    description: 'Channels whose connected endpoints are all ejected or unhealthy, and take calls all the same.',
  },
  picks: {
    name: 'grpc.lb.headless.picks',
    unit: '{pick}',
    description: 'Calls that were sent to an endpoint. Each attempt of a retried call counts.',
  },
  calls: {
    name: 'grpc.lb.headless.calls',
    unit: '{call}',
    description:
      'Calls that were sent to an endpoint and have ended, by result. Each attempt of a retried call counts.',
  },
  callsInFlight: {
    name: 'grpc.lb.headless.calls_in_flight',
    unit: '{call}',
    description: 'Calls that were sent to an endpoint and have not ended.',
  },
  answerAge: {
    name: 'grpc.lb.headless.dns.answer_age',
    unit: 's',
    description: 'Age of the last answer with addresses; 0 while all channels are idle or closed, and ask nothing.',
  },
  failures: {
    name: 'grpc.lb.headless.dns.consecutive_failures',
    unit: '{failure}',
    description:
      'Refreshes in a row that got no valid answer; 0 while all channels are idle or closed, and ask nothing.',
  },
} as const satisfies Record<string, Definition>;

type Kind = TelemetryEvent['kind'];

/** What one event adds, and under which attributes beside its target or name. */
interface CountedEvent<K extends Kind> {
  readonly kind: K;
  attributes?(event: Extract<TelemetryEvent, { kind: K }>): Attributes;
  /** Default: every event of the kind. */
  counts?(event: Extract<TelemetryEvent, { kind: K }>): boolean;
}

export interface EventCounter extends Definition {
  readonly events: readonly CountedEvent<Kind>[];
}

/** Keeps the event's type for `attributes`. */
function on<K extends Kind>(
  kind: K,
  attributes?: CountedEvent<K>['attributes'],
  counts?: CountedEvent<K>['counts'],
): CountedEvent<Kind> {
  return { kind, ...(attributes ? { attributes } : {}), ...(counts ? { counts } : {}) } as CountedEvent<Kind>;
}

/** RCODEs that a resolver meets; others have one value together, so that no server makes new series. */
const RCODES = new Set(['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED', 'BADVERS']);

function outcomeOf(transport: 'udp' | 'tcp' | 'lookup', outcome: string): Attributes {
  return { [DNS_OUTCOME]: outcome, ...(transport === 'lookup' ? {} : { [NETWORK_TRANSPORT]: transport }) };
}

/** Counted as they happen. A metric of another event is one more entry. */
export const COUNTED: readonly EventCounter[] = [
  {
    name: 'grpc.lb.headless.dns.queries',
    unit: '{query}',
    description: 'DNS queries that were answered or have failed, by outcome: the RCODE, or why there is none.',
    events: [
      on('response_received', ({ transport, rcode }) => outcomeOf(transport, RCODES.has(rcode) ? rcode : '_OTHER')),
      on('query_failed', ({ transport, reason }) => outcomeOf(transport, reason)),
    ],
  },
  {
    name: 'grpc.lb.headless.updates',
    unit: '{update}',
    description: 'Changes of the set of addresses.',
    events: [on('addresses_changed')],
  },
  {
    name: 'grpc.lb.headless.connection_attempts_succeeded',
    unit: '{attempt}',
    description: 'Connections that came up.',
    events: [on('connected')],
  },
  {
    name: 'grpc.lb.headless.connection_attempts_failed',
    unit: '{attempt}',
    description: 'Attempts to connect that failed.',
    events: [on('connection_failed')],
  },
  {
    name: 'grpc.lb.headless.disconnections',
    unit: '{disconnection}',
    description: 'Connections of endpoints in the set that broke, or that the endpoint closed.',
    events: [on('connection_lost')],
  },
  {
    name: 'grpc.lb.headless.drains',
    unit: '{endpoint}',
    description: 'Endpoints that left the set and began to drain.',
    events: [on('drain_started')],
  },
  {
    name: 'grpc.lb.headless.drains_cancelled',
    unit: '{endpoint}',
    description: 'Draining endpoints that returned to the set and kept their connection.',
    events: [on('drain_cancelled')],
  },
  {
    name: 'grpc.lb.headless.ejections',
    unit: '{ejection}',
    description: 'Endpoints that were ejected as outliers, by reason.',
    events: [on('ejected', ({ ejection }) => ({ [EJECTION_REASON]: ejection.reason }))],
  },
  {
    name: 'grpc.lb.headless.health_check_failures',
    unit: '{failure}',
    description: 'Health checks whose stream broke.',
    events: [on('health_watch_failed')],
  },
  {
    name: 'grpc.lb.headless.panics',
    unit: '{panic}',
    description: 'Times that endpoints had to take calls although all were ejected or unhealthy.',
    events: [on('panic', undefined, ({ active }) => active)],
  },
];

export const REFRESH_DURATION = {
  name: 'grpc.lb.headless.refresh.duration',
  unit: 's',
  description: 'Time that one refresh of the addresses took, with all its queries.',
  advice: { explicitBucketBoundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
  attributes: ({ result }: Extract<TelemetryEvent, { kind: 'poll_settled' }>): Attributes => ({
    [REFRESH_RESULT]: result,
  }),
};
