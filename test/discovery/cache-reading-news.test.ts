/**
 * How old news is, and what it costs, for clients under each rule in front of the same model of DNS servers. The
 * figures are shown as diagnostics of each test.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { PLAIN_BITS } from '../../lib/dns/message.js';
import type { Random } from '../../lib/runtime.js';
import {
  Authority,
  type CacheOptions,
  ModelCache,
  ModelDnsmasq,
  type ModelServer,
  Replicas,
  type SetChange,
} from '../support/cache-model.js';
import {
  type ClientRule,
  DEFAULT_SETTINGS,
  type News,
  newsOf,
  runClients,
  SimulatedClient,
  scaleChanges,
} from '../support/cache-simulation.js';
import { seededRandom } from '../support/fake-random.js';

const TTL = 30;
const TTL_MS = TTL * 1_000;
/** Enough histories that the means of two equal rules differ by less than the noise that is allowed for. */
const SEEDS = Array.from({ length: 10 }, (_, index) => index + 1);
const RULES: readonly ClientRule[] = ['phased', 'adaptive', 'plain'];

interface Setting {
  readonly name: string;
  readonly server: (changes: readonly SetChange[], random: Random) => ModelServer;
  readonly others?: { readonly rule: ClientRule; readonly count: number };
}

function cache(changes: readonly SetChange[], options: Partial<CacheOptions> = {}): ModelCache {
  return new ModelCache(new Authority(changes, TTL), { ttl: TTL, ...options });
}

/** Other nodes' clients ask the inner cache, with the plain bits. */
class BusyCache implements ModelServer {
  readonly #inner: ModelCache;
  readonly #random: Random;
  #askAt = 0;

  constructor(inner: ModelCache, random: Random) {
    this.#inner = inner;
    this.#random = random;
  }

