import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PickArgs, PickResultType } from '../../lib/grpc/experimental.js';
import { Attempts } from '../../lib/picker/attempts.js';
import { leastRequest } from '../../lib/picker/least-request.js';
import { otherEndpoint } from '../../lib/picker/other-endpoint.js';
import { balancerFixture } from '../support/balancer-fixture.js';
import type { FakeSubchannel } from '../support/fake-subchannel.js';

/** Checks of 10 s until a connection that is not needed is closed. */
const CALM_MS = 30_000;

/** READY pods `a` and `b`, whose servers allow so many streams on a connection. */
async function twoPods(connections: number, streamLimit: number | null = 10, pods = 'ab') {
  const fixture = balancerFixture({ selection: { connections }, policy: leastRequest });
  const { helper, clock } = fixture;
  /** Connects every subchannel that is not connected yet. */
  const connect = async (): Promise<void> => {
    await clock.advance(0);
    for (const subchannel of helper.made) {
      if (subchannel.transport || subchannel.refs === 0) continue;
      subchannel.streamLimit = streamLimit ?? 4_294_967_295;
      subchannel.become('READY');
    }
    await clock.advance(0);
  };
  const calls = (count: number): ((() => void) | null)[] =>
    Array.from({ length: count }, () => {
      const { pickResultType, onCallStarted, onCallEnded } = fixture.pick();
      if (pickResultType === PickResultType.QUEUE) return null;
      onCallStarted?.();
      return () => onCallEnded?.(0, '', {} as never);
    });
  const shown = () =>
    Object.fromEntries(
      fixture.balancer
        .endpoints()
        .map(({ address, inFlight, connections: open = 1 }) => [address[0], [open, inFlight]]),
    );
  fixture.give(pods);
  await connect();
  return { ...fixture, connect, calls, shown };
}

test('with few calls there is one connection to each pod', async () => {
  const { calls, connect, made, shown } = await twoPods(4);
  calls(10);
  await connect();
  assert.equal(made(), 'ab');
  assert.deepEqual(shown(), { a: [1, 5], b: [1, 5] });
});

test('another connection is opened when the calls on a pod near its MAX_CONCURRENT_STREAMS', async () => {
  const { calls, connect, made, shown } = await twoPods(4);
  calls(16);
  await connect();
  assert.equal(made(), 'abab');
  calls(8);
  assert.deepEqual(shown(), { a: [2, 12], b: [2, 12] });
});

test('further connections are other subchannels, and the first one has the arguments that it always has', async () => {
  const { calls, connect, helper } = await twoPods(2, 10, 'ab');
  const first = helper.args;
  calls(16);
  await connect();
  assert.deepEqual(helper.args, { ...first, 'grpc_headless.connection': 1 });
});

test('calls beyond the limit wait while another connection is on its way, and then go there', async () => {
  const { calls, connect, shown, last } = await twoPods(2, 10);
  const begun = calls(30);
  assert.equal(begun.filter((end) => end === null).length, 10);
  const pickers = last().picker;
  await connect();
  assert.notEqual(last().picker, pickers);
  calls(10);
  assert.deepEqual(shown(), { a: [2, 15], b: [2, 15] });
});

test('with all connections open and full, calls go to the one that has the fewest, and grpc-js queues them', async () => {
  const { calls, connect, shown } = await twoPods(2, 10);
  calls(20);
  await connect();
  calls(20);
  assert.equal(calls(10).filter((end) => end === null).length, 0);
  assert.deepEqual(shown(), { a: [2, 25], b: [2, 25] });
});

test('calls wait no longer for a connection that fails', async () => {
  const { calls, clock, helper, last } = await twoPods(2, 10);
  calls(21);
  await clock.advance(0);
  const waiting = last().picker;
  for (const subchannel of helper.made) if (!subchannel.transport) subchannel.become('TRANSIENT_FAILURE', 'refused');
  assert.notEqual(last().picker, waiting);
  assert.equal(calls(10).filter((end) => end === null).length, 0);
});

test('calls wait a second at most for a connection that has no result', async () => {
  const { calls, clock, last } = await twoPods(2, 10);
  calls(21);
  await clock.advance(999);
  const waiting = last().picker;
  assert.equal(calls(1)[0], null);
  await clock.advance(1);
  assert.notEqual(last().picker, waiting);
  assert.equal(calls(1).filter((end) => end === null).length, 0);
});

test('a server without a limit gets another connection for each 80 calls, and no call waits', async () => {
  const { calls, connect, made, shown } = await twoPods(3, null);
  assert.equal(calls(158).filter((end) => end === null).length, 0);
  await connect();
  assert.equal(made(), 'ab');
  assert.equal(calls(200).filter((end) => end === null).length, 0);
  await connect();
  assert.equal(made(), 'abab');
  assert.deepEqual(shown(), { a: [2, 179], b: [2, 179] });
});

test('a connection is closed when fewer have been enough for 30 s, and the counts of the pod stay', async () => {
  const { calls, connect, clock, shown, balancer, held } = await twoPods(2, 10);
  const begun = calls(16);
  await connect();
  for (const end of calls(8)) end?.();
  for (const end of begun) end?.();
  const started = () => balancer.endpoints().map((endpoint) => endpoint.started);
  assert.deepEqual(shown(), { a: [2, 0], b: [2, 0] });
  await clock.advance(CALM_MS + 10_000);
  assert.deepEqual(shown(), { a: [1, 0], b: [1, 0] });
  // The connections linger, as those of pods that went.
  await clock.advance(30_000);
  assert.equal(held(), 'ab');
  assert.deepEqual(started(), [12, 12]);
});

