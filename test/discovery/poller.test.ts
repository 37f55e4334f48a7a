/** When the poller asks, and what it makes of the answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EmptyRule } from '../../lib/discovery/membership.js';
import { covers } from '../faults/covers.js';
import { a, b, c, NXDOMAIN, pollerFixture, SERVFAIL, told } from '../support/poller-fixture.js';
import { pods } from '../support/scripted-resolver.js';

test('it asks at once and then at every interval, and reports the whole set each time', async () => {
  const { clock, resolver, join } = pollerFixture();
  const { updates, end } = join();
  await clock.advance(10_000);
  assert.deepEqual(resolver.times, [0, 5_000, 10_000]);
  assert.deepEqual(told(updates), Array(3).fill({ addresses: [a, b], error: null }));
  resolver.answer = pods(b, c);
  await clock.advance(5_000);
  assert.deepEqual(updates[3]?.addresses, [b, c]);
  end();
});

test('an update tells whether the set is another one than the last update had', async () => {
  const { clock, resolver, join } = pollerFixture();
  const { updates, end } = join();
  await clock.advance(0);
  const late = join();
  await clock.advance(0);
  resolver.answer = pods(b, c);
  await clock.advance(10_000);
  assert.deepEqual(
    updates.map(({ changed }) => changed),
    [true, true, false],
  );
  assert.deepEqual(
    late.updates.map(({ addresses, changed }) => [addresses, changed]),
    [
      [[a, b], true],
      [[b, c], true],
      [[b, c], false],
    ],
    'a subscriber that joins later has its own first update',
  );
  end();
  late.end();
});

test('shuffled and repeated records are reported as an unchanged set, and count as no change', covers(28), async () => {
  const { clock, resolver, poller, join } = pollerFixture();
  const { updates, end } = join();
  await clock.advance(0);
  for (const answer of [pods(b, a), pods(a, b, a), pods(b, b, a)]) {
    resolver.answer = answer;
    await clock.advance(5_000);
  }
  assert.deepEqual(
    updates.map(({ addresses, changed }) => [addresses, changed]),
    [true, false, false, false].map((changed) => [[a, b], changed]),
  );
  assert.equal(poller.counters.changes, 1);
  end();
});

test('requests for a re-resolution, however many, bring one query, and not within minIntervalMs of the last', async () => {
  const { clock, resolver, poller, join } = pollerFixture();
  const { requestReresolution, end } = join();
  await clock.advance(200);
  for (let times = 0; times < 10; times++) requestReresolution();
  await clock.advance(5_799);
  assert.deepEqual(resolver.times, [0, 1_000]);
  assert.equal(poller.counters.hinted, 1);
  await clock.advance(1);
  assert.deepEqual(resolver.times, [0, 1_000, 6_000], 'the interval starts anew');
  end();
});

test('requests that never cease and find nothing new wait twice as long each time, up to the interval', async () => {
  const { clock, resolver, join } = pollerFixture();
  const { requestReresolution, end } = join();
  for (let step = 0; step < 400; step++) {
    await clock.advance(50);
    requestReresolution();
  }
  assert.deepEqual(resolver.times, [0, 1_000, 3_000, 7_000, 12_000, 17_000]);
  end();
});

test('a change, or a query that no request came before, ends the backoff of requests', async () => {
  const { clock, resolver, join } = pollerFixture();
  const { requestReresolution, end } = join();
  const requestAll = async (ms: number): Promise<void> => {
    for (let step = 0; step < ms / 50; step++) {
      await clock.advance(50);
      requestReresolution();
    }
  };
  await requestAll(3_000);
  resolver.answer = pods(b, c);
  await requestAll(5_000);
  assert.deepEqual(resolver.times, [0, 1_000, 3_000, 7_000, 8_000]);
  await clock.advance(10_000);
  requestReresolution();
  await clock.advance(1_000);
  assert.deepEqual(resolver.times.slice(5), [10_000, 15_000, 18_000], 'after a quiet interval it asks at once');
  end();
});

test(
  'servers that close their connections every half second cause at most twice the queries of the interval',
  covers(56),
  async () => {
    const { clock, resolver, join } = pollerFixture({ refresh: { burstMs: 30_000 } });
    const { setReady, requestReresolution, end } = join();
    setReady(true);
    for (let step = 0; step < 120; step++) {
      requestReresolution();
      setReady(false);
      await clock.advance(5);
      setReady(true);
      await clock.advance(495);
    }
    assert.ok(resolver.times.length <= 2 * 12, `${resolver.times}`);
    end();
  },
);

test('a channel that stays unready is polled at the floor, though requests before were in vain', async () => {
  const { clock, resolver, join } = pollerFixture({ refresh: { burstMs: 30_000 } });
  const { setReady, requestReresolution, end } = join();
  setReady(true);
  for (let step = 0; step < 400; step++) {
    await clock.advance(50);
    requestReresolution();
  }
  const before = resolver.times.length;
  setReady(false);
  await clock.advance(5_000);
  assert.ok(resolver.times.length - before >= 4, `${resolver.times}`);
  end();
});

test('a request long after the last query asks at once', async () => {
  const { clock, resolver, join } = pollerFixture();
  const { requestReresolution, end } = join();
  await clock.advance(3_000);
  requestReresolution();
  await clock.advance(0);
  assert.deepEqual(resolver.times, [0, 3_000]);
  end();
});

test('one query is under way at a time: its answer serves requests and refreshes made meanwhile', async () => {
  const { clock, resolver, poller, join } = pollerFixture({ answer: null });
  const { requestReresolution, refresh, updates, end } = join();
  requestReresolution();
  const refreshed = Promise.all([refresh(), refresh()]);
  await clock.advance(60_000);
  assert.deepEqual([resolver.queries.length, clock.timers], [1, 0]);
  resolver.queries[0]?.reply(pods(a));
  await refreshed;
  assert.equal(updates.length, 1);
  assert.equal(poller.counters.polls, 1);
  end();
});

test('refresh() resolves once its answer has been reported, or its failure', async () => {
  const { clock, resolver, join } = pollerFixture();
  const { refresh, updates, end } = join();
  await clock.advance(2_000);
  for (const answer of [pods(c), SERVFAIL, new Error('the resolver is broken')]) {
    resolver.answer = answer;
    let reported = -1;
    const done = refresh().then(() => {
      reported = updates.length;
    });
    await clock.advance(999);
    await done;
    assert.equal(reported, resolver.queries.length);
  }
  assert.deepEqual(resolver.times, [0, 2_000, 3_000, 4_000]);
  assert.equal(updates[3]?.error?.code, 'ERR_HEADLESS_DNS_LOOKUP');
  end();
});

test('refresh() called from within a report waits for the next answer, not for the one being reported', async () => {
  const { clock, resolver, poller } = pollerFixture();
  let polls = 0;
  const subscription = poller.subscribe(() => {
    if (polls > 0) return;
    void subscription.refresh().then(() => {
      polls = resolver.queries.length;
    });
  });
  await clock.advance(500);
  assert.equal(polls, 0);
  await clock.advance(500);
  assert.equal(polls, 2);
  subscription.end();
});

test('refresh() resolves when the poller stops before the answer, and at once after the end', async () => {
  const { join } = pollerFixture({ answer: null });
  const { refresh, end } = join();
  const refreshed = refresh();
  end();
  await refreshed;
  await refresh();
});

test('while no subscriber is READY it polls at minIntervalMs, but no longer than burstMs', async () => {
  const { clock, resolver, join } = pollerFixture({ refresh: { burstMs: 10_000 } });
  const { end } = join();
  await clock.advance(24_999);
  assert.deepEqual(resolver.times, [...Array.from({ length: 11 }, (_, poll) => poll * 1_000), 15_000, 20_000]);
  end();
});

test('once all subscribers are READY the interval holds, and one that no longer is READY asks at once and starts a burst', async () => {
  const { clock, resolver, join } = pollerFixture({ refresh: { burstMs: 10_000 } });
  const [one, two] = [join(), join()];
  await clock.advance(500);
  one.setReady(true);
  two.setReady(true);
  await clock.advance(8_500);
  assert.deepEqual(resolver.times, [0, 5_000]);
  one.setReady(false);
  await clock.advance(1_500);
  assert.deepEqual(resolver.times, [0, 5_000, 9_000, 10_000]);
  one.setReady(true);
  two.end();
  await clock.advance(5_500);
  assert.deepEqual(resolver.times.slice(4), [15_000]);
  one.end();
});

test('a subscriber without a READY pod that ends also ends the burst that it caused', async () => {
  const { clock, resolver, join } = pollerFixture({ refresh: { burstMs: 60_000 } });
  const [ready, unready] = [join(), join()];
  ready.setReady(true);
  await clock.advance(1_500);
  unready.end();
  await clock.advance(6_000);
  assert.deepEqual(resolver.times, [0, 1_000, 6_000]);
  ready.end();
});

test('a change of the set starts a burst; the first set does not', async () => {
  const { clock, resolver, join } = pollerFixture({ refresh: { burstMs: 3_000 } });
  const { setReady, end } = join();
  setReady(true);
  await clock.advance(5_000);
  resolver.answer = pods(a, b, c);
  await clock.advance(14_000);
  assert.deepEqual(resolver.times, [0, 5_000, 10_000, 11_000, 12_000, 13_000, 18_000]);
  end();
});

test('failures back off, keep the set, and the first answer brings the interval back', covers(23, 34), async () => {
  const { clock, resolver, poller, join } = pollerFixture({ refresh: { intervalMs: 10_000 } });
  const { updates, end } = join();
  await clock.advance(0);
  resolver.answer = SERVFAIL;
  await clock.advance(30_000);
  const backoff = [0, 1_000, 2_600, 5_160, 9_256, 15_810];
  assert.deepEqual(resolver.times, [0, ...backoff.map((ms) => 10_000 + ms)]);
  for (const { addresses } of updates) assert.deepEqual(addresses, [a, b]);
  assert.equal(updates.filter(({ changed }) => changed).length, 1);
  assert.equal(updates.at(-1)?.error?.code, 'ERR_HEADLESS_DNS_SERVFAIL');
  assert.equal(poller.status.failures, 6);
  assert.match(poller.status.error ?? '', /SERVFAIL/);
  resolver.answer = pods(a, b);
  await clock.advance(18_000);
  assert.equal(poller.status.failures, 0);
  assert.equal(poller.lastError, null);
  assert.deepEqual(resolver.times.slice(7), [35_810, 45_810]);
  end();
});

test(
  'NXDOMAIN at cold start is reported with its cause, and the pod is found within one interval',
  covers(25),
  async () => {
    const { clock, resolver, poller, join } = pollerFixture({ answer: NXDOMAIN });
    const { updates, end } = join();
    await clock.advance(12_000);
    assert.deepEqual(resolver.times, [0, 5_000, 10_000]);
    assert.deepEqual(updates[2]?.addresses, []);
    assert.equal(updates[2]?.error?.code, 'ERR_HEADLESS_DNS_NXDOMAIN');
    assert.deepEqual([poller.counters.emptyAnswers, poller.counters.failures, poller.status.failures], [3, 0, 0]);
    resolver.answer = pods(a);
    await clock.advance(3_000);
    assert.deepEqual(told(updates)[3], { addresses: [a], error: null });
    end();
  },
);

for (const [rule, left] of Object.entries({ keep: [a, b], drop: [] }))
  test(
    `NXDOMAIN after a good answer leaves ${left.length} of 2 pods under empty: '${rule}', and is told`,
    covers(24),
    async () => {
      const { clock, resolver, join } = pollerFixture({ empty: rule as EmptyRule });
      const { updates, end } = join();
      await clock.advance(0);
      resolver.answer = NXDOMAIN;
      await clock.advance(5_000);
      assert.deepEqual(updates[1]?.addresses, left);
      assert.equal(updates[1]?.error?.code, 'ERR_HEADLESS_DNS_NXDOMAIN');
      end();
    },
  );

test(
  'a wall clock that jumps an hour either way changes nothing but the times that people read',
  covers(50),
  async () => {
    const { clock, resolver, poller, join } = pollerFixture();
    const { requestReresolution, end } = join();
    await clock.advance(2_000);
    for (const jump of [3_600_000, -7_200_000]) {
      clock.jumpWallTime(jump);
      assert.equal(poller.status.ageMs, clock.now() - 1_000 - (resolver.times.at(-1) ?? 0));
      assert.equal(poller.status.nextQueryAt, clock.wallTime() + (clock.nextIn ?? 0));
      await clock.advance(5_000);
    }
    assert.deepEqual(resolver.times, [0, 5_000, 10_000]);
    clock.jumpWallTime(3_600_000);
    requestReresolution();
    await clock.advance(0);
    assert.deepEqual(resolver.times, [0, 5_000, 10_000, 12_000]);
    end();
  },
);

test(
  'a set that alternates at each poll is reported each time, at the pace of the burst at most',
  covers(49),
  async () => {
    const { clock, resolver, poller, join } = pollerFixture({ refresh: { burstMs: 30_000 } });
    const { updates, end } = join();
    for (let poll = 0; poll < 10; poll++) {
      resolver.answer = poll % 2 === 0 ? pods(a, b) : pods(a, c);
      await clock.advance(poll === 0 ? 0 : 1_000);
    }
    assert.deepEqual(
      updates.map(({ addresses }) => addresses[1]),
      [b, c, b, c, b, c, b, c, b, c],
    );
    assert.equal(poller.counters.changes, 10);
    assert.deepEqual(
      resolver.times,
      Array.from({ length: 10 }, (_, poll) => poll * 1_000),
    );
    end();
  },
);
