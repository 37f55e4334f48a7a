/**
 * Many clients on one cache, on a virtual clock: the poller of the library with its default settings, in as many
 * instances as there are clients, before a model of CoreDNS's `cache` (test/support/cache-model.ts). All clients of a
 * cell follow one rule. Answers take no time, and every endpoint is READY at once.
 */
import { Poller } from '../../lib/discovery/poller.js';
import type { RefreshSettings, TtlRule } from '../../lib/discovery/schedule.js';
import type { Random } from '../../lib/runtime.js';
import { DiscoveryCounter } from '../../lib/telemetry/counters.js';
import { Authority, ModelCache, type SetChange } from '../../test/support/cache-model.js';
import { FakeClock } from '../../test/support/fake-clock.js';
import type { Progress } from '../harness/progress.js';
import { mean } from '../harness/statistics.js';
import { RULES } from './cold-start.js';
import { scaleEvents } from './scaling.js';
import { podAddress, resolverOf, watch } from './virtual-client.js';

export interface SharedCell {
  readonly clients: number;
  readonly rule: TtlRule;
  readonly cacheTtl: number;
  /** Changes times clients. */
  readonly sightings: number;
  readonly meanMs: number;
  readonly maxMs: number;
  /** Of all clients together. */
  readonly queriesPerMinute: number;
}

const CLIENTS = [1, 10, 100, 1_000];
const CACHE_TTL = 30;
const NAME = 'shared.bench.svc.cluster.local';
/** Clients start at any moment of this. */
const START_WITHIN_MS = 60_000;
/** Until clients have found the phases of the cache. */
const SETTLE_MS = 300_000;
const CHANGES = { kind: 'steady', pods: 8, gapMs: 60_000, durationMs: 720_000 } as const;
const TAIL_MS = 60_000;
/** Samples of a cell with few clients come from several runs. */
const RUNS: ReadonlyMap<number, number> = new Map([
  [1, 40],
  [10, 10],
  [100, 4],
  [1_000, 2],
]);

export async function simulateSharing(
  refresh: Omit<RefreshSettings, 'ttl'>,
  random: Random,
  progress: Progress,
): Promise<SharedCell[]> {
  const cells: SharedCell[] = [];
  for (const clients of CLIENTS)
    for (const rule of RULES) {
      progress.setNote(`${clients} clients, ${rule}`);
      const runs: Run[] = [];
      for (let run = 0; run < (RUNS.get(clients) ?? 1); run++)
        runs.push(await simulate(clients, { ...refresh, ttl: rule }, random));
      const agesMs = runs.flatMap((run) => run.agesMs);
      cells.push({
        clients,
        rule,
        cacheTtl: CACHE_TTL,
        sightings: agesMs.length,
        meanMs: mean(agesMs),
        maxMs: agesMs.reduce((max, ms) => Math.max(max, ms), 0),
        queriesPerMinute: mean(runs.map((run) => run.queriesPerMinute)),
      });
    }
  return cells;
}

interface Run {
  readonly agesMs: readonly number[];
  readonly queriesPerMinute: number;
}

async function simulate(clients: number, refresh: RefreshSettings, random: Random): Promise<Run> {
  const clock = new FakeClock({ startMs: 0, settleTurns: 1 });
  const changesFromMs = START_WITHIN_MS + SETTLE_MS;
  const { changes, publishedAt } = planChanges(changesFromMs, random);
  const cache = new ModelCache(new Authority(changes, CACHE_TTL), { ttl: CACHE_TTL });
  const agesMs: number[] = [];
  let queries = 0;
  const resolver = resolverOf((bits) => {
    if (clock.now() >= changesFromMs) queries += 1;
    return cache.answer(clock.now(), bits);
  });
  for (let client = 0; client < clients; client++) {
    const poller = new Poller(
      resolver,
      { hostname: NAME, refresh, empty: 'keep' },
      { clock, random },
      new DiscoveryCounter(),
    );
    clock.setTimer(random() * START_WITHIN_MS, () => watch(poller, clock, publishedAt, agesMs));
  }
  const endMs = changesFromMs + CHANGES.durationMs + TAIL_MS;
  await clock.advance(endMs);
  return { agesMs, queriesPerMinute: (queries * 60_000) / (endMs - changesFromMs) };
}

function planChanges(fromMs: number, random: Random) {
  const serving = new Set(Array.from({ length: CHANGES.pods }, (_, pod) => podAddress(pod)));
  const changes: SetChange[] = [{ at: 0, addresses: [...serving] }];
  const publishedAt = new Map<string, number>();
  for (const { atMs, kind, pod } of scaleEvents(CHANGES, random)) {
    const at = fromMs + atMs;
    const address = podAddress(pod);
    if (kind === 'add') serving.add(address);
    else serving.delete(address);
    publishedAt.set(`${kind} ${address}`, at);
    changes.push({ at, addresses: [...serving] });
  }
  return { changes, publishedAt };
}
