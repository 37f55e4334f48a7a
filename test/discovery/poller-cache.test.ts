/** The poller in front of DNS caches: what it asks with which bits, and which answers it applies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Poller } from '../../lib/discovery/poller.js';
import type { TtlRule } from '../../lib/discovery/schedule.js';
import { PLAIN_BITS, type QueryBits } from '../../lib/dns/message.js';
import type { NameResolver } from '../../lib/dns/name-resolver.js';
import { DiscoveryCounter } from '../../lib/telemetry/counters.js';
import { covers } from '../faults/covers.js';
import { Authority, ModelCache, type ModelServer, Replicas, type SetChange } from '../support/cache-model.js';
import { FakeClock } from '../support/fake-clock.js';
import { seededRandom } from '../support/fake-random.js';
import { empty, found, resolution } from '../support/scripted-resolver.js';

const TTL = 30;

/** A poller at its default settings, but without jitter, on a clock that starts at 0. */
function cachedPoller(server: ModelServer, ttl: TtlRule = 'phased', { random = (): number => 0, jitter = 0 } = {}) {
  const clock = new FakeClock({ startMs: 0 });
  const asked: [at: number, bits: QueryBits][] = [];
  const resolver: NameResolver = {
    async resolve(_signal, bits = PLAIN_BITS) {
      asked.push([Math.round(clock.now()), bits]);
      const { addresses, ttl: seconds } = server.answer(clock.now(), bits);
      return resolution({
        A: addresses.length > 0 ? found(addresses, { ttlMs: seconds * 1_000 }) : empty('NXDOMAIN', seconds * 1_000),
      });
    },
  };
  const refresh = { intervalMs: 5_000, jitter, minIntervalMs: 1_000, burstMs: 30_000, ttl };
  const runtime = { clock, random };
  const poller = new Poller(resolver, { hostname: 'svc.ns', refresh, empty: 'keep' }, runtime, new DiscoveryCounter());
  const changes: [at: number, hosts: readonly string[]][] = [];
  const failures: number[] = [];
  const subscription = poller.subscribe(({ addresses, changed, error }) => {
    if (error) failures.push(Math.round(clock.now()));
    if (!changed || addresses.length === 0) return;
    changes.push([Math.round(clock.now()), addresses.map(({ host }) => host)]);
    subscription.setReady(true);
  });
  return { clock, asked, poller, changes, failures, subscription };
}

const always = (...addresses: string[]): SetChange[] => [{ at: Number.NEGATIVE_INFINITY, addresses }];

test('behind a cache the four entries are read in turn, just after each expires, and the snapshot shows them', async () => {
  const { clock, asked, poller, subscription } = cachedPoller(
    new ModelCache(new Authority(always('a'), TTL), { ttl: TTL }),
  );
  await clock.advance(120_000);
  const last = asked.slice(-4);
  assert.equal(new Set(last.map(([, bits]) => bits)).size, 4);
  const waits = last.map(([at], index) => at - (last[index - 1]?.[0] ?? at)).slice(1);
  for (const wait of waits) assert.ok(wait > 6_500 && wait < 8_500, `${waits}`);
  const { cache } = poller.status;
  assert.deepEqual([cache?.state, cache?.ttlMs, cache?.expiresInMs.length], ['present', 30_000, 4]);
  subscription.end();
});

test('without a cache the plain bits are sent at the interval, with one query ahead of it at the start', async () => {
  const { clock, asked, poller, subscription } = cachedPoller(new Authority(always('a'), TTL));
  await clock.advance(21_500);
  assert.deepEqual(
    asked,
    [0, 1_050, 6_050, 11_050, 16_050, 21_050].map((at) => [at, PLAIN_BITS]),
  );
  assert.equal(poller.status.cache?.state, 'none');
  subscription.end();
});

