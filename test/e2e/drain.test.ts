import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { credentials, type StatusObject, status } from '@grpc/grpc-js';
import { HeadlessChannel, type HeadlessOptions } from '../../lib/index.js';
import { covers } from '../faults/covers.js';
import { Cluster, type ClusterOptions } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient, type HiResponse, sayHi } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';
import type { Pod } from '../support/pod.js';

interface Fixture {
  cluster: Cluster;
  channel: HeadlessChannel;
  client: HelloClient;
  pods: [Pod, Pod];
}

/** Two pods, both connected. */
async function setUp(t: TestContext, headless: HeadlessOptions = {}, options: ClusterOptions = {}): Promise<Fixture> {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 2, ...options });
  const insecure = credentials.createInsecure();
  const channel = new HeadlessChannel(cluster.target, insecure, { headless: cluster.headless(headless) });
  const client = new HelloClient(cluster.target, insecure, { channelOverride: channel });
  defer(() => client.close());
  await channel.ready();
  const [first, second] = cluster.pods;
  if (!first || !second) throw new Error('two pods were started');
  await eventually(() => assert.deepEqual(states(channel), { [first.address]: 'ready', [second.address]: 'ready' }));
  return { cluster, channel, client, pods: [first, second] };
}

function states(channel: HeadlessChannel): Record<string, string> {
  return Object.fromEntries(channel.snapshot().endpoints.map(({ address, state }) => [address, state]));
}

/** A stream to this very pod: the other one is out of DNS for the moment. */
async function openStreamTo(pod: Pod, { cluster, channel, client }: Fixture) {
  const all = [...cluster.pods];
  cluster.publish([pod]);
  await eventually(() => {
    for (const other of all) if (other !== pod) assert.notEqual(states(channel)[other.address], 'ready');
  });
  const stream = client.HiChat();
  const say = async (message: string): Promise<HiResponse> => {
    const answer = once(stream, 'data') as Promise<[HiResponse]>;
    stream.write({ to_who: 'pod', message });
    return (await answer)[0];
  };
  assert.deepEqual(await say('hello'), { from_who: pod.name, message: 'hello' });
  cluster.publish(all);
  await eventually(() => assert.ok(Object.values(states(channel)).every((state) => state === 'ready')));
  return { stream, say };
}

test('a stream to a pod that left DNS goes on to its own end, and no new call goes there', covers(42), async (t) => {
  const fixture = await setUp(t);
  const { cluster, channel, client, pods } = fixture;
  const [leaver, stayer] = pods;
  const { stream, say } = await openStreamTo(leaver, fixture);

  cluster.unpublish(leaver);
  await eventually(() => assert.equal(states(channel)[leaver.address], 'draining'));
  const before = leaver.calls;
  assert.deepEqual([...(await callsByPod(client, 40)).keys()], [stayer.name]);
  assert.deepEqual(await say('still there?'), { from_who: leaver.name, message: 'still there?' });
  assert.equal(leaver.calls, before);

  const ended = once(stream, 'status') as Promise<[StatusObject]>;
  stream.end();
  assert.equal((await ended)[0].code, status.OK);
  assert.equal(leaver.stats().accepted, 1);
});

test('a stream outlives the linger time, and its connection goes when it ends', covers(42), async (t) => {
  const fixture = await setUp(t, { drain: { lingerMs: 150 } });
  const { cluster, channel, client, pods } = fixture;
  const [leaver, stayer] = pods;
  // Its linger may run out while the stream is set up, so the stream goes to the pod that was never away.
  const { stream, say } = await openStreamTo(stayer, fixture);

  cluster.unpublish(stayer);
  await eventually(() => assert.equal(states(channel)[stayer.address], 'draining'));
  const drainedAt = channel.snapshot().counters.polls;
  // With polls 100 ms apart, or 50 in a burst, that is the linger time twice over.
  await eventually(() => channel.snapshot().counters.polls >= drainedAt + 6);
  assert.equal(states(channel)[stayer.address], 'draining');
  assert.equal((await say('still there?')).from_who, stayer.name);
  assert.deepEqual([...(await callsByPod(client, 20)).keys()], [leaver.name]);

  const ended = once(stream, 'status') as Promise<[StatusObject]>;
  stream.end();
  assert.equal((await ended)[0].code, status.OK);
  await eventually(() => assert.deepEqual(states(channel), { [leaver.address]: 'ready' }));
});

