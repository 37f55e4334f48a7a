import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectivityState, status } from '@grpc/grpc-js';
import { DnsError } from '../../lib/errors.js';
import { CHANNEL_CONTEXT_KEY } from '../../lib/grpc/channel-context.js';
import { CONFIG_SELECTOR_KEY, type PickArgs, statusOrFromValue } from '../../lib/grpc/experimental.js';
import { HeadlessLoadBalancingConfig, LoadBalancerAdapter } from '../../lib/grpc/load-balancer-adapter.js';
import { Attempts } from '../../lib/picker/attempts.js';
import { covers } from '../faults/covers.js';
import { balancerFixture, twoReady } from '../support/balancer-fixture.js';
import { FakeControlHelper } from '../support/fake-subchannel.js';

type StateName = keyof typeof connectivityState;
const T: StateName = 'TRANSIENT_FAILURE';
/** Pods' states, in the order of their coming, and the channel's, as in gRPC's round_robin. */
const aggregates: [what: string, steps: [pod: string, state: StateName][], expected: StateName][] = [
  ['no pod has done anything yet', [], 'CONNECTING'],
  ['one tries', [['a', 'CONNECTING']], 'CONNECTING'],
  ['one is READY, the others try', [['b', 'READY']], 'READY'],
  [
    'one is READY, the others fail',
    [
      ['a', T],
      ['b', 'READY'],
      ['c', T],
    ],
    'READY',
  ],
  ['one fails, the others try', [['a', T]], 'CONNECTING'],
  [
    'all fail',
    [
      ['a', T],
      ['b', T],
      ['c', T],
    ],
    T,
  ],
  [
    'all have failed and one tries again',
    [
      ['a', T],
      ['b', T],
      ['c', T],
      ['a', 'IDLE'],
      ['a', 'CONNECTING'],
    ],
    T,
  ],
  [
    'all have failed and one comes up',
    [
      ['a', T],
      ['b', T],
      ['c', T],
      ['a', 'CONNECTING'],
      ['a', 'READY'],
    ],
    'READY',
  ],
  [
    'the only READY one is lost',
    [
      ['a', 'READY'],
      ['a', 'IDLE'],
    ],
    'CONNECTING',
  ],
  [
    'the only READY one is lost while the others fail',
    [
      ['b', T],
      ['c', T],
      ['a', 'READY'],
      ['a', 'IDLE'],
      ['a', T],
    ],
    T,
  ],
];
for (const [what, steps, expected] of aggregates)
  test(`the channel is ${expected} when of three pods ${what}`, () => {
    const { give, pod, last, pick } = balancerFixture();
    give('abc');
    for (const [name, state] of steps) pod(name).become(state, state === T ? `${name} refused` : undefined);
    assert.equal(last().state, expected);
    const kinds: Partial<Record<StateName, number>> = { READY: 0, CONNECTING: 1, TRANSIENT_FAILURE: 2 };
    assert.equal(pick().pickResultType, kinds[expected]);
  });

test('calls fail UNAVAILABLE with the last connection error, and with that of DNS if there is one', () => {
  const { give, pod, pick, last, source } = balancerFixture();
  give('ab');
  pod('a').become('TRANSIENT_FAILURE', 'ECONNREFUSED');
  source.lastError = new DnsError('ERR_HEADLESS_DNS_SERVFAIL', 'DNS says SERVFAIL', { hostname: 'svc.ns' });
  pod('b').become('TRANSIENT_FAILURE', 'certificate has expired');
  const details =
    `headless: no connection to any of the 2 pods of svc.ns:50051. Last error: b:50051: certificate has expired; ` +
    'the last DNS query failed too: DNS says SERVFAIL';
  assert.equal(last().error, details);
  assert.equal(pick().status?.code, status.UNAVAILABLE);
  assert.equal(pick().status?.details, details);
});

