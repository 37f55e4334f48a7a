import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { type ClientDuplexStream, credentials, type StatusObject, status } from '@grpc/grpc-js';
import { HeadlessChannel, type HeadlessOptions, type ImbalanceEvent, ReopeningStream } from '../../lib/index.js';
import '../../lib/register.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { HelloClient, type HiRequest, type HiResponse } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';
import type { Pod } from '../support/pod.js';

type Chat = ClientDuplexStream<HiRequest, HiResponse>;

const insecure = credentials.createInsecure();

async function setUp(t: TestContext, headless: HeadlessOptions = {}, pods = 2) {
  const defer = leakCheck(t, { timeoutMs: 8_000 });
  const cluster = await Cluster.start(defer, { pods });
  const channel = new HeadlessChannel(cluster.target, insecure, { headless: cluster.headless(headless) });
  const client = new HelloClient(cluster.target, insecure, { channelOverride: channel });
  defer(() => client.close());
  channel.getConnectivityState(true);
  await allReady(channel, pods);
  return { defer, cluster, channel, client };
}

function allReady(channel: HeadlessChannel, pods: number): Promise<void> {
  return eventually(() => {
    const states = channel.snapshot().endpoints.map(({ state }) => state);
    assert.deepEqual(
      states,
      Array.from({ length: pods }, () => 'ready'),
    );
  });
}

/** An open stream whose server has answered, and how it will end. */
async function openChat(client: HelloClient): Promise<{ chat: Chat; ended: Promise<StatusObject> }> {
  const chat = client.HiChat();
  chat.on('error', () => {});
  const ended = new Promise<StatusObject>((resolve) => chat.on('status', resolve));
  chat.write({ to_who: 'pod', message: 'hello' });
  await once(chat, 'data');
  return { chat, ended };
}

function podOf(chat: Chat, cluster: Cluster): Pod {
  const pod = cluster.pods.find(({ address }) => address === chat.getPeer());
  assert.ok(pod, `no pod has the address ${chat.getPeer()}`);
  return pod;
}

test('what is still open on a removed pod is ended when drain.timeoutMs has passed, and says why', async (t) => {
  const { cluster, channel, client } = await setUp(t, { drain: { lingerMs: 0, timeoutMs: 300 } });
  const chats = await Promise.all([openChat(client), openChat(client)]);
  const [first, second] = chats;
  assert.ok(first && second);
  const leaver = podOf(first.chat, cluster);
  assert.notEqual(podOf(second.chat, cluster), leaver);
  cluster.unpublish(leaver);
  const { code, details } = await first.ended;
  assert.equal(code, status.UNAVAILABLE);
  assert.equal(
    details,
    `headless: the pod ${leaver.address} was removed from DNS, and drain.timeoutMs (300 ms) passed`,
  );
  await eventually(() => assert.equal(leaver.inFlight, 0, 'the pod is told'));
  await eventually(() => assert.equal(channel.snapshot().endpoints.length, 1, 'its connection is let go'));
  assert.equal(channel.snapshot().counters.drainTimeouts, 1);
  second.chat.end();
  assert.equal((await second.ended).code, status.OK);
});

test('a drain with a deadline ends the calls of its own channel only, and works for a bare target', async (t) => {
  const { defer, cluster, client: patient } = await setUp(t, {}, 1);
  const hasty = new HelloClient(`headless:///${cluster.target}`, insecure, {
    headless: cluster.headless({ drain: { timeoutMs: 200 } }),
    // Connections are shared by channels of equal options, and a HeadlessChannel has this one.
    'grpc.enable_http_proxy': 0,
  });
  defer(() => hasty.close());
  const [kept, cut] = await Promise.all([openChat(patient), openChat(hasty)]);
  const [leaver] = cluster.pods;
  assert.equal(leaver?.stats().accepted, 1, 'the channels share the connection');
  await cluster.scaleUp(1);
  cluster.publish(cluster.pods.slice(1));
  assert.equal((await cut.ended).code, status.UNAVAILABLE);
  kept.chat.write({ to_who: 'pod', message: 'still there?' });
  const [answer] = (await once(kept.chat, 'data')) as [HiResponse];
  assert.equal(answer.from_who, leaver?.name);
  kept.chat.end();
  assert.equal((await kept.ended).code, status.OK);
});

test('a drain with a deadline works below outlier detection', async (t) => {
  const defer = leakCheck(t, { timeoutMs: 8_000 });
  const cluster = await Cluster.start(defer, { pods: 1 });
  const failure_percentage_ejection = { threshold: 50, enforcement_percentage: 100 };
  const outlier_detection = { failure_percentage_ejection, child_policy: [{ headless: {} }] };
  const client = new HelloClient(`headless:///${cluster.target}`, insecure, {
    headless: cluster.headless({ drain: { timeoutMs: 200 } }),
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ outlier_detection }] }),
  });
  defer(() => client.close());
  const { ended } = await openChat(client);
  await cluster.scaleUp(1);
  cluster.publish(cluster.pods.slice(1));
  assert.equal((await ended).code, status.UNAVAILABLE);
});

test('a call that its pod had not begun to answer at the deadline is tried again on another pod', async (t) => {
  const { cluster, client } = await setUp(t, { retry: { attempts: 2 }, drain: { timeoutMs: 200 } }, 1);
  const [leaver] = cluster.pods;
  await leaver?.behave({ hang: true });
  const answer = new Promise<HiResponse | undefined>((resolve, reject) =>
    client.Hi({ to_who: 'pod', message: 'hi' }, (error, response) => (error ? reject(error) : resolve(response))),
  );
  await eventually(() => assert.equal(leaver?.inFlight, 1));
  const [successor] = await cluster.scaleUp(1);
  cluster.publish(cluster.pods.slice(1));
  assert.equal((await answer)?.from_who, successor?.name);
});

test('after a scale-up the channel tells which pods hold too many streams, and reopening streams spread over all', async (t) => {
  const { defer, cluster, channel, client } = await setUp(t);
  const events: ImbalanceEvent[] = [];
  channel.on('imbalance', (event) => events.push(event));
  const streams = Array.from(
    { length: 8 },
    () =>
      new ReopeningStream(
        channel,
        () => {
          const chat = client.HiChat();
          chat.on('data', () => {});
          chat.on('error', () => {});
          chat.write({ to_who: 'pod', message: 'hello' });
          return chat;
        },
        { intervalMs: 10 },
      ),
  );
  defer(() => {
    for (const stream of streams) stream.close();
  });
  await eventually(() => {
    for (const pod of cluster.pods) assert.equal(pod.inFlight, 4);
  });
  const old = cluster.pods.map(({ address }) => address).sort();
  await cluster.scaleUp(2);
  await allReady(channel, 4);
  await eventually(() => assert.ok(events.length > 0), { timeoutMs: 20_000 });
  assert.equal(events[0]?.share, 2);
  assert.deepEqual(events[0]?.endpoints.map(({ address }) => address).sort(), old);
  assert.deepEqual(
    events[0]?.endpoints.map(({ excess }) => excess),
    [2, 2],
  );
  await eventually(
    () => {
      // Where a stream goes anew is the policy's choice, and it compares two pods only: 3, 1, 2 and 2 may stay for long.
      for (const pod of cluster.pods) assert.ok(pod.inFlight >= 1 && pod.inFlight <= 3, `${pod.inFlight} streams`);
    },
    { timeoutMs: 40_000 },
  );
});
