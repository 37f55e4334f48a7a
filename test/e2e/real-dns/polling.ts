/** A poller with its TTL rule at work, in front of a real server: what it asked when, with which bits, and what it saw. */
import { CACHE_BITS } from '../../../lib/discovery/cache-bits.js';
import { Poller } from '../../../lib/discovery/poller.js';
import { resolveOptions } from '../../../lib/options.js';
import { systemRuntime } from '../../../lib/runtime.js';
import { DiscoveryCounter } from '../../../lib/telemetry/counters.js';
import type { CacheStatus } from '../../../lib/telemetry/snapshot.js';
import type { Defer } from '../../support/leak-check.js';
import { clientOf, NAME } from './suite.js';

/** Milliseconds since the poller's start. */
type Elapsed = number;

export interface PollRecord {
  readonly askedAt: Elapsed;
  readonly answeredAt: Elapsed;
  /** Index into `CACHE_BITS`; 0 is the plain pair, which all other clients use. */
  readonly pair: number;
  /** Of the A records or of the denial, as the server showed it. */
  readonly ttlMs: number;
  readonly addresses: readonly string[];
  /** What the poller makes of the server after this answer. */
  readonly cache: CacheStatus;
  /** Planned wait until the next query. */
  readonly nextInMs: number;
}

export interface Sighting {
  readonly at: Elapsed;
  readonly addresses: readonly string[];
}

export interface Polling {
  readonly polls: readonly PollRecord[];
  /** Each set that was reported, in order. The first is the first that has addresses. */
  readonly sightings: readonly Sighting[];
  readonly cache: CacheStatus;
  readonly now: Elapsed;
}

export interface PollingOptions {
  readonly intervalMs?: number;
  readonly ttl?: 'phased' | 'adaptive' | 'ignore';
}

/** Polls the server at `address` until the end of the test. There is a READY endpoint once there are addresses. */
export function pollOn(
  defer: Defer,
  address: string,
  { intervalMs = 5_000, ttl = 'phased' }: PollingOptions = {},
): Polling {
  const { refresh, empty } = resolveOptions({ refresh: { intervalMs, ttl } });
  const client = clientOf({ address });
  const polls: PollRecord[] = [];
  const sightings: Sighting[] = [];
  const start = performance.now();
  let last: Pick<PollRecord, 'askedAt' | 'answeredAt' | 'pair' | 'ttlMs' | 'addresses'> | undefined;
  const poller = new Poller(
    {
      async resolve(signal, bits) {
        const askedAt = performance.now() - start;
        const resolution = await client.resolve(signal, bits);
        const outcome = resolution.outcomes.get('A');
        const pair = bits === undefined ? 0 : CACHE_BITS.indexOf(bits);
        const ttlMs = outcome === undefined || outcome.kind === 'failed' ? Number.NaN : outcome.ttlMs;
        const addresses = outcome?.kind === 'addresses' ? [...outcome.addresses].sort() : [];
        last = { askedAt, answeredAt: performance.now() - start, pair, ttlMs, addresses };
        return resolution;
      },
    },
    { hostname: NAME, refresh, empty },
    systemRuntime,
    new DiscoveryCounter(),
  );
  const statusOf = (): CacheStatus => poller.status.cache ?? { state: 'unknown', ttlMs: null, expiresInMs: [] };
  const subscription = poller.subscribe(({ addresses, changed }) => {
    const { nextQueryAt } = poller.status;
    const nextInMs = (nextQueryAt ?? Number.NaN) - systemRuntime.clock.wallTime();
    if (last !== undefined) polls.push({ ...last, cache: statusOf(), nextInMs });
    if (!changed || addresses.length === 0) return;
    sightings.push({ at: performance.now() - start, addresses: addresses.map(({ host }) => host).sort() });
    subscription.setReady(true);
  });
  defer(() => subscription.end());
  return {
    polls,
    sightings,
    get cache() {
      return statusOf();
    },
    get now() {
      return performance.now() - start;
    },
  };
}
