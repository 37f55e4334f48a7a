/** A subscriber that writes each event as one line of plain text, for grpc-js's logger. */
import { formatHostPort } from '../address.js';
import type { Subject } from './diagnostics-channels.js';
import type { Emit, TelemetryEvent } from './events.js';

/** Of a set that is written out; the others are counted. */
const MOST_ADDRESSES = 10;

/** Each line begins with the channel's target, or with the name that is asked for. */
export function logLines(subject: Subject, write: (line: string) => void): Emit {
  const start = 'target' in subject ? subject.target : subject.name;
  return (event) => write(`${start}: ${textOf(event)}`);
}

function textOf(event: TelemetryEvent): string {
  switch (event.kind) {
    case 'query_sent':
      return event.transport === 'lookup' ? 'lookup called' : `query sent over ${event.transport}`;
    case 'response_received':
      return `response over ${event.transport}: ${event.rcode}`;
    case 'query_failed':
      return event.transport === 'lookup' ? 'lookup failed' : `query over ${event.transport} failed: ${event.reason}`;
    case 'datagram_dropped':
      return 'a datagram that is no response to the query was ignored';
    case 'id_mismatch':
      return 'a response had another id than the query';
    case 'question_mismatch':
      return 'a response was to another question';
    case 'response_truncated':
      return 'the response was truncated, so the query is sent again over tcp';
    case 'edns_withdrawn':
      return 'the server does not take EDNS, so the query is sent again without it';
    case 'addresses_refused':
      return `left out, because no connection can be opened to them: ${event.count} addresses`;
    case 'poll_started':
      return 'poll started';
    case 'poll_moved_forward':
      return 'the next poll was moved forward';
    case 'poll_settled': {
      const change = event.changed ? 'the set changed' : 'the set is the same';
      return `poll ended after ${Math.round(event.durationMs)} ms: ${RESULTS[event.result]}; ${change}`;
    }
    case 'channel_opened':
      return 'channel opened';
    case 'channel_closed':
      return 'channel closed';
    case 'addresses_changed':
      return `the set has ${event.addresses.length} addresses${listOf(event.addresses)}`;
    case 'resolution_failed': {
      const times = event.failures > 1 ? ` (failure ${event.failures} in a row)` : '';
      return `no addresses${times}, ${event.kept} known ones stay in use: ${event.error.message}`;
    }
    case 'zone_fallback':
      return event.active
        ? `DNS has no name for the zone ${event.zone}, so the pods of every zone are used`
        : `DNS has a name for the zone ${event.zone} again`;
    case 'source_changed':
      return `addresses come from ${event.source} now${event.error ? `: ${event.error.message}` : ''}`;
    case 'streams_uneven': {
      const pods = event.endpoints.map(({ address, streams }) => `${address} ${streams}`).join(', ');
      return `more streams than the share of ${event.share.toFixed(1)}: ${pods}`;
    }
    case 'connected':
      return `connected to ${event.address}`;
    case 'connection_failed':
      return `connecting to ${event.address} failed: ${event.error}`;
    case 'connection_lost':
      return `the connection to ${event.address} was lost`;
    case 'drain_started':
      return `${event.address} is no longer in the set and gets no new calls`;
    case 'drain_cancelled':
      return `${event.address} is in the set again and kept its connection`;
    case 'drain_timed_out':
      return `${event.address} still had ${event.calls} calls when drain.timeoutMs had passed, and they were ended`;
    case 'ejected': {
      const { details, since, untilMs } = event.ejection;
      return `${event.address} is ejected for ${untilMs - since} ms: ${details}`;
    }
    case 'ejection_ended':
      return `the ejection of ${event.address} has ended`;
    case 'health_changed':
      return `${event.address} answers its health check: ${event.health}`;
    case 'health_unimplemented':
      return `${event.address} has no health service, and such pods are taken for healthy`;
    case 'health_watch_failed': {
      const { address, code, details, retryMs } = event;
      return `the health check of ${address} failed with status ${code} (${details}), next attempt in ${Math.round(retryMs)} ms`;
    }
    case 'panic':
      return event.active
        ? `panic: no pod may take calls, so all that are connected do: ${event.addresses.join(', ')}`
        : 'panic has ended';
  }
}

const RESULTS = { addresses: 'addresses', empty: 'NXDOMAIN or no addresses', failed: 'no valid answer' } as const;

function listOf(addresses: readonly { readonly host: string; readonly port: number }[]): string {
  if (addresses.length === 0) return '';
  const shown = addresses.slice(0, MOST_ADDRESSES).map(({ host, port }) => formatHostPort(host, port));
  const more = addresses.length - shown.length;
  return `: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
