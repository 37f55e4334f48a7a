/** Who is told what: several subscribers, stops, wake-ups, and the status for people. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../faults/covers.js';
import { settle } from '../support/fake-clock.js';
import { a, b, c, pollerFixture, SERVFAIL, told } from '../support/poller-fixture.js';
import { pods } from '../support/scripted-resolver.js';
import { uncaughtDuring } from '../support/uncaught.js';

test('when the last subscriber ends while it waits, no timer is left', covers(44), async () => {
  const { clock, resolver, join } = pollerFixture();
  const [one, two] = [join(), join()];
  await clock.advance(1);
  one.end();
  assert.equal(clock.timers, 1);
  two.end();
  two.end();
  assert.equal(clock.timers, 0);
  await clock.advance(60_000);
  assert.equal(resolver.queries.length, 1);
});

test(
  'when the last subscriber ends while it asks, the query is aborted and its late answer ignored',
  covers(35, 44),
  async () => {
    for (const late of [pods(a), new Error('late')]) {
      const { clock, resolver, poller, join } = pollerFixture({ answer: null });
      const [one, two] = [join(), join()];
      one.end();
      assert.equal(resolver.queries[0]?.signal.aborted, false);
      two.end();
      assert.equal(resolver.queries[0]?.signal.aborted, true);
      resolver.queries[0]?.reply(late);
      await settle();
      assert.deepEqual([one.updates, two.updates, clock.timers], [[], [], 0]);
      assert.deepEqual(poller.status.addresses, []);
    }
  },
);

test('a subscriber that comes while another leaves an open query gets an answer of its own', async () => {
  const { resolver, join } = pollerFixture({ answer: null });
  join().end();
  const { updates, end } = join();
  resolver.queries[0]?.reply(pods(a));
  resolver.queries[1]?.reply(pods(b));
  await settle();
  assert.deepEqual(told(updates), [{ addresses: [b], error: null }]);
  end();
});

test('nothing is reported to a subscriber that ended, even by another one within the same report', async () => {
  const { clock, poller, join } = pollerFixture();
  const first = poller.subscribe(() => second.end());
  const second = join();
  await clock.advance(20_000);
  assert.deepEqual(second.updates, []);
  first.end();
});

test('it may be ended from within a report', async () => {
  const { clock, resolver, poller } = pollerFixture();
  const only = poller.subscribe(() => only.end());
  await clock.advance(20_000);
  assert.deepEqual([resolver.queries.length, clock.timers], [1, 0]);
});

test('started again it asks at once, and reports the set of before if DNS is down', covers(34), async () => {
  const { clock, resolver, join } = pollerFixture();
  join().end();
  const first = join();
  await clock.advance(0);
  first.end();
  await clock.advance(3_600_000);
  resolver.answer = SERVFAIL;
  const { updates, end } = join();
  assert.equal(updates.length, 0);
  await clock.advance(0);
  assert.equal(updates.length, 1);
  assert.deepEqual(updates[0]?.addresses, first.updates[0]?.addresses);
  assert.equal(updates[0]?.error?.code, 'ERR_HEADLESS_DNS_SERVFAIL');
  end();
});

test('a second subscriber is told the current set at once, without another query', async () => {
  const { clock, resolver, join } = pollerFixture();
  const first = join();
  await clock.advance(2_000);
  const second = join();
  assert.deepEqual(second.updates, [], 'not before it has its subscription');
  await settle();
  assert.deepEqual(second.updates, first.updates);
  assert.equal(resolver.queries.length, 1);
  await clock.advance(3_000);
  assert.deepEqual([first.updates.length, second.updates.length], [2, 2]);
  first.end();
  second.end();
});

test('a set remembered from before a stop is not reported before the answer that is on its way', async () => {
  const { clock, resolver, join } = pollerFixture();
  const before = join();
  await clock.advance(0);
  before.end();
  await clock.advance(3_600_000);
  resolver.answer = null;
  const [one, two] = [join(), join()];
  await settle();
  assert.deepEqual([one.updates, two.updates], [[], []]);
  resolver.queries[1]?.reply(pods(c));
  await settle();
  for (const { updates } of [one, two]) assert.deepEqual(told(updates), [{ addresses: [c], error: null }]);
  one.end();
  two.end();
});

test("a listener's error surfaces, and neither the polling nor the other listeners notice", async () => {
  const { clock, resolver, poller, join } = pollerFixture();
  const faulty = poller.subscribe(() => {
    throw new Error('of the listener');
  });
  const { updates, end } = join();
  const uncaught = await uncaughtDuring(() => clock.advance(5_000));
  assert.deepEqual(uncaught.map(String), ['Error: of the listener', 'Error: of the listener']);
  assert.deepEqual([resolver.queries.length, updates.length], [2, 2]);
  faulty.end();
  end();
});

test('the status describes the last answer completely', async () => {
  const { clock, resolver, poller, join } = pollerFixture({ answer: null });
  const nothing = {
    name: 'svc.ns',
    server: null,
    transport: null,
    rcode: null,
    addresses: [],
    ttlMs: null,
    answeredAt: null,
    ageMs: null,
    failures: 0,
    error: null,
    errorCode: null,
    nextQueryAt: null,
    cache: null,
    zone: null,
  };
  assert.deepEqual(poller.status, nothing);
  const { end } = join();
  assert.deepEqual(poller.status, nothing, 'while it asks, too');
  await clock.advance(300);
  const answeredAt = clock.wallTime();
  resolver.queries[0]?.reply({ ...pods(a), rcode: 'NOERROR' });
  await clock.advance(1_200);
  assert.deepEqual(poller.status, {
    ...nothing,
    name: 'svc.ns.svc.cluster.local',
    server: '10.96.0.10:53',
    transport: 'udp',
    rcode: 'NOERROR',
    addresses: [a],
    ttlMs: 5_000,
    answeredAt,
    ageMs: 1_200,
    nextQueryAt: answeredAt + 5_000,
  });
  end();
});
