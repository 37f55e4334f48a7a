/** Phased reading in front of CoreDNS's own cache, in one layer and in two, and in front of CoreDNS without a cache. */
import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually.js';
import { coredns, corednsCache } from './coredns.js';
import { type Polling, pollOn } from './polling.js';
import { RealDnsServer } from './server.js';
import { ask, clientOf, ips, NAME, serverTest } from './suite.js';

/** Seconds. CoreDNS's cache keeps nothing for less than 5. */
const TTL = 8;
const TTL_MS = TTL * 1_000;
/** The default. */
const MIN_INTERVAL_MS = 1_000;
/** For queries that a busy machine sends or answers late. */
const LATE_MS = 1_000;
const PAIRS = [0, 1, 2, 3];

const recipes = [coredns, corednsCache(0)];

/** Waits for a query with each pair of bits that was made just after its entry had expired. */
function readingInTurn(polling: Polling): Promise<void> {
  return eventually(
    () => {
      const last = polling.polls.slice(-4);
      assert.deepEqual(last.map(({ pair }) => pair).sort(), PAIRS);
      assert.ok(last.every(({ ttlMs }) => ttlMs >= TTL_MS - 1_000));
    },
    { timeoutMs: 4 * TTL_MS },
  );
}

for (const layers of [1, 2])
  serverTest(`CoreDNS with ${layers} layer(s) of cache: four entries are read in turn`, recipes, async (defer) => {
    const authority = await RealDnsServer.start(defer, coredns, { ttl: TTL });
    await authority.set(NAME, { a: ips(3) });
    let server = authority;
    for (let layer = 0; layer < layers; layer++) server = await RealDnsServer.start(defer, corednsCache(server.port));
    const polling = pollOn(defer, server.address);

    // The cache is found by the second query, within two `minIntervalMs` of the start.
    await eventually(() => polling.polls.length >= 2);
    const [first, second] = polling.polls;
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual([first.cache.state, second.cache.state], ['unknown', 'present']);
    assert.ok(first.nextInMs > MIN_INTERVAL_MS && first.nextInMs < 2 * MIN_INTERVAL_MS, `${first.nextInMs} ms`);

    // Each pair of bits has an entry of its own, and they expire at different times.
    await readingInTurn(polling);
    const expiries = [...polling.cache.expiresInMs].sort((a, b) => a - b);
    assert.equal(expiries.length, 4);
    expiries.slice(1).forEach((expiry, index) => {
      const apartMs = expiry - (expiries[index] ?? Number.NaN);
      assert.ok(apartMs > TTL_MS / 16, `${expiries}`);
    });

    // A change just after the plain entry was filled is seen long before that entry expires.
    const fillings = () => polling.polls.filter(({ pair, ttlMs }) => pair === 0 && ttlMs === TTL_MS);
    const before = fillings().length;
    const filled = await eventually(() => fillings()[before] ?? assert.fail('the plain entry was not filled'), {
      timeoutMs: 3 * TTL_MS,
    });
    await authority.set(NAME, { a: ips(4) });
    const seen = await eventually(() => polling.sightings[1] ?? assert.fail('no change was seen'), {
      timeoutMs: TTL_MS,
    });
    assert.deepEqual(seen.addresses, ips(4));
    assert.ok(seen.at < filled.answeredAt + TTL_MS - 1_000, `seen ${seen.at - filled.answeredAt} ms after the filling`);
    const seenBy = polling.polls.findLast(({ answeredAt }) => answeredAt <= seen.at);
    assert.notEqual(seenBy?.pair, 0);

    // So is a removal.
    await authority.set(NAME, { a: ips(2) });
    await eventually(() => assert.deepEqual(polling.sightings[2]?.addresses, ips(2)), { timeoutMs: TTL_MS });
    assert.equal(polling.sightings.length, 3);

    // Four queries in each life of an entry, after those that find out.
    const lives = polling.now / TTL_MS;
    assert.ok(polling.polls.length <= 4 * (lives + 1), `${polling.polls.length} queries in ${lives} lives`);
  });

