/**
 * The same poller, schedule and membership rules as in the library, on a fake clock: thousands of scale events in
 * seconds. Modelled are DNS (the test server's own zone and cache, without its sockets), the neighbours that keep a
 * cache busy, and a client whose pods are READY. Not modelled: the network, the event loop, connections and calls;
 * so only `seen` can be compared.
 */
import { Poller } from '../../lib/discovery/poller.js';
import type { RefreshSettings } from '../../lib/discovery/schedule.js';
import { PLAIN_BITS } from '../../lib/dns/message.js';
import type { Random } from '../../lib/runtime.js';
import { DiscoveryCounter } from '../../lib/telemetry/counters.js';
import { DnsCache, DnsZone, type ZoneSource } from '../../test/support/dns-zone.js';
import { FakeClock } from '../../test/support/fake-clock.js';
import type { CacheTtl } from './grid.js';
import { type ScalePlan, scaleEvents } from './scaling.js';
import { NEIGHBOUR_GAP_MS, ZONE_TTL } from './service.js';
import { podAddress, resolverOf, watch } from './virtual-client.js';

export interface SimulationPlan {
  readonly refresh: RefreshSettings;
  readonly cacheTtl: CacheTtl;
  readonly scaling: ScalePlan;
  /** After the last event. */
  readonly tailMs: number;
}

const NAME = 'simulated.bench.svc.cluster.local';
/** A client begins at any moment of the cache's life, and not with it: else its first query would fill it. */
const CACHE_AHEAD_MS = 60_000;
/** From a client's start to the first moment of the plan: as in the real run, give or take its stagger. */
const CLIENT_AHEAD_MS = 6_000;

/** Milliseconds from each event to its being seen. */
export async function simulateRun(plan: SimulationPlan, random: Random): Promise<number[]> {
  const clock = new FakeClock({ startMs: 0, settleTurns: 1 });
  const events = scaleEvents(plan.scaling, random);
  const zone = new DnsZone();
  const source = withCache(zone, plan.cacheTtl, clock, random);
  const clientStartMs = CACHE_AHEAD_MS * (1 + random());
  const startMs = clientStartMs + CLIENT_AHEAD_MS;
  const serving = new Set(Array.from({ length: plan.scaling.pods }, (_, pod) => podAddress(pod)));
  const publish = (): void => zone.set(NAME, [...serving], { ttl: ZONE_TTL });
  publish();
  const publishedAt = new Map<string, number>();
  const stalenessMs: number[] = [];

  const poller = new Poller(
    resolverOf((bits) => {
      const { answers } = source.answer(NAME, 'A', bits);
      return { addresses: answers.map((record) => record.data), ttl: answers[0]?.ttl ?? 0 };
    }),
    { hostname: NAME, refresh: plan.refresh, empty: 'keep' },
    { clock, random },
    new DiscoveryCounter(),
  );
  clock.setTimer(clientStartMs, () => watch(poller, clock, publishedAt, stalenessMs));
  for (const { atMs, kind, pod } of events)
    clock.setTimer(startMs + atMs, () => {
      const address = podAddress(pod);
      if (kind === 'add') serving.add(address);
      else serving.delete(address);
      publishedAt.set(`${kind} ${address}`, clock.now());
      publish();
    });
  await clock.advance(startMs + plan.scaling.durationMs + plan.tailMs);
  return stalenessMs;
}

/** Behind a busy cache another client's query, with the plain bits, follows an expiry within the neighbours' gap. */
function withCache(zone: DnsZone, cacheTtl: CacheTtl, clock: FakeClock, random: Random): ZoneSource {
  if (cacheTtl === 0) return zone;
  const ttlMs = cacheTtl * 1000;
  let filledAt = Number.NEGATIVE_INFINITY;
  const watched: ZoneSource = {
    answer(name, type, bits = PLAIN_BITS) {
      if (bits === PLAIN_BITS) filledAt = clock.now();
      return zone.answer(name, type);
    },
  };
  const cache = new DnsCache(watched, cacheTtl, () => clock.now());
  const ask = (): void => {
    if (clock.now() >= filledAt + ttlMs) cache.answer(NAME, 'A');
    clock.setTimer(filledAt + ttlMs - clock.now() + random() * NEIGHBOUR_GAP_MS, ask);
  };
  clock.setTimer(random() * ttlMs, ask);
  return cache;
}
