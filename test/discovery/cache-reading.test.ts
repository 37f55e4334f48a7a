import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CACHE_BITS } from '../../lib/discovery/cache-bits.js';
import { CacheReading, type NextQuery, type Situation } from '../../lib/discovery/cache-reading.js';
import { PLAIN_BITS, type QueryBits } from '../../lib/dns/message.js';
import { covers } from '../faults/covers.js';
import { Authority, ModelCache, type ModelServer } from '../support/cache-model.js';
import { DEFAULT_SETTINGS, runClients, SimulatedClient } from '../support/cache-simulation.js';
import { seededRandom } from '../support/fake-random.js';

const REGULAR: Situation = { regularDelayMs: 5_000, ready: true, failing: false };
const UNREADY: Situation = { regularDelayMs: 1_000, ready: false, failing: false };
const [PLAIN, DO, CD, DO_CD] = CACHE_BITS as [QueryBits, QueryBits, QueryBits, QueryBits];

function make(ttl: 'phased' | 'adaptive' = 'phased'): CacheReading {
  return new CacheReading({ intervalMs: 5_000, floorMs: 1_000, jitter: 0, ttl }, () => 0);
}

/** One answer of record type A. */
function answered(reading: CacheReading, now: number, bits: QueryBits, ttl: number, ...addresses: string[]): void {
  const answer = { denied: addresses.length === 0, ttlMs: ttl * 1_000, addresses };
  reading.answered(now, bits, new Map([['A', answer]]));
}

/** Asks a server until `endMs`, always READY. */
function queries(
  reading: CacheReading,
  server: ModelServer,
  endMs: number,
  situation = REGULAR,
): [number, QueryBits][] {
  const asked: [number, QueryBits][] = [];
  let query: NextQuery = { delayMs: 0, bits: PLAIN_BITS };
  for (let now = 0; now <= endMs; now += query.delayMs) {
    asked.push([Math.round(now), query.bits]);
    const { ttl, addresses } = server.answer(now, query.bits);
    answered(reading, now, query.bits, ttl, ...addresses);
    query = reading.next(now, situation);
  }
  return asked;
}

const authority = (ttl: number): Authority => new Authority([{ at: -1, addresses: ['a', 'b'] }], ttl);

test('whether there is a cache is found out within two floors, with one query ahead of the regular ones', () => {
  const live = make();
  assert.deepEqual(
    queries(live, authority(30), 17_000).map(([at]) => at),
    [0, 1_050, 6_050, 11_050, 16_050],
  );
  assert.equal(live.status(17_000).state, 'none');
  const cached = make();
  queries(cached, new ModelCache(authority(30), { ttl: 30 }), 1_999);
  assert.equal(cached.status(2_000).state, 'present');
});

test('the cache is found out also where the timer of the second query fires a little early', () => {
  const reading = make();
  const cache = new ModelCache(authority(30), { ttl: 30 });
  answered(reading, 0, PLAIN, cache.answer(0, PLAIN).ttl, 'a', 'b');
  const now = reading.next(0, REGULAR).delayMs - 5;
  answered(reading, now, PLAIN, cache.answer(now, PLAIN).ttl, 'a', 'b');
  assert.equal(reading.status(now).state, 'present');
});

test('an interval too short for a query ahead of it gets none', () => {
  const reading = new CacheReading({ intervalMs: 500, floorMs: 500, jitter: 0, ttl: 'phased' }, () => 0);
  answered(reading, 0, PLAIN, 30, 'a');
  assert.equal(reading.next(0, { ...REGULAR, regularDelayMs: 500 }).delayMs, 500);
});

test('behind a cache its four entries are read in turn, each just after it has expired', () => {
  const asked = queries(make(), new ModelCache(authority(30), { ttl: 30 }), 62_000);
  assert.deepEqual(asked, [
    [0, PLAIN],
    [1_050, PLAIN],
    [7_500, DO],
    [15_000, CD],
    [22_500, DO_CD],
    [30_050, PLAIN],
    [37_550, DO],
    [45_050, CD],
    [52_550, DO_CD],
    [60_100, PLAIN],
  ]);
});

test('`adaptive` reads the plain entry alone: the regular queries, and one just after each expiry', () => {
  const asked = queries(make('adaptive'), new ModelCache(authority(30), { ttl: 30 }), 61_000);
  assert.ok(asked.every(([, bits]) => bits === PLAIN));
  for (const expiry of [30_000, 60_050]) assert.ok(asked.some(([at]) => at >= expiry && at <= expiry + 50));
  assert.equal(asked.length, 14);
});

test('a cache that does not key on the bits is read as `adaptive` does, but for a rare try', covers(55), () => {
  const asked = queries(make(), new ModelCache(authority(30), { ttl: 30, key: 'none' }), 1_800_000);
  const settled = asked.filter(([at]) => at > 120_000);
  assert.ok(settled.filter(([, bits]) => bits !== PLAIN).length <= 3, 'one try in 20 lives');
  const adaptive = queries(make('adaptive'), new ModelCache(authority(30), { ttl: 30 }), 1_800_000);
  assert.ok(asked.length <= adaptive.length + 4, `${asked.length} and ${adaptive.length} queries`);
});

