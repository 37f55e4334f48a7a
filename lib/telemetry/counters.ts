/** Counters: a subscriber that counts events. They only ever count up. */
import type { TelemetryEvent } from './events.js';

/** Of one name's polls and DNS queries; all channels of the name and the same settings share them. */
export interface DiscoveryCounters {
  /** Refreshes begun; each may take several queries. */
  polls: number;
  /** Polls that a lost connection or `refresh()` asked for, and that were not already due. */
  hinted: number;
  /** Polls that changed the set. */
  changes: number;
  /** Polls that got no valid answer. */
  failures: number;
  /** NXDOMAIN and NODATA. */
  emptyAnswers: number;
  /** Questions sent, each transport and retry counted. */
  queries: number;
  /** Those of them over UDP. */
  udpQueries: number;
  /** Those of them over TCP. */
  tcpQueries: number;
  /** Valid responses. */
  replies: number;
  /** Queries without a valid response in time. */
  timeouts: number;
  /** Queries whose server could not be reached. */
  unreachable: number;
  /** Responses that broke the framing and failed the question. */
  malformed: number;
  /** Datagrams ignored: too short, not a response, not our opcode, not one question. */
  dropped: number;
  /** Responses with our server's address and another id; the question then went to TCP. */
  wrongId: number;
  /** Responses to a question that was not asked. */
  wrongQuestion: number;
  /** TC over UDP: asked again over TCP. */
  truncated: number;
  /** FORMERR or BADVERS: asked again without EDNS. */
  withoutEdns: number;
  /** Addresses that no connection can be opened to (unspecified, multicast, broadcast), left out. */
  refusedAddresses: number;
}

/** Of one channel's balancer. */
export interface BalancerCounters {
  /** Connections that came up. */
  connected: number;
  /** Attempts to connect that failed. */
  connectionsFailed: number;
  /** Connections of pods in the set that broke or were closed by the pod. */
  connectionsLost: number;
  /** Pods that began to drain. */
  drained: number;
  /** Draining pods that came back and kept their connection. */
  returned: number;
  /** Calls that were ended because `drain.timeoutMs` had passed. */
  drainTimeouts: number;
  /** Times that a pod was ejected as an outlier. */
  ejections: number;
  /** Health checks whose stream broke. */
  healthFailures: number;
  /** Times that pods had to take calls although all were ejected or unhealthy. */
  panics: number;
}

/**
 * Of all calls that one channel sent to its pods, also to those that are gone. An attempt of a retried call counts as a call.
 * The balancer counts them itself: there is no event for a call.
 */
export interface CallCounters {
  /** Sent to a pod. */
  callsStarted: number;
  /** Ended with status OK. */
  callsSucceeded: number;
  /** Ended with any other status. */
  callsFailed: number;
}

export function createCallCounters(): CallCounters {
  return { callsStarted: 0, callsSucceeded: 0, callsFailed: 0 };
}

export class DiscoveryCounter {
  readonly counters: DiscoveryCounters = {
    polls: 0,
    hinted: 0,
    changes: 0,
    failures: 0,
    emptyAnswers: 0,
    queries: 0,
    udpQueries: 0,
    tcpQueries: 0,
    replies: 0,
    timeouts: 0,
    unreachable: 0,
    malformed: 0,
    dropped: 0,
    wrongId: 0,
    wrongQuestion: 0,
    truncated: 0,
    withoutEdns: 0,
    refusedAddresses: 0,
  };

  readonly emit = (event: TelemetryEvent): void => {
    const { counters } = this;
    switch (event.kind) {
      case 'poll_started':
        counters.polls += 1;
        return;
      case 'poll_moved_forward':
        counters.hinted += 1;
        return;
      case 'poll_settled':
        if (event.changed) counters.changes += 1;
        if (event.result === 'failed') counters.failures += 1;
        if (event.result === 'empty') counters.emptyAnswers += 1;
        return;
      case 'query_sent':
        counters.queries += 1;
        if (event.transport === 'udp') counters.udpQueries += 1;
        if (event.transport === 'tcp') counters.tcpQueries += 1;
        return;
      case 'response_received':
        counters.replies += 1;
        return;
      case 'query_failed':
        if (event.reason !== 'lookup') counters[FAILURES[event.reason]] += 1;
        return;
      case 'datagram_dropped':
        counters.dropped += 1;
        return;
      case 'id_mismatch':
        counters.wrongId += 1;
        return;
      case 'question_mismatch':
        counters.wrongQuestion += 1;
        return;
      case 'response_truncated':
        counters.truncated += 1;
        return;
      case 'edns_withdrawn':
        counters.withoutEdns += 1;
        return;
      case 'addresses_refused':
        counters.refusedAddresses += event.count;
    }
  };
}

const FAILURES = { timeout: 'timeouts', unreachable: 'unreachable', malformed: 'malformed' } as const;

export class BalancerCounter {
  readonly counters: BalancerCounters = {
    connected: 0,
    connectionsFailed: 0,
    connectionsLost: 0,
    drained: 0,
    returned: 0,
    drainTimeouts: 0,
    ejections: 0,
    healthFailures: 0,
    panics: 0,
  };

  readonly emit = (event: TelemetryEvent): void => {
    switch (event.kind) {
      case 'connected':
        this.counters.connected += 1;
        return;
      case 'connection_failed':
        this.counters.connectionsFailed += 1;
        return;
      case 'connection_lost':
        this.counters.connectionsLost += 1;
        return;
      case 'drain_started':
        this.counters.drained += 1;
        return;
      case 'drain_cancelled':
        this.counters.returned += 1;
        return;
      case 'drain_timed_out':
        this.counters.drainTimeouts += event.calls;
        return;
      case 'ejected':
        this.counters.ejections += 1;
        return;
      case 'health_watch_failed':
        this.counters.healthFailures += 1;
        return;
      case 'panic':
        if (event.active) this.counters.panics += 1;
    }
  };
}
