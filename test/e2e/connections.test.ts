/** Several connections to one pod, over real connections: the option `balance.connections`. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient } from '../../lib/index.js';
import { Cluster } from '../support/cluster.js';
import { ConnectionBalancer } from '../support/connection-balancer.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient, sayHi } from '../support/hello-service.js';
import { type Defer, leakCheck } from '../support/leak-check.js';

const STREAM_LIMIT = 10;

/** Two pods that allow ten streams on a connection and answer no call, and `calls` calls. */
async function hangingCalls(t: TestContext, calls: number, connections?: number) {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, {
    pods: 2,
    pod: { hang: true, server: { 'grpc.max_concurrent_streams': STREAM_LIMIT } },
  });
  const client = createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), {
    headless: cluster.headless({ balance: { connections } }),
  });
  const channel = client.getChannel();
  const abort: (() => void)[] = [];
  defer(() => {
    for (const cancel of abort) cancel();
    client.close();
  });
  await channel.ready();
  await eventually(() => channel.snapshot().endpoints.filter(({ state }) => state === 'ready').length === 2);
  for (let call = 0; call < calls; call++) {
    const started = client.Hi({ to_who: 'pod', message: 'hi' }, () => {});
    abort.push(() => started.cancel());
  }
  const arrived = (): number => cluster.pods.reduce((sum, pod) => sum + pod.inFlight, 0);
  return { cluster, channel, arrived };
}

test('calls beyond MAX_CONCURRENT_STREAMS reach the pods over further connections, all of them begun in one turn', async (t) => {
  const { cluster, channel, arrived } = await hangingCalls(t, 70, 4);
  await eventually(() => assert.equal(arrived(), 70));
  assert.deepEqual(
    cluster.pods.map(({ inFlight }) => inFlight),
    [35, 35],
  );
  assert.deepEqual(
    channel.snapshot().endpoints.map(({ connections, inFlight }) => [connections, inFlight]),
    [
      [4, 35],
      [4, 35],
    ],
  );
  assert.ok(cluster.pods.every(({ connections }) => connections === 4));
});

test('so do calls that were made before the first connection', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, {
    pods: 1,
    pod: { hang: true, server: { 'grpc.max_concurrent_streams': STREAM_LIMIT } },
  });
  const client = createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), {
    headless: cluster.headless({ balance: { connections: 2 } }),
  });
  const calls = Array.from({ length: 20 }, () => client.Hi({ to_who: 'pod', message: 'hi' }, () => {}));
  defer(() => {
    for (const call of calls) call.cancel();
    client.close();
  });
  await eventually(() => assert.equal(cluster.pods[0]?.inFlight, 20));
});

test('without the option they wait for a stream of the one connection', async (t) => {
  const { cluster, channel, arrived } = await hangingCalls(t, 70);
  await eventually(() => assert.equal(arrived(), 2 * STREAM_LIMIT));
  await eventually(() => channel.snapshot().endpoints.reduce((sum, { inFlight }) => sum + inFlight, 0) === 70);
  assert.equal(arrived(), 2 * STREAM_LIMIT);
  assert.ok(cluster.pods.every(({ connections }) => connections === 1));
});

test('with few calls, each pod gets one connection', async (t) => {
  const { cluster, arrived } = await hangingCalls(t, 6, 4);
  await eventually(() => assert.equal(arrived(), 6));
  assert.ok(cluster.pods.every((pod) => pod.stats().accepted === 1));
});

/** Three pods behind one address that hands each connection to the next pod. */
async function oneAddress(t: TestContext) {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 4 });
  const [front, ...pods] = cluster.pods as [{ ip: string }, ...typeof cluster.pods];
  const balancer = await ConnectionBalancer.start(defer, front.ip, pods);
  return { defer, balancer, pods };
}

function clientOf(defer: Defer, address: string, connections: number) {
  const client = createHeadlessClient(HelloClient, address, credentials.createInsecure(), {
    headless: { balance: { connections } },
  });
  defer(() => client.close());
  return client;
}

test('behind one address, such as a cluster IP, several connections reach several pods though calls are few', async (t) => {
  const { defer, balancer, pods } = await oneAddress(t);
  const client = clientOf(defer, balancer.address, 3);
  await eventually(
    () => client.getChannel().snapshot().endpoints[0]?.connections === 3 || sayHi(client).then(() => false),
  );
  const calls = await callsByPod(client, 300, 3);
  assert.deepEqual([...calls.keys()].sort(), pods.map(({ name }) => name).sort());
  assert.ok(
    [...calls.values()].every((count) => count >= 80),
    `each about a third: ${[...calls.values()]}`,
  );
  assert.equal(balancer.accepted, 3);
});

test('behind one address, one connection reaches one pod', async (t) => {
  const { defer, balancer } = await oneAddress(t);
  const client = clientOf(defer, balancer.address, 1);
  assert.equal((await callsByPod(client, 100)).size, 1);
});

test('behind one address, the other connections take the calls while one is lost, and it comes back', async (t) => {
  const { defer, balancer, pods } = await oneAddress(t);
  const client = clientOf(defer, balancer.address, 3);
  const connected = (count: number) =>
    eventually(
      () => client.getChannel().snapshot().endpoints[0]?.connections === count || sayHi(client).then(() => false),
    );
  await connected(3);
  await pods[0]?.stop();
  await callsByPod(client, 50);
  // The balancer's next pod is the lost connection's.
  await eventually(() => balancer.accepted >= 4);
  await callsByPod(client, 50);
});

test('channels of the same options share the further connections too', async (t) => {
  const { defer, balancer } = await oneAddress(t);
  const clients = [clientOf(defer, balancer.address, 3), clientOf(defer, balancer.address, 3)];
  for (const client of clients)
    await eventually(
      () => client.getChannel().snapshot().endpoints[0]?.connections === 3 || sayHi(client).then(() => false),
    );
  assert.equal(balancer.accepted, 3);
});