  answer(now: number, bits: typeof PLAIN_BITS): ReturnType<ModelServer['answer']> {
    for (; this.#askAt <= now; this.#askAt += 1_000 * this.#random()) this.#inner.answer(this.#askAt, PLAIN_BITS);
    return this.#inner.answer(now, bits);
  }
}

/** The mean over some histories, the worst of all; each rule meets the same ones. */
function measure(t: TestContext, setting: Setting): Record<ClientRule, News> {
  const figures = RULES.map((rule): [ClientRule, News] => {
    const runs = SEEDS.map((seed) => {
      const random = seededRandom(seed);
      const changes = scaleChanges(80, 1.5 * TTL_MS, random);
      const server = setting.server(changes, random);
      const client = new SimulatedClient(rule, server, 10_000 + TTL_MS * random(), DEFAULT_SETTINGS, random);
      const { rule: otherRule, count } = setting.others ?? { rule: 'plain', count: 0 };
      const others = Array.from(
        { length: count },
        () => new SimulatedClient(otherRule, server, 20_000 * random(), DEFAULT_SETTINGS, random),
      );
      runClients([...others, client], (changes.at(-1)?.at ?? 0) + 4 * TTL_MS);
      return newsOf(client, changes);
    });
    const sum = (of: (news: News) => number): number => runs.reduce((total, news) => total + of(news), 0);
    return [
      rule,
      {
        meanMs: sum((news) => news.meanMs) / runs.length,
        settledMeanMs: sum((news) => news.settledMeanMs) / runs.length,
        maxMs: Math.max(...runs.map((news) => news.maxMs)),
        queriesPerMinute: sum((news) => news.queriesPerMinute) / runs.length,
        reversals: sum((news) => news.reversals),
        missed: sum((news) => news.missed),
      },
    ];
  });
  for (const [rule, news] of figures)
    t.diagnostic(
      `${setting.name}, ${rule}: mean ${(news.meanMs / 1_000).toFixed(1)} s, ` +
        `for good ${(news.settledMeanMs / 1_000).toFixed(1)} s, max ${(news.maxMs / 1_000).toFixed(1)} s, ` +
        `${news.queriesPerMinute.toFixed(1)} queries/min, ${news.reversals} reversals`,
    );
  return Object.fromEntries(figures) as Record<ClientRule, News>;
}

/** Within the noise of the runs: the rules' queries come at different moments. */
const NOISE = 1.05;

test('without a cache `phased` is the plain interval', (t) => {
  const { phased, plain } = measure(t, { name: 'live', server: (changes) => new Authority(changes, TTL) });
  assert.ok(phased.meanMs <= plain.meanMs * NOISE);
  assert.ok(phased.queriesPerMinute <= plain.queriesPerMinute * 1.01);
});

const GOALS: readonly Setting[] = [
  { name: 'one cache', server: (changes) => cache(changes) },
  { name: 'a cache that rounds down', server: (changes) => cache(changes, { rounding: 'down' }) },
  { name: 'two layers', server: (changes) => new ModelCache(cache(changes), { ttl: TTL }) },
  {
    name: 'two layers, the inner one shared with other nodes',
    server: (changes, random) => new ModelCache(new BusyCache(cache(changes), random), { ttl: TTL }),
  },
  { name: '10 plain clients beside', server: (changes) => cache(changes), others: { rule: 'plain', count: 10 } },
  { name: '10 phased clients beside', server: (changes) => cache(changes), others: { rule: 'phased', count: 10 } },
];

for (const setting of GOALS)
  test(`news is at most T / 6 old on average, and T / 3 at worst, with fewer queries: ${setting.name}`, (t) => {
    const { phased, adaptive } = measure(t, setting);
    assert.ok(phased.meanMs <= TTL_MS / 6, `mean ${phased.meanMs}`);
    assert.ok(phased.maxMs <= TTL_MS / 3, `max ${phased.maxMs}`);
    assert.ok(phased.queriesPerMinute <= adaptive.queriesPerMinute);
    assert.deepEqual([phased.reversals, phased.missed], [0, 0]);
  });

function replicas(random: Random, ...caches: ModelCache[]): Replicas {
  return new Replicas(caches, random);
}

const REPLICAS: readonly Setting[] = [
  { name: 'two replicas', server: (changes, random) => replicas(random, cache(changes), cache(changes)) },
  {
    name: 'two replicas, 10 plain clients beside',
    server: (changes, random) => replicas(random, cache(changes), cache(changes)),
    others: { rule: 'plain', count: 10 },
  },
];

for (const setting of REPLICAS)
  test(`answers of replicas are put in the order in which they were made: ${setting.name}`, (t) => {
    const { phased, adaptive, plain } = measure(t, setting);
    assert.ok(phased.meanMs <= TTL_MS / 4, `mean ${phased.meanMs}`);
    assert.ok(phased.queriesPerMinute <= adaptive.queriesPerMinute);
    assert.deepEqual([phased.reversals, phased.missed], [0, 0]);
    assert.equal(adaptive.reversals, 0);
    assert.ok(plain.reversals > 0, 'the order matters in this setting');
  });

const NEVER_WORSE: readonly Setting[] = [
  { name: 'not keyed on the bits', server: (changes) => cache(changes, { key: 'none' }) },
  { name: 'keyed on DO alone', server: (changes) => cache(changes, { key: 'do' }) },
  {
    name: 'two replicas not keyed on the bits',
    server: (changes, random) => replicas(random, cache(changes, { key: 'none' }), cache(changes, { key: 'none' })),
  },
  {
    name: 'three replicas',
    server: (changes, random) => replicas(random, cache(changes), cache(changes), cache(changes)),
  },
  {
    name: 'a cache of 5 s in front of a shared one of 30 s',
    server: (changes, random) => new ModelCache(new BusyCache(cache(changes), random), { ttl: 5 }),
  },
];

for (const setting of NEVER_WORSE)
  test(`news is never older than under \`adaptive\`: ${setting.name}`, (t) => {
    const { phased, adaptive } = measure(t, setting);
    assert.ok(phased.settledMeanMs <= adaptive.settledMeanMs * NOISE);
    assert.equal(phased.missed, 0);
  });

test('behind dnsmasq, which passes queries with DO on, news is fresher than under `adaptive`, with no more queries', (t) => {
  const server = (changes: readonly SetChange[]) => new ModelDnsmasq(new Authority(changes, TTL), TTL);
  const { phased, adaptive } = measure(t, { name: 'dnsmasq', server });
  assert.ok(phased.meanMs <= adaptive.meanMs);
  assert.ok(phased.queriesPerMinute <= adaptive.queriesPerMinute);
  assert.deepEqual([phased.reversals, phased.missed], [0, 0]);
});

test('behind two caching replicas no pod is reported removed or added twice while pods only come', () => {
  for (const ttl of [5, 10, 30])
    for (const neighbours of [0, 3])
      for (let seed = 1; seed <= 15; seed++) {
        const random = seededRandom(seed);
        const changes: SetChange[] = [{ at: Number.NEGATIVE_INFINITY, addresses: ['pod-0'] }];
        for (let at = 60_000; changes.length <= 20; at += random() * 1_500 * ttl)
          changes.push({ at, addresses: [...(changes.at(-1)?.addresses ?? []), `pod-${changes.length}`] });
        const server = replicas(
          random,
          new ModelCache(new Authority(changes, ttl), { ttl }),
          new ModelCache(new Authority(changes, ttl), { ttl }),
        );
        const client = new SimulatedClient('phased', server, 5_000, DEFAULT_SETTINGS, random);
        const others = Array.from(
          { length: neighbours },
          () => new SimulatedClient('plain', server, 3_000 * random(), DEFAULT_SETTINGS, random),
        );
        runClients([client, ...others], (changes.at(-1)?.at ?? 0) + 100_000);
        const removed = client.sightings.flatMap((sighting) => sighting.removed);
        assert.deepEqual(removed, [], `TTL ${ttl}, seed ${seed}`);
        assert.equal(client.addresses.size, changes.length);
      }
});

test('behind a cached denial at a cold start, the first address comes within four floors of the record', (t) => {
  const startMs = 20_000;
  for (const recordAfterMs of [-1_000, 0, 500, 1_000, 2_000, 3_000, 4_000]) {
    const waits = { phased: 0, adaptive: 0 };
    for (const rule of ['phased', 'adaptive'] as const)
      for (let seed = 1; seed <= 20; seed++) {
        const random = seededRandom(seed);
        const recordAt = startMs + recordAfterMs;
        const server = cache([{ at: recordAt, addresses: ['pod'] }]);
        server.answer(startMs - 1_100 - 3_000 * random(), PLAIN_BITS);
        const client = new SimulatedClient(rule, server, startMs, DEFAULT_SETTINGS, random);
        runClients([client], startMs + 2 * TTL_MS);
        const waitMs = (client.sightings[0]?.at ?? Number.POSITIVE_INFINITY) - Math.max(startMs, recordAt);
        waits[rule] = Math.max(waits[rule], waitMs);
      }
    t.diagnostic(
      `record ${recordAfterMs} ms after the start: phased ${waits.phased} ms, adaptive ${waits.adaptive} ms`,
    );
    assert.ok(waits.phased <= 4 * DEFAULT_SETTINGS.minIntervalMs, `${waits.phased} ms`);
  }
});

test('100 clients that share a cache read the same phases', (t) => {
  const random = seededRandom(1);
  const changes = scaleChanges(10, 2 * TTL_MS, random);
  const server = cache(changes);
  const clients = Array.from(
    { length: 100 },
    () => new SimulatedClient('phased', server, 20_000 * random(), DEFAULT_SETTINGS, random),
  );
  runClients(clients, (changes.at(-1)?.at ?? 0) + 4 * TTL_MS);
  const news = clients.map((client) => newsOf(client, changes));
  const meanMs = news.reduce((sum, { meanMs: each }) => sum + each, 0) / news.length;
  t.diagnostic(`mean ${(meanMs / 1_000).toFixed(1)} s, max ${Math.max(...news.map(({ maxMs }) => maxMs)) / 1_000} s`);
  assert.ok(meanMs <= TTL_MS / 6, `mean ${meanMs}`);
  assert.ok(news.every(({ missed, reversals }) => missed === 0 && reversals === 0));
});
