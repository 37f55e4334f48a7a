/** Health checks against real servers, of the usual implementation of grpc.health.v1. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient, type HeadlessChannel, type HeadlessOptions } from '../../lib/index.js';
import { covers } from '../faults/covers.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient, sayHi } from '../support/hello-service.js';
import { type Defer, leakCheck } from '../support/leak-check.js';
import { startLoad } from '../support/load-generator.js';
import type { PodOptions } from '../support/pod.js';

/** DNS is asked once a minute: what happens earlier does not come from there. */
const NO_POLL = { intervalMs: 60_000, minIntervalMs: 60_000, burstMs: 0 };

async function start(defer: Defer, pods: number, pod: PodOptions, headless: HeadlessOptions) {
  const cluster = await Cluster.start(defer, { pods, pod });
  const client = createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), {
    headless: cluster.headless({ health: true, ...headless }),
  });
  defer(() => client.close());
  const channel: HeadlessChannel = client.getChannel();
  const healths = () => channel.snapshot().endpoints.map(({ health }) => health);
  return { cluster, client, channel, healths };
}

test(
  'a pod that turns NOT_SERVING gets no more calls, without DNS and on the one connection there is',
  covers(58),
  async (t) => {
    const defer = leakCheck(t);
    const { cluster, client, channel, healths } = await start(defer, 3, { health: 'SERVING' }, { refresh: NO_POLL });
    await eventually(async () => assert.equal((await callsByPod(client, 30)).size, 3));
    assert.deepEqual(healths(), ['SERVING', 'SERVING', 'SERVING']);
    const [victim] = cluster.pods;
    assert.ok(victim);

    await victim.behave({ health: 'NOT_SERVING' });
    await eventually(() => assert.equal(healths().filter((health) => health === 'NOT_SERVING').length, 1));
    const before = victim.calls;
    await callsByPod(client, 60);
    assert.equal(victim.calls, before);
    assert.equal(channel.snapshot().dns.addresses.length, 3);

    await victim.behave({ health: 'SERVING' });
    await eventually(async () => assert.equal((await callsByPod(client, 30)).size, 3));
    assert.deepEqual(
      cluster.pods.map((pod) => pod.stats().accepted),
      [1, 1, 1],
    );
  },
);

test('pods without a health service take calls as ever, and the channel tells so once', covers(58), async (t) => {
  const defer = leakCheck(t);
  const { client, channel, healths } = await start(defer, 2, {}, {});
  const told: unknown[] = [];
  channel.on('health', (event) => told.push(event.health));
  await eventually(async () => assert.equal((await callsByPod(client, 20)).size, 2));
  assert.deepEqual(healths(), ['UNIMPLEMENTED', 'UNIMPLEMENTED']);
  assert.deepEqual(told, ['UNIMPLEMENTED', 'UNIMPLEMENTED']);
});

test(
  'pods that are not serving yet get no call; when all say so every one does, and the channel tells of panic',
  covers(59),
  async (t) => {
    const defer = leakCheck(t);
    const { cluster, client, channel } = await start(defer, 2, { health: 'SERVING' }, {});
    const panics: boolean[] = [];
    channel.on('panic', ({ active }) => panics.push(active));
    await sayHi(client);
    const [fresh] = await cluster.scaleUp(1, { health: 'NOT_SERVING' });
    await eventually(() => assert.equal(channel.snapshot().endpoints.length, 3));
    await eventually(() => assert.ok(channel.snapshot().endpoints.some(({ health }) => health === 'NOT_SERVING')));
    assert.equal((await callsByPod(client, 30)).get(fresh?.ip ?? ''), undefined);
    assert.deepEqual(panics, []);

    for (const pod of cluster.pods) await pod.behave({ health: 'NOT_SERVING' });
    await eventually(() => assert.deepEqual(panics, [true]));
    assert.equal((await callsByPod(client, 60)).size, 3);

    await fresh?.behave({ health: 'SERVING' });
    await eventually(() => assert.deepEqual(panics, [true, false]));
    assert.deepEqual([...(await callsByPod(client, 30)).keys()], [fresh?.ip]);
  },
);

test('a server that shuts down gracefully is not kept waiting by the stream of its health', async (t) => {
  const defer = leakCheck(t);
  const { cluster, client } = await start(defer, 2, { health: 'SERVING' }, {});
  await eventually(async () => assert.equal((await callsByPod(client, 20)).size, 2));
  const [leaver] = cluster.pods;
  assert.ok(leaver);
  cluster.unpublish(leaver);
  await leaver.stop();
  assert.equal(leaver.connections, 0);
  await callsByPod(client, 20);
});

test('a rolling restart of servers that only turn NOT_SERVING, and then are gone without a word, fails no call', async (t) => {
  const defer = leakCheck(t);
  const pods = 4;
  // The interval of the defaults: the pods are gone before DNS is asked again.
  const refresh = { intervalMs: 5_000, minIntervalMs: 1_000 };
  const { cluster, client } = await start(defer, pods, { health: 'SERVING', delayMs: 5 }, { refresh });
  await eventually(async () => assert.equal((await callsByPod(client, 40)).size, pods));
  const load = startLoad(defer, client, { inFlight: 8 });
  for (const leaver of [...cluster.pods]) {
    await cluster.scaleUp(1);
    cluster.unpublish(leaver);
    await leaver.retire({ quietMs: 200, mostMs: 20_000 });
    const enough = load.recorder.answered + 50;
    await eventually(() => load.recorder.answered >= enough, { timeoutMs: 20_000 });
  }
  await load.stop();
  assert.deepEqual(load.recorder.failures, []);
});