test('clients that start together part after the second query, which looks for a cache', async () => {
  const third = async (random: number): Promise<number> => {
    const settings = { random: () => random, jitter: 0.1 };
    const { clock, asked, subscription } = cachedPoller(new Authority(always('a'), TTL), 'phased', settings);
    await clock.advance(7_000);
    subscription.end();
    return (asked[2]?.[0] ?? 0) - (asked[1]?.[0] ?? 0);
  };
  assert.equal(await third(0), 5_000);
  assert.ok((await third(0.9)) < 2_000);
});

for (const ttl of ['adaptive', 'ignore'] as const)
  test(`with ttl '${ttl}' only the plain bits are sent`, async () => {
    const { clock, asked, subscription } = cachedPoller(
      new ModelCache(new Authority(always('a'), TTL), { ttl: TTL }),
      ttl,
    );
    await clock.advance(120_000);
    assert.ok(asked.every(([, bits]) => bits === PLAIN_BITS));
    subscription.end();
  });

test('a request behind a cache is sent with the bits whose entry is the most likely to have news', async () => {
  const { clock, asked, subscription } = cachedPoller(new ModelCache(new Authority(always('a'), TTL), { ttl: TTL }));
  await clock.advance(63_000);
  subscription.requestReresolution();
  await clock.advance(0);
  const [at, bits] = asked.at(-1) ?? assert.fail();
  assert.equal(at, 63_000);
  assert.notEqual(bits, PLAIN_BITS, 'that entry was filled three seconds ago');
  subscription.end();
});

test('behind two caching replicas no pod is removed or added twice while pods only come', covers(53), async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const random = seededRandom(seed);
    const pods = Array.from({ length: 7 }, (_, pod) => `pod-${pod}`);
    const history = pods.map((_, pod) => ({
      at: pod === 0 ? -1 : 60_000 + 7_000 * pod,
      addresses: pods.slice(0, pod + 1),
    }));
    const replica = (): ModelCache => new ModelCache(new Authority(history, TTL), { ttl: TTL });
    const { clock, changes, subscription } = cachedPoller(new Replicas([replica(), replica()], random));
    await clock.advance(300_000);
    const sizes = changes.map(([, hosts]) => hosts.length);
    assert.deepEqual(
      sizes,
      [...sizes].sort((a, b) => a - b),
      `seed ${seed}`,
    );
    assert.equal(sizes.at(-1), pods.length);
    subscription.end();
  }
});

test(
  'behind a denial that was cached before the start, the first address comes within four times minIntervalMs',
  covers(54),
  async () => {
    const server = new ModelCache(new Authority([{ at: 0, addresses: ['a'] }], TTL), { ttl: TTL });
    server.answer(-1_000, PLAIN_BITS);
    const { clock, changes, asked, subscription } = cachedPoller(server);
    await clock.advance(4_000);
    assert.ok((changes[0]?.[0] ?? Number.POSITIVE_INFINITY) <= 4_000, `${asked.map(([at]) => at)}`);
    subscription.end();
  },
);

for (const [what, ttlAt] of Object.entries({
  'never counts down': () => 30,
  'counts up': (now: number) => 5 + Math.floor(now / 1_000),
  'is 0': () => 0,
}))
  test(`a TTL that ${what} brings no more queries than the interval, but for the first one`, covers(55), async () => {
    const { clock, asked, subscription } = cachedPoller({
      answer: (now) => ({ addresses: ['a'], ttl: ttlAt(now) }),
    });
    await clock.advance(300_000);
    assert.ok(asked.length <= 62, `${asked.length} queries`);
    subscription.end();
  });

test('a channel whose readiness flaps does not postpone the next query', async () => {
  const { clock, asked, subscription } = cachedPoller(new Authority(always('a'), TTL));
  for (let step = 0; step < 200; step++) {
    subscription.setReady(step % 2 === 0);
    await clock.advance(300);
  }
  const waits = asked.slice(1).map(([at], index) => at - (asked[index]?.[0] ?? 0));
  assert.ok(Math.max(...waits) <= 5_300, `${waits}`);
  subscription.end();
});