test('a server that refuses queries with the bits is asked with the plain ones', () => {
  const reading = make();
  const server = new ModelCache(authority(30), { ttl: 30 });
  let refused = 0;
  let plain = 0;
  let query: NextQuery = { delayMs: 0, bits: PLAIN_BITS };
  for (let now = 0; now < 600_000; now += query.delayMs) {
    const failing = query.bits !== PLAIN;
    if (failing) {
      refused += 1;
      reading.failed(now, query.bits);
    } else {
      plain += 1;
      answered(reading, now, PLAIN, server.answer(now, PLAIN).ttl, 'a', 'b');
    }
    query = reading.next(now, { ...REGULAR, regularDelayMs: failing ? 1_000 : 5_000, failing });
    if (failing) assert.equal(query.bits, PLAIN, 'after a failure the plain pair is asked');
  }
  assert.ok(refused >= 6 && refused <= 8, `${refused}: twice for each pair`);
  assert.ok(plain > 100);
});

test('where DO is withdrawn because the server has no EDNS, the pairs with CD and without it are left', () => {
  const cache = new ModelCache(authority(30), { ttl: 30 });
  const server: ModelServer = { answer: (now, bits) => cache.answer(now, { ...bits, dnssecOk: false }) };
  const asked = queries(make(), server, 600_000).filter(([at]) => at > 120_000);
  assert.deepEqual(new Set(asked.map(([, bits]) => bits)), new Set([PLAIN, CD]));
});

test('while nothing is READY, a denial is checked with other bits at once', () => {
  const reading = make();
  answered(reading, 0, PLAIN, 12);
  assert.deepEqual(reading.next(0, UNREADY), { delayMs: 1_000, bits: DO });
  answered(reading, 1_000, DO, 8);
  assert.deepEqual(reading.next(1_000, UNREADY), { delayMs: 1_000, bits: CD });
  answered(reading, 2_000, CD, 5);
  assert.deepEqual(reading.next(2_000, UNREADY), { delayMs: 1_000, bits: DO_CD });
});

test('a denial that was just made is true: the untried pairs are kept for the time to come', () => {
  const reading = make();
  answered(reading, 0, PLAIN, 30);
  assert.deepEqual(reading.next(0, UNREADY), { delayMs: 1_000, bits: DO });
  answered(reading, 1_000, DO, 30);
  const next = reading.next(1_000, UNREADY);
  assert.deepEqual(next, { delayMs: 1_000, bits: PLAIN }, 'a live server is asked at the pace of the burst meanwhile');
});

test('a live server that denies is asked with the plain bits at the pace of the burst', () => {
  const asked = queries(make(), new Authority([], 30), 60_000, UNREADY);
  assert.equal(asked.length, 61);
  assert.ok(asked.filter(([, bits]) => bits !== PLAIN).length <= 3);
});

test('with endpoints READY a denial is nothing urgent', () => {
  const reading = make();
  answered(reading, 0, PLAIN, 30, 'a');
  answered(reading, 1_050, PLAIN, 29, 'a');
  answered(reading, 7_500, DO, 30);
  assert.ok(reading.next(7_500, REGULAR).delayMs > 1_000);
});

test('a query that something else asked for reads an expired entry, or the one that expires next', () => {
  const reading = make();
  assert.equal(reading.bitsNow(0), PLAIN);
  queries(reading, new ModelCache(authority(30), { ttl: 30 }), 23_000);
  assert.equal(reading.bitsNow(25_000), PLAIN, 'expires next');
  answered(reading, 30_050, PLAIN, 30, 'a', 'b');
  assert.equal(reading.bitsNow(31_000), DO);
  assert.equal(reading.bitsNow(38_000), DO, 'has expired');
});

test('a cache that is no more is noticed, and the live server is asked at the regular pace', () => {
  const reading = make();
  const cache = new ModelCache(authority(30), { ttl: 30 });
  const live = authority(30);
  const server: ModelServer = { answer: (now, bits) => (now < 300_000 ? cache.answer(now, bits) : live.answer(now)) };
  const asked = queries(reading, server, 900_000);
  assert.equal(reading.status(900_000).state, 'none');
  const last = asked.filter(([at]) => at > 600_000);
  assert.ok(last.every(([, bits]) => bits === PLAIN));
  assert.equal(last.length, 60);
});

test('A and AAAA answers have ages of their own', () => {
  const reading = make();
  const of = (ttl: number, ...addresses: string[]) => ({ denied: false, ttlMs: ttl * 1_000, addresses });
  reading.answered(-5_000, PLAIN, new Map(Object.entries({ A: of(30, 'a'), AAAA: of(15, 'x') })));
  reading.answered(0, PLAIN, new Map(Object.entries({ A: of(30, 'a'), AAAA: of(10, 'x') })));
  const uses = reading.answered(5_000, DO, new Map(Object.entries({ A: of(10, 'b'), AAAA: of(30, 'y') })));
  assert.deepEqual([...uses], Object.entries({ A: 'ignore', AAAA: 'replace' }));
});

