import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { covers } from '../faults/covers.js';
import { balancerFixture, twoReady } from '../support/balancer-fixture.js';
import { FakeControlHelper } from '../support/fake-subchannel.js';

test('a removed pod is out of the picker before it begins to drain, and its connection lingers', async () => {
  const { give, serving, states, counters, held, helper, balancer, clock } = twoReady();
  helper.updateState = function (state, picker, error) {
    FakeControlHelper.prototype.updateState.call(this, state, picker, error);
    assert.deepEqual([serving(), counters.drained], ['a', 0], 'the picker is out, and draining has not begun');
  };
  give('a');
  assert.deepEqual(states(), { a: 'ready', b: 'draining' });
  assert.equal(counters.drained, 1);
  assert.equal(balancer.endpoints()[1]?.since, clock.wallTime());
  await clock.advance(29_999);
  assert.equal(held(), 'ab');
  await clock.advance(1);
  assert.equal(held(), 'a');
  assert.deepEqual(helper.children, ['a:50051']);
});

test('a removed pod that never was READY is released at once', () => {
  const { give, up, pod, held, counters, clock } = balancerFixture();
  give('abc');
  up('a');
  pod('c').become('TRANSIENT_FAILURE', 'ECONNREFUSED');
  give('a');
  assert.deepEqual([held(), counters.drained, clock.timers], ['a', 0, 0]);
});

test('a pod that returns while it drains serves on the same connection', covers(43), async () => {
  const { give, serving, made, states, counters, clock } = twoReady();
  give('a');
  await clock.advance(29_999);
  give('ab');
  assert.equal(serving(), 'ab');
  await clock.advance(60_000);
  assert.deepEqual([made(), states(), clock.timers], ['ab', { a: 'ready', b: 'ready' }, 0]);
  assert.deepEqual([counters.drained, counters.returned, counters.connected], [1, 1, 2]);
});

test('a set that alternates at each poll never costs a connection', covers(49), async () => {
  const { give, made, serving, clock, pod } = twoReady();
  for (let poll = 0; poll < 40; poll++) {
    give(poll % 2 === 0 ? 'a' : 'ab');
    await clock.advance(1_000);
  }
  assert.equal(made(), 'ab');
  assert.equal(serving(), 'ab');
  assert.deepEqual([pod('b').refs, clock.timers], [1, 0]);
});

test('a call in flight holds a draining pod past its linger, to the end of the call', covers(42), async () => {
  const { give, up, call, held, clock } = twoReady();
  const ends = [call(), call()];
  give('abc');
  up('c');
  give('c');
  await clock.advance(120_000);
  assert.equal(held(), 'abc');
  ends[0]?.();
  assert.equal(held().length, 2);
  ends[1]?.();
  assert.equal(held(), 'c');
});

test('a call that ends while the connection lingers does not release it', async () => {
  const { give, call, held, clock } = twoReady();
  const ends = [call(), call()];
  give('a');
  for (const end of ends) end();
  assert.equal(held(), 'ab');
  await clock.advance(30_000);
  assert.equal(held(), 'a');
});

test('with a linger of 0 an idle pod is released in the next turn', async () => {
  const { give, held, clock } = twoReady({ lingerMs: 0 });
  give('a');
  await clock.advance(0);
  assert.equal(held(), 'a');
});

test('a draining pod whose connection breaks is released, and not connected again', () => {
  const { give, pod, held, clock, source } = twoReady();
  give('a');
  const { connects } = pod('b');
  pod('b').become('IDLE');
  assert.deepEqual([held(), pod('b').connects, clock.timers, source.requests], ['a', connects, 0, 0]);
});

test('pods that left still serve until one of the set is READY, however long that takes', covers(41), async () => {
  const { give, serving, last, states, held, pod, up, source, clock } = twoReady();
  give('cd');
  assert.deepEqual([last().state, serving(), states().a], ['READY', 'ab', 'draining']);
  assert.equal(source.ready, false, 'they do not count as READY: DNS is asked in a burst');
  await clock.advance(60_000);
  pod('c').become('TRANSIENT_FAILURE', 'ECONNREFUSED');
  assert.deepEqual([serving(), held()], ['ab', 'abcd']);
  up('d');
  assert.deepEqual([serving(), held(), source.ready], ['d', 'cd', true]);
});

test('a pod that left serves again when the last one of the set is lost', () => {
  const { give, serving, pod } = twoReady();
  give('a');
  pod('a').become('IDLE');
  assert.equal(serving(), 'b');
  pod('b').become('IDLE');
  assert.equal(serving(), 'none');
});