test('calls that come and go keep the connections that they need open', async () => {
  const { calls, connect, clock, shown } = await twoPods(2, 10);
  calls(8);
  for (let time = 0; time < 60; time++) {
    const burst = calls(12);
    await connect();
    for (const end of burst) end?.();
    await clock.advance(2_000);
    assert.equal(shown()['a']?.[0], 2);
  }
});

test('each pod gets its share of the calls, however many connections lead to it', async () => {
  const { calls, connect, shown, helper, clock } = await twoPods(4, 10);
  calls(16);
  await clock.advance(0);
  // Only one of the pods gets its second connection.
  const further = helper.made.filter(({ transport }) => !transport) as [FakeSubchannel, FakeSubchannel];
  further[0].streamLimit = 10;
  further[0].become('READY');
  further[1].become('TRANSIENT_FAILURE', 'refused');
  await connect();
  calls(4);
  assert.deepEqual([shown()['a']?.[1], shown()['b']?.[1]], [10, 10]);
});

test('the pod takes calls while any of its connections stands', async () => {
  const { calls, connect, pod, helper, serving } = await twoPods(2, 10);
  calls(16);
  await connect();
  (helper.made[0] as FakeSubchannel).become('IDLE');
  assert.equal(serving(), 'ab');
  pod('a').become('IDLE');
  assert.equal(serving(), 'b');
});

test('calls wait for the turn in which the limit of a new connection shows', async () => {
  const { balancer, give, helper, pick, clock } = balancerFixture({ selection: { connections: 2 } });
  give('ab');
  for (const subchannel of helper.made) subchannel.become('READY');
  assert.equal(pick().pickResultType, PickResultType.QUEUE);
  for (const subchannel of helper.made) subchannel.streamLimit = 10;
  await clock.advance(0);
  assert.equal(pick().pickResultType, PickResultType.COMPLETE);
  balancer.destroy();
});

test('where the limit never shows, calls go on, and it is taken for 100', async () => {
  const { give, helper, pick, clock, made } = balancerFixture({ selection: { connections: 2 } });
  give('ab');
  for (const subchannel of helper.made) subchannel.become('READY');
  await clock.advance(0);
  for (let call = 0; call < 158; call++) pick().onCallStarted?.();
  await clock.advance(0);
  assert.equal(made(), 'ab');
  for (let call = 0; call < 2; call++) pick().onCallStarted?.();
  await clock.advance(0);
  assert.equal(made(), 'abab');
});

test('the attempts of one call go to different pods, whatever connections lead to these', async () => {
  const { give, helper, pick, clock, last } = balancerFixture({
    selection: { connections: 2 },
    policy: otherEndpoint(leastRequest),
  });
  const connect = async (): Promise<void> => {
    for (const subchannel of helper.made) {
      if (subchannel.transport) continue;
      subchannel.streamLimit = 10;
      subchannel.become('READY');
    }
    await clock.advance(0);
  };
  give('ab');
  await connect();
  for (let call = 0; call < 16; call++) pick().onCallStarted?.();
  await clock.advance(0);
  await connect();
  assert.equal(helper.made.length, 4);
  for (let call = 0; call < 20; call++) {
    const extraPickInfo = new Attempts() as unknown as PickArgs['extraPickInfo'];
    const attempt = () => (last().picker.pick({ extraPickInfo } as PickArgs).subchannel as FakeSubchannel).address;
    assert.notEqual(attempt(), attempt());
  }
});

test('a set of one address gets all its connections at once, and each takes calls as an endpoint of its own', async () => {
  const { calls, connect, made, helper, shown } = await twoPods(4, null, 'a');
  await connect();
  assert.equal(made(), 'aaaa');
  calls(4);
  assert.deepEqual(shown(), { a: [4, 4] });
  const used = helper.made.map((_, index) => index);
  assert.deepEqual(used, [0, 1, 2, 3]);
});

test('calls beyond the limit wait for the other connections to the one address, a second at most', async () => {
  const { give, helper, pick, clock } = balancerFixture({ selection: { connections: 3 }, policy: leastRequest });
  give('a');
  const [first, second] = helper.made as [FakeSubchannel, FakeSubchannel, FakeSubchannel];
  const begun = (): boolean => {
    const { pickResultType, onCallStarted } = pick();
    onCallStarted?.();
    return pickResultType === PickResultType.COMPLETE;
  };
  first.streamLimit = 2;
  first.become('READY');
  assert.deepEqual([begun(), begun(), begun()], [true, true, false]);
  second.streamLimit = 2;
  second.become('READY');
  assert.deepEqual([begun(), begun(), begun()], [true, true, false]);
  await clock.advance(1_000);
  assert.equal(begun(), true);
});

test('when a set of one address gets a second one, each has one connection', async () => {
  const { give, connect, states, clock, held } = await twoPods(3, null, 'a');
  await connect();
  give('ab');
  await connect();
  await clock.advance(30_000);
  assert.deepEqual(states(), { a: 'ready', b: 'ready' });
  assert.equal(held(), 'ab');
});

test('a pod that leaves drains on all its connections', async () => {
  const { calls, connect, give, states, clock, held } = await twoPods(2, 10);
  const begun = calls(16);
  await connect();
  give('a');
  for (const end of begun) end?.();
  assert.equal(states()['b'], 'draining');
  await clock.advance(30_000);
  assert.deepEqual(Object.keys(states()), ['a']);
  assert.equal(new Set(held()).size, 1);
});

test('the end of a channel with several connections leaves no timer and no connection', async () => {
  const { calls, balancer, clock, held } = await twoPods(2, 10);
  calls(20);
  balancer.destroy();
  assert.equal(held(), '');
  assert.equal(clock.timers, 0);
});