serverTest('CoreDNS without a cache: it is known as live, and only plain queries are sent', recipes, async (defer) => {
  const authority = await RealDnsServer.start(defer, coredns, { ttl: TTL });
  await authority.set(NAME, { a: ips(3) });
  const intervalMs = 2_000;
  const polling = pollOn(defer, authority.address, { intervalMs });
  await eventually(() => polling.polls.length >= 6, { timeoutMs: 10 * intervalMs });
  const states = polling.polls.map(({ cache }) => cache.state);
  assert.deepEqual(states, ['unknown', ...states.slice(1).map(() => 'none')]);
  assert.deepEqual([...new Set(polling.polls.map(({ pair }) => pair))], [0]);
  // One query ahead of the interval, to find out. The wait after it spreads clients that started together.
  const early = polling.polls.filter(({ nextInMs }) => nextInMs < intervalMs - 100);
  assert.deepEqual(early[0], polling.polls[0]);
  assert.deepEqual(early.slice(1), polling.polls.slice(1, early.length));
  assert.ok(early.length <= 2, `${early.map(({ nextInMs }) => nextInMs)} ms`);

  // A live server's answers count as they come, removals too.
  await authority.set(NAME, { a: ips(2) });
  const polls = polling.polls.length;
  await eventually(() => polling.polls.length > polls + 1, { timeoutMs: 5 * intervalMs });
  assert.deepEqual(polling.sightings.at(-1)?.addresses, ips(2));
});

serverTest(
  'CoreDNS with a denial that another client left in its cache: the first address comes at once',
  recipes,
  async (defer) => {
    const authority = await RealDnsServer.start(defer, coredns, { ttl: 30 });
    const cache = await RealDnsServer.start(defer, corednsCache(authority.port));
    const denied = 'ERR_HEADLESS_DNS_NXDOMAIN';
    const other = clientOf(cache);
    assert.deepEqual((await ask(other)).found, { A: denied });
    await authority.set(NAME, { a: ips(3) });

    const polling = pollOn(defer, cache.address);
    await eventually(() => polling.sightings.length > 0, { timeoutMs: 20_000 });
    const [first, second] = polling.polls;
    assert.deepEqual([first?.pair, first?.addresses], [0, []], 'the plain entry is the denial');
    assert.notEqual(second?.pair, 0);
    assert.deepEqual(polling.sightings[0]?.addresses, ips(3));
    const at = polling.sightings[0]?.at ?? Number.NaN;
    assert.ok(at < 4 * MIN_INTERVAL_MS, `after ${at} ms`);
    assert.deepEqual((await ask(other)).found, { A: denied }, 'the cache still denies it to others');
  },
);

serverTest(
  "CoreDNS with a denial that the client's own first queries left in its cache: pods that come are seen soon",
  recipes,
  async (defer) => {
    const authority = await RealDnsServer.start(defer, coredns, { ttl: 30 });
    const cache = await RealDnsServer.start(defer, corednsCache(authority.port));
    const polling = pollOn(defer, cache.address);
    // A second pair of bits has just met the denial as well, and is spoilt for thirty seconds too.
    await eventually(() => polling.polls.some(({ pair }) => pair !== 0), { timeoutMs: 10_000 });
    await authority.set(NAME, { a: ips(3) });
    const publishedAt = polling.now;
    await eventually(() => polling.sightings.length > 0, { timeoutMs: 20_000 });
    const waitedMs = (polling.sightings[0]?.at ?? Number.NaN) - publishedAt;
    assert.ok(waitedMs < 4 * MIN_INTERVAL_MS + LATE_MS, `after ${waitedMs} ms`);
    // Plain queries in between show the denial; the first query with bits that were not used yet shows the pods.
    const tried = polling.polls.filter(({ pair }) => pair !== 0);
    assert.deepEqual(
      tried.map(({ pair, addresses }) => [pair, addresses.length]),
      [
        [1, 0],
        [2, 3],
      ],
    );
  },
);