test('a unary call under way on a pod that leaves DNS is answered', async (t) => {
  const { cluster, channel, client, pods } = await setUp(t, { drain: { lingerMs: 0 } });
  for (const pod of pods) pod.behave({ delayMs: 1_500 });
  const answer = sayHi(client);
  const leaver = await eventually(() => {
    const busy = pods.find((pod) => pod.inFlight === 1);
    assert.ok(busy);
    return busy;
  });
  cluster.unpublish(leaver);
  await eventually(() => assert.equal(states(channel)[leaver.address], 'draining'));
  assert.equal(leaver.inFlight, 1, 'the pod left while the call was under way');
  assert.equal((await answer).from_who, leaver.name);
  await eventually(() => assert.ok(!(leaver.address in states(channel))));
});

test('a pod that returns during its drain keeps its connection', covers(43), async (t) => {
  const { cluster, channel, client, pods } = await setUp(t);
  const [leaver, stayer] = pods;
  cluster.unpublish(leaver);
  await eventually(() => assert.equal(states(channel)[leaver.address], 'draining'));
  assert.equal((await callsByPod(client, 10)).size, 1);

  cluster.publish(pods);
  await eventually(() => assert.equal(states(channel)[leaver.address], 'ready'));
  await eventually(async () => assert.equal((await callsByPod(client, 10)).size, 2));
  assert.deepEqual([leaver.stats().accepted, stayer.stats().accepted], [1, 1]);
  assert.deepEqual(
    { drained: channel.snapshot().counters.drained, returned: channel.snapshot().counters.returned },
    { drained: 1, returned: 1 },
  );
});

test('a set that alternates at each poll costs no connection and no call', covers(49), async (t) => {
  const { cluster, channel, client, pods } = await setUp(t);
  const [third] = await cluster.scaleUp(1);
  if (!third) throw new Error('a pod was started');
  await eventually(() => assert.equal(states(channel)[third.address], 'ready'));

  const [first, second] = pods;
  const sets = [
    [first, second],
    [second, third],
    [first, third],
  ];
  let polls = 0;
  cluster.dns.respond = (_query, exchange) => {
    cluster.publish(sets[polls++ % sets.length] ?? []);
    exchange.answer();
  };
  const until = 16;
  while (polls < until) await callsByPod(client, 10);
  assert.ok(channel.snapshot().counters.returned >= until / 2, 'pods went and came back');
  assert.deepEqual(
    [first, second, third].map((pod) => pod.stats().accepted),
    [1, 1, 1],
  );
});

test('the idle connection of a removed pod is closed when its linger time is over', async (t) => {
  const { cluster, channel, client, pods } = await setUp(t, { drain: { lingerMs: 100 } });
  const [leaver, stayer] = pods;
  cluster.unpublish(leaver);
  await eventually(() => assert.deepEqual(states(channel), { [stayer.address]: 'ready' }));
  // Then it is a new pod like any other.
  cluster.publish(pods);
  await eventually(async () => assert.equal((await callsByPod(client, 10)).size, 2));
  assert.equal(channel.snapshot().counters.returned, 0);
});

test('pods that left DNS serve on while none of the new ones can be reached', async (t) => {
  const { cluster, channel, client, pods } = await setUp(t, { drain: { lingerMs: 100 } });
  const unreachable = [await cluster.startUnpublished(), await cluster.startUnpublished()];
  await Promise.all(unreachable.map((pod) => pod.kill()));
  cluster.publish(unreachable);
  await eventually(() => {
    for (const pod of pods) assert.equal(states(channel)[pod.address], 'draining');
    for (const pod of unreachable) assert.equal(states(channel)[pod.address], 'backoff');
  });
  const polls = channel.snapshot().counters.polls;
  // Long past the linger time: polls are at least 50 ms apart.
  while (channel.snapshot().counters.polls < polls + 6)
    for (const from of (await callsByPod(client, 10)).keys()) assert.ok(pods.some((pod) => pod.name === from));
  assert.equal(channel.snapshot().state, 'READY');
  assert.deepEqual(
    pods.map((pod) => pod.stats().accepted),
    [1, 1],
  );

  const [reachable] = await cluster.scaleUp(1);
  if (!reachable) throw new Error('a pod was started');
  await eventually(async () => assert.deepEqual([...(await callsByPod(client, 10)).keys()], [reachable.name]));
  await eventually(() => {
    for (const pod of pods) assert.ok(!(pod.address in states(channel)), 'the last resort may go');
  });
});