test('a last resort with a call in flight is kept until the call ends, though others serve', async () => {
  const { give, call, held, up, clock } = twoReady();
  give('c');
  const end = call();
  await clock.advance(60_000);
  up('c');
  assert.equal(held().length, 2);
  end();
  assert.equal(held(), 'c');
});

test('a last resort that became unhealthy is released once an endpoint of the set takes calls', async () => {
  const { give, pod, up, held, clock } = twoReady();
  give('c');
  await clock.advance(60_000);
  pod('a').setHealthy(false);
  pod('b').setHealthy(false);
  assert.equal(held(), 'abc');
  up('c');
  assert.equal(held(), 'c');
});

test('a last resort is released when the set becomes empty because DNS says so', async () => {
  const { give, held, clock } = twoReady();
  give('c');
  await clock.advance(60_000);
  assert.equal(held(), 'abc');
  give('', 'NXDOMAIN: no such name');
  assert.equal(held(), '');
});

const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

test('a drain with a deadline ends what is still open, and says why', async () => {
  const { give, begin, held, counters, events, clock } = twoReady({ lingerMs: 5_000, timeoutMs: 60_000 });
  const ends: StatusObject[] = [];
  begin(ends);
  begin(ends);
  give('a');
  await clock.advance(59_999);
  assert.deepEqual([ends, held()], [[], 'ab']);
  await clock.advance(1);
  await tick();
  const details = 'headless: the pod b:50051 was removed from DNS, and drain.timeoutMs (60000 ms) passed';
  assert.deepEqual(
    ends.map((end) => [end.code, end.details]),
    [[status.UNAVAILABLE, details]],
  );
  assert.deepEqual([held(), clock.timers, counters.drainTimeouts], ['a', 0, 1]);
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'drain_timed_out'),
    [{ kind: 'drain_timed_out', address: 'b:50051', calls: 1 }],
  );
});

test('a deadline that ends sooner than the linger time leaves the connection for the return of the pod', async () => {
  const { give, begin, states, serving, made, clock } = twoReady({ lingerMs: 30_000, timeoutMs: 0 });
  const ends: StatusObject[] = [];
  begin(ends);
  begin(ends);
  give('a');
  await clock.advance(0);
  await tick();
  assert.deepEqual([ends.length, states()], [1, { a: 'ready', b: 'draining' }]);
  give('ab');
  assert.equal(serving(), 'ab');
  for (let call = 0; call < 4; call++) begin(ends);
  await clock.advance(60_000);
  assert.deepEqual([ends.length, made(), clock.timers], [1, 'ab', 0]);
});

test('a pod that returns before the deadline keeps its calls', covers(43), async () => {
  const { give, begin, clock } = twoReady({ timeoutMs: 10_000 });
  const ends: StatusObject[] = [];
  begin(ends);
  begin(ends);
  give('a');
  await clock.advance(9_999);
  give('ab');
  await clock.advance(60_000);
  assert.deepEqual([ends, clock.timers], [[], 0]);
});

test('a last resort has no deadline; it gets the whole time once others take calls', async () => {
  const { give, up, begin, held, clock } = twoReady({ lingerMs: 0, timeoutMs: 10_000 });
  const ends: StatusObject[] = [];
  begin(ends);
  give('c');
  await clock.advance(60_000);
  begin(ends);
  assert.deepEqual(ends, []);
  up('c');
  await clock.advance(9_999);
  assert.deepEqual(ends, []);
  await clock.advance(1);
  await tick();
  assert.deepEqual([ends.length, held()], [2, 'c']);
});

test('a call that was picked before the deadline and begins after it is picked again', async () => {
  const { give, pick, clock } = twoReady({ lingerMs: 30_000, timeoutMs: 10_000 });
  const late = [pick(), pick()].find(({ subchannel }) => subchannel?.getAddress() === 'b:50051');
  give('a');
  const listener = { onReceiveMetadata() {}, onReceiveMessage() {}, onReceiveStatus() {} };
  const begin = () => late?.subchannel?.getRealSubchannel().createCall(new Metadata(), '', '', listener, 1);
  await clock.advance(9_999);
  begin();
  await clock.advance(1);
  assert.throws(begin, /drain\.timeoutMs/);
});

test('without a deadline the calls of a draining pod are only counted', async () => {
  const { give, pod, pick, clock } = twoReady();
  give('a');
  assert.equal(pick().subchannel, pod('a'));
  assert.equal(clock.timers, 1);
});