test('the failure of a pod that connected later, or that left DNS, is not given as the cause', () => {
  const { balancer, clock, give, pod } = balancerFixture();
  const cause = () => [balancer.connectionError()?.address, balancer.waitingReason()] as const;
  give('abc');
  for (const name of ['b', 'c', 'a']) pod(name).become('TRANSIENT_FAILURE', `${name} refused`);
  assert.equal(cause()[0], 'a:50051');
  pod('a').become('READY');
  pod('a').become('IDLE');
  assert.deepEqual(cause(), [
    'c:50051',
    'headless: no connection to any of the 3 pods of svc.ns:50051. Last error: c:50051: c refused',
  ]);
  give('bd');
  assert.equal(cause()[0], 'b:50051');
  give('d');
  clock.jumpWallTime(1_500);
  assert.deepEqual(cause(), [
    'd:50051',
    'headless: no connection to any of the 1 pods of svc.ns:50051. Last error: d:50051: ' +
      'no answer to the TCP, TLS or HTTP/2 handshake for 1500 ms',
  ]);
});

test('without a set calls fail with the cause, and a set that comes later serves', covers(25), () => {
  const { fail, give, last, up, serving } = balancerFixture();
  assert.equal(fail('NXDOMAIN: no such name'), true);
  assert.equal(last().error, 'headless: no address for svc.ns:50051: NXDOMAIN: no such name');
  assert.equal(last().state, 'TRANSIENT_FAILURE');
  give('a');
  assert.equal(last().state, 'CONNECTING');
  up('a');
  assert.equal(serving(), 'a');
});

test('a failure of the resolver leaves a working set as it is', covers(23, 34), () => {
  const { fail, serving, helper } = twoReady();
  const before = helper.published.length;
  assert.equal(fail('SERVFAIL'), true);
  assert.equal(helper.published.length, before);
  assert.equal(serving(), 'ab');
});

test('with an empty set calls fail at once, and the pods drain', covers(24), () => {
  const { give, last, states, held } = twoReady();
  give('', 'NXDOMAIN: no such name');
  assert.equal(last().state, 'TRANSIENT_FAILURE');
  assert.equal(last().error, 'headless: no address for svc.ns:50051: NXDOMAIN: no such name');
  assert.deepEqual(states(), { a: 'draining', b: 'draining' });
  assert.equal(held(), 'ab');
});

test('a list that another resolver made is refused, because it does not bring the context', () => {
  const helper = new FakeControlHelper();
  const list = statusOrFromValue([{ addresses: [{ host: 'a', port: 50051 }] }]);
  assert.equal(
    new LoadBalancerAdapter(helper).updateAddressList(list, new HeadlessLoadBalancingConfig(), {}, ''),
    false,
  );
  assert.deepEqual(helper.made, []);
});

test('subchannels are made for added pods only, and told to connect once', () => {
  const { give, up, made, pod } = balancerFixture();
  give('abc');
  up('abc');
  give('cab');
  give('bacd');
  assert.equal(made(), 'abcd');
  assert.deepEqual(
    [...'abcd'].map((name) => [pod(name).refs, pod(name).connects]),
    Array(4).fill([1, 1]),
  );
});

test('the same set in another order publishes nothing', covers(28), () => {
  const { give, helper } = twoReady();
  const before = helper.published.length;
  give('ba');
  give('bab');
  assert.equal(helper.published.length, before);
});

test('a pod gets calls once it is READY, and not before', covers(37), () => {
  const { give, up, pod, serving } = twoReady();
  give('abc');
  assert.equal(serving(), 'ab');
  pod('c').become('CONNECTING');
  pod('c').become('TRANSIENT_FAILURE', 'ECONNREFUSED');
  assert.equal(serving(), 'ab');
  up('c');
  assert.equal(serving(), 'abc');
});

test('a subchannel that another channel has connected already serves at once', () => {
  const { give, helper, serving } = balancerFixture();
  helper.initial = connectivityState.READY;
  give('ab');
  assert.equal(serving(), 'ab');
});

test('channel options reach the subchannels, but ours do not', () => {
  const own = { headless: { empty: 'keep' }, [CONFIG_SELECTOR_KEY]: {} };
  const { give, helper } = balancerFixture({}, { ...own, 'grpc.keepalive_time_ms': 10_000 });
  give('a');
  const { [CHANNEL_CONTEXT_KEY]: _context, ...args } = helper.args;
  assert.deepEqual(args, { 'grpc.keepalive_time_ms': 10_000 });
});