const seeds = fc.integer();
const ttlOf: Record<string, (index: number) => number> = {
  zero: () => 0,
  'the same each time': () => 30,
  'counting up': (index) => index % 3_600,
};

test('where TTLs show no cache, not one query more than the plain interval is made, but for the one at the start', () => {
  for (const [name, ttl] of Object.entries(ttlOf)) {
    let index = 0;
    const server: ModelServer = { answer: () => ({ addresses: ['a'], ttl: ttl(index++) }) };
    const counts = (['phased', 'plain'] as const).map((rule) => {
      const client = new SimulatedClient(rule, server, 0, { ...DEFAULT_SETTINGS, jitter: 0 }, () => 0);
      runClients([client], 3_600_000);
      return client.queries.length;
    });
    assert.ok((counts[0] ?? 0) <= (counts[1] ?? 0) + 1, `TTL ${name}: ${counts}`);
  }
});

test('in the steady state at most four queries are made in a TTL, or one in an interval', () => {
  const keys = fc.constantFrom('do-cd', 'do', 'none' as const);
  const rounding = fc.constantFrom('up', 'down' as const);
  fc.assert(
    fc.property(seeds, fc.integer({ min: 4, max: 90 }), keys, rounding, (seed, ttl, key, roundedTo) => {
      const cache = new ModelCache(authority(ttl), { ttl, minTtl: 0, key, rounding: roundedTo });
      const client = new SimulatedClient('phased', cache, 0, DEFAULT_SETTINGS, seededRandom(seed));
      const lifeMs = ttl * 1_000;
      runClients([client], 110 * lifeMs);
      const steady = client.queries.filter(({ at }) => at > 10 * lifeMs).length;
      const allowed = 100 * Math.max(4, lifeMs / DEFAULT_SETTINGS.intervalMs);
      // What `adaptive` asks is within the budget too: the regular queries, and one at each expiry.
      const perLife = key === 'none' ? 100 : 0;
      assert.ok(steady <= allowed * 1.01 + perLife, `${steady} of ${allowed} queries`);
    }),
    { numRuns: 60 },
  );
});

/** A server whose TTLs follow no rule, and whose set is `final` from some moment on. */
const liars = fc.record({
  seed: seeds,
  maxTtl: fc.integer({ min: 1, max: 60 }),
  kind: fc.constantFrom('random', 'jumping', 'constant' as const),
  changesAt: fc.integer({ min: 10_000, max: 200_000 }),
});

function liar({ seed, maxTtl, kind, changesAt }: typeof liars extends fc.Arbitrary<infer T> ? T : never): {
  readonly server: ModelServer;
  readonly shown: number[];
} {
  const random = seededRandom(seed);
  const shown: number[] = [];
  let ttl = maxTtl;
  const server: ModelServer = {
    answer(now) {
      if (kind === 'random' || (kind === 'jumping' && random() < 0.2)) ttl = Math.floor(random() * (maxTtl + 1));
      else if (kind === 'jumping') ttl = Math.max(0, ttl - Math.floor(random() * 8));
      const addresses = now >= changesAt ? ['final'] : [`pod-${Math.floor(random() * 4)}`, 'x'];
      shown.push(ttl * 1_000);
      return { addresses: now < changesAt && random() < 0.2 ? [] : addresses, ttl };
    },
  };
  return { server, shown };
}

test('no set that DNS keeps answering is refused longer than the longest TTL shown and one interval', () => {
  fc.assert(
    fc.property(liars, (plan) => {
      const { server, shown } = liar(plan);
      const client = new SimulatedClient('phased', server, 0, DEFAULT_SETTINGS, seededRandom(plan.seed + 1));
      runClients([client], plan.changesAt + 300_000);
      const firstAt = client.queries.find(({ at }) => at >= plan.changesAt)?.at ?? Number.NaN;
      const shownAt = client.sightings.at(-1)?.at ?? Number.NaN;
      assert.deepEqual([...client.addresses], ['final']);
      const intervalMs = DEFAULT_SETTINGS.intervalMs * (1 + DEFAULT_SETTINGS.jitter);
      assert.ok(shownAt - firstAt <= Math.max(...shown) + intervalMs, `refused for ${shownAt - firstAt} ms`);
    }),
    { numRuns: 300 },
  );
});

test('whatever a server answers, two queries are never nearer than the floor', () => {
  fc.assert(
    fc.property(liars, (plan) => {
      const client = new SimulatedClient('phased', liar(plan).server, 0, DEFAULT_SETTINGS, seededRandom(plan.seed + 1));
      runClients([client], 300_000);
      client.queries.reduce((before, query) => {
        assert.ok(query.at - before.at >= DEFAULT_SETTINGS.minIntervalMs - 1e-6, `${query.at - before.at} ms`);
        return query;
      });
    }),
    { numRuns: 100 },
  );
});
