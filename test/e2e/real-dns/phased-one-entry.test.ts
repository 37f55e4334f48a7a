/** Phased reading in front of caches that have one entry for all pairs of bits: they are found out, and read as one. */
import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually.js';
import { bindCache } from './bind.js';
import { coredns } from './coredns.js';
import { dnsmasqCache } from './dnsmasq.js';
import { pollOn } from './polling.js';
import { RealDnsServer } from './server.js';
import { ips, NAME, serverTest } from './suite.js';
import { unboundCache } from './unbound.js';

const TTL = 5;
const TTL_MS = TTL * 1_000;
const INTERVAL_MS = 3_000;
/** Of the steady state that is looked at. */
const LIVES = 2;
/** For queries that a busy machine sends or answers late. */
const LATE_MS = 1_500;

for (const [title, makeCache] of [
  ['Unbound', unboundCache],
  ['BIND', bindCache],
] as const)
  serverTest(
    `${title} as a cache: it has one entry, which is read as by 'adaptive'`,
    [coredns, makeCache(0)],
    async (defer) => {
      const authority = await RealDnsServer.start(defer, coredns, { ttl: TTL });
      await authority.set(NAME, { a: ips(3) });
      const cache = await RealDnsServer.start(defer, makeCache(authority.port));
      const polling = pollOn(defer, cache.address, { intervalMs: INTERVAL_MS });
      await eventually(() => polling.polls.length >= 2);
      assert.deepEqual(
        polling.polls.slice(0, 2).map((poll) => poll.cache.state),
        ['unknown', 'present'],
      );

      // To find out takes two queries with each of the other three pairs of bits.
      await eventually(() => polling.polls.filter(({ pair }) => pair > 0).length >= 6, { timeoutMs: 6 * TTL_MS });
      await eventually(() => assert.equal(polling.cache.expiresInMs.length, 1), { timeoutMs: TTL_MS });
      assert.ok(polling.polls.length <= 16, `${polling.polls.length} queries`);

      const from = polling.now;
      const known = polling.polls.length;
      await eventually(() => polling.now >= from + LIVES * TTL_MS, { timeoutMs: 2 * LIVES * TTL_MS });
      const steady = polling.polls.slice(known);
      assert.ok(steady.length >= LIVES);
      // One after each expiry, one each interval, and one at each end of the time that is looked at.
      const budget = LIVES + Math.ceil((LIVES * TTL_MS) / INTERVAL_MS) + 2;
      assert.ok(steady.length <= budget, `${steady.length} queries in ${LIVES} lives`);
      // Another pair is tried again only after twenty lives of an entry.
      assert.deepEqual([...new Set(steady.map(({ pair }) => pair))], [0]);
      assert.equal(polling.cache.expiresInMs.length, 1);

      // A change is seen just after the entry has expired.
      const before = polling.polls.at(-1) ?? assert.fail();
      const expiresAt = before.answeredAt + before.ttlMs;
      await authority.set(NAME, { a: ips(4) });
      const seen = await eventually(() => polling.sightings[1] ?? assert.fail('no change was seen'), {
        timeoutMs: 3 * TTL_MS,
      });
      assert.deepEqual(seen.addresses, ips(4));
      // The entry may have been renewed in the meantime, and Unbound has it for a second longer than it says.
      const lateMs = seen.at - expiresAt - TTL_MS;
      assert.ok(lateMs < 1_000 + LATE_MS, `${lateMs} ms after the entry had expired for good`);
    },
  );

serverTest(
  'dnsmasq as a cache: CD reads the plain entry, queries with DO pass it, and there is no query more for that',
  [coredns, dnsmasqCache(0)],
  async (defer) => {
    const authority = await RealDnsServer.start(defer, coredns, { ttl: TTL });
    await authority.set(NAME, { a: ips(3) });
    const cache = await RealDnsServer.start(defer, dnsmasqCache(authority.port));
    const polling = pollOn(defer, cache.address, { intervalMs: INTERVAL_MS });
    await eventually(() => polling.polls.length >= 2);
    assert.deepEqual(
      polling.polls.slice(0, 2).map((poll) => poll.cache.state),
      ['unknown', 'present'],
    );

    const timing = { timeoutMs: 8 * TTL_MS };
    await eventually(() => assert.equal(polling.cache.expiresInMs.length, 3), timing);

    const from = polling.now;
    const known = polling.polls.length;
    await eventually(() => polling.now >= from + LIVES * TTL_MS, { timeoutMs: 2 * LIVES * TTL_MS });
    const steady = polling.polls.slice(known);
    assert.ok(steady.length <= 4 * LIVES + 1, `${steady.length} queries in ${LIVES} lives`);
    assert.ok(steady.filter(({ pair }) => pair === 2).length <= 1);
    const passed = polling.polls.filter(({ pair }) => pair === 1 || pair === 3);
    assert.deepEqual([...new Set(passed.map(({ ttlMs }) => ttlMs))], [TTL_MS], 'from the authority each time');

    await authority.set(NAME, { a: ips(4) });
    const changedAt = polling.now;
    const seen = await eventually(() => polling.sightings[1] ?? assert.fail('no change was seen'), {
      timeoutMs: 2 * TTL_MS,
    });
    assert.deepEqual(seen.addresses, ips(4));
    assert.ok(seen.at - changedAt < TTL_MS + LATE_MS, `seen after ${seen.at - changedAt} ms`);
  },
);