test('the attempts of a call go to different pods where calls may have several', () => {
  for (const different of [true, false]) {
    const { give, up, last, context } = balancerFixture();
    context.hasSeveralAttempts = different;
    give('ab');
    up('ab');
    const extraPickInfo = new Attempts() as object as PickArgs['extraPickInfo'];
    const attempt = () => last().picker.pick({ extraPickInfo } as PickArgs).subchannel;
    const first = attempt();
    // Another call takes the turn of the other pod.
    last().picker.pick({} as PickArgs);
    assert.equal(attempt() !== first, different);
  }
});

test('a lost connection is out of the picker, asks for a query, and is tried again', covers(38), () => {
  const { pod, serving, source, counters, up } = twoReady();
  const { connects } = pod('a');
  pod('a').become('IDLE');
  assert.deepEqual(
    [serving(), source.requests, pod('a').connects, counters.connectionsLost],
    ['b', 1, connects + 1, 1],
  );
  up('a');
  assert.deepEqual([serving(), counters.connected], ['ab', 3]);
});

test('a pod that cannot be reached asks for a query too, and is tried again when its backoff ends', covers(37), () => {
  const { give, pod, source, serving } = twoReady();
  give('abc');
  pod('c').become('CONNECTING');
  assert.equal(source.requests, 0);
  pod('c').become('TRANSIENT_FAILURE', 'ECONNREFUSED');
  assert.ok(source.requests > 0);
  const { connects } = pod('c');
  pod('c').become('IDLE');
  assert.equal(pod('c').connects, connects + 1);
  assert.equal(serving(), 'ab');
});

test('the source is told when there is a READY pod, and when there is none', () => {
  const { give, up, pod, source } = balancerFixture();
  give('ab');
  assert.equal(source.ready, false);
  up('a');
  assert.equal(source.ready, true);
  pod('a').become('IDLE');
  assert.equal(source.ready, false);
});

test('an unhealthy pod is not picked, until it is healthy again', () => {
  const { pod, serving, last } = twoReady();
  pod('a').setHealthy(false);
  assert.equal(serving(), 'b');
  pod('b').setHealthy(false);
  assert.equal(last().state, 'TRANSIENT_FAILURE');
  pod('a').setHealthy(true);
  assert.equal(serving(), 'a');
});

test('destroy() releases every pod, timer and listener, in whatever state they are', covers(44), async () => {
  const { give, up, pod, balancer, helper, clock, context, call, states } = twoReady();
  give(['a', 'c', ...Array.from({ length: 40 }, (_, index) => `10.0.0.${index}`)]);
  pod('c').become('TRANSIENT_FAILURE', 'ECONNREFUSED');
  const end = call();
  assert.equal(states().b, 'draining');
  assert.equal(clock.timers, 2, 'one lingers, and one makes more pods');
  balancer.destroy();
  const published = helper.published.length;
  assert.deepEqual(
    helper.made.map(({ refs, listeners }) => refs + listeners),
    helper.made.map(() => 0),
  );
  assert.deepEqual([helper.children, clock.timers, balancer.endpoints(), context.balancer], [[], 0, [], null]);
  end(status.CANCELLED);
  up('abc');
  balancer.destroy();
  await clock.advance(60_000);
  assert.equal(helper.published.length, published);
});

test('destroy() before any set does nothing', () => {
  const { balancer, helper } = balancerFixture();
  balancer.destroy();
  assert.deepEqual([helper.made, helper.published], [[], []]);
});

test('a balancer that takes the place of another in the same channel stays in the snapshot', () => {
  const first = twoReady();
  const second = new LoadBalancerAdapter(new FakeControlHelper());
  const list = statusOrFromValue([{ addresses: [{ host: 'c', port: 50051 }] }]);
  second.updateAddressList(list, new HeadlessLoadBalancingConfig(), { [CHANNEL_CONTEXT_KEY]: first.context }, '');
  first.balancer.destroy();
  assert.equal(first.context.balancer, second);
});

test('the config has our name and no settings', () => {
  const config = HeadlessLoadBalancingConfig.createFromJson();
  assert.equal(config.getLoadBalancerName(), 'headless');
  assert.deepEqual(config.toJsonObject(), { headless: {} });
  assert.equal(new LoadBalancerAdapter(new FakeControlHelper()).getTypeName(), 'headless');
});
