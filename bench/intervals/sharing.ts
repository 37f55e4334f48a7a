/**
 * Many clients on one cache, on a virtual clock: the poller of the library with its default settings, in as many
 * instances as there are clients, before a model of CoreDNS's `cache` (test/support/cache-model.ts). All clients of a
 * cell follow one rule. Answers take no time, and every endpoint is READY at once.
 */
import { PLAIN_BITS } from '../../lib/discovery/cache-bits.js';
import { Poller } from '../../lib/discovery/poller.js';
import type { RefreshSettings, TtlRule } from '../../lib/discovery/schedule.js';
import type { NameResolver } from '../../lib/dns/name-resolver.js';
import type { Resolution } from '../../lib/dns/resolution.js';
import type { Random } from '../../lib/runtime.js';
import { DiscoveryCounter } from '../../lib/telemetry/counters.js';
import { Authority, ModelCache, type ModelServer, type SetChange } from '../../test/support/cache-model.js';
import { FakeClock } from '../../test/support/fake-clock.js';
import type { Progress } from '../harness/progress.js';
import { mean } from '../harness/statistics.js';
import { RULES } from './cold-start.js';
import { scaleEvents } from './scaling.js';

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
  const resolver = resolverOf(cache, clock, () => {
    if (clock.now() >= changesFromMs) queries += 1;
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
  const serving = new Set(Array.from({ length: CHANGES.pods }, (_, pod) => addressOf(pod)));
  const changes: SetChange[] = [{ at: 0, addresses: [...serving] }];
  const publishedAt = new Map<string, number>();
  for (const { atMs, kind, pod } of scaleEvents(CHANGES, random)) {
    const at = fromMs + atMs;
    const address = addressOf(pod);
    if (kind === 'add') serving.add(address);
    else serving.delete(address);
    publishedAt.set(`${kind} ${address}`, at);
    changes.push({ at, addresses: [...serving] });
  }
  return { changes, publishedAt };
}

/** Notes how old each change is when a client sees it. An address comes once and goes once. */
function watch(poller: Poller, clock: FakeClock, publishedAt: ReadonlyMap<string, number>, agesMs: number[]): void {
  let known: ReadonlySet<string> = new Set();
  const subscription = poller.subscribe(({ addresses, changed }) => {
    if (!changed) return;
    if (known.size === 0) subscription.setReady(true);
    const before = known;
    known = new Set(addresses.map(({ host }) => host));
    const note = (change: string): void => {
      const at = publishedAt.get(change);
      if (at !== undefined) agesMs.push(clock.now() - at);
    };
    for (const host of known) if (!before.has(host)) note(`add ${host}`);
    for (const host of before) if (!known.has(host)) note(`remove ${host}`);
  });
}

function resolverOf(server: ModelServer, clock: FakeClock, onQuery: () => void): NameResolver {
  return {
    async resolve(_signal, bits = PLAIN_BITS): Promise<Resolution> {
      onQuery();
      const { addresses, ttl } = server.answer(clock.now(), bits);
      const outcome = { kind: 'addresses', addresses, ttlMs: ttl * 1000, partial: false } as const;
      return {
        outcomes: new Map([['A', outcome]]),
        name: NAME,
        server: null,
        transport: 'udp',
        rcode: 'NOERROR',
        bits,
      };
    },
  };
}

function addressOf(pod: number): string {
  return `10.${pod >> 16}.${(pod >> 8) & 255}.${pod & 255}`;
}
