/** Snapshots for tests: one that is complete, and changes to it. */
import type { DnsStatus, Ejection, EndpointSnapshot, Snapshot, SnapshotCounters } from '../../lib/index.js';
import { BalancerCounter, createCallCounters, DiscoveryCounter } from '../../lib/telemetry/counters.js';

/** Wall-clock time at which the tests start: 2026-05-04T10:20:00Z. */
export const START = Date.UTC(2026, 4, 4, 10, 20);

export function endpoint(
  address: string,
  state: string,
  since: number,
  calls: Partial<EndpointSnapshot> = {},
): EndpointSnapshot {
  return {
    address,
    state: state as EndpointSnapshot['state'],
    inFlight: 0,
    started: 0,
    succeeded: 0,
    failed: 0,
    since,
    zone: null,
    weight: null,
    lastError: null,
    health: null,
    ejected: null,
    ...calls,
  };
}

export interface SnapshotParts {
  state?: Snapshot['state'];
  endpoints?: readonly EndpointSnapshot[];
  dns?: Partial<DnsStatus>;
  counters?: Partial<SnapshotCounters>;
}

export function snapshot({ state = 'READY', endpoints = [], dns = {}, counters = {} }: SnapshotParts = {}): Snapshot {
  return {
    target: 'headless:///hello.shop:50051',
    state,
    balancer: 'headless',
    endpoints,
    dns: {
      name: 'hello.shop.svc.cluster.local',
      server: '10.96.0.10:53',
      transport: 'udp',
      rcode: 'NOERROR',
      addresses: endpoints
        .filter((each) => each.state !== 'draining')
        .map(({ address }) => address.split(':')[0] ?? ''),
      ttlMs: 30_000,
      answeredAt: START,
      ageMs: 0,
      failures: 0,
      error: null,
      errorCode: null,
      cache: null,
      nextQueryAt: START + 5_000,
      zone: null,
      ...dns,
    },
    counters: {
      ...new DiscoveryCounter().counters,
      ...new BalancerCounter().counters,
      ...createCallCounters(),
      ...counters,
    },
  };
}

/** Before the first answer. */
export const UNANSWERED = {
  answeredAt: null,
  ageMs: null,
  ttlMs: null,
  rcode: null,
  server: null,
  transport: null,
  addresses: [],
};

/** Of a pod that is ejected from `since` on, for so long. */
export function ejection(
  since: number,
  ms: number,
  details = '5 failures in a row, the last one UNAVAILABLE',
): Ejection {
  return { reason: 'consecutive_failures', details, since, untilMs: since + ms, ejections: 1 };
}
