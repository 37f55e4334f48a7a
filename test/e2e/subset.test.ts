/** Clients that connect to a subset of the pods: the option `balance.subset`. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient, type HeadlessOptions } from '../../lib/index.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient, sayHi } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';
import type { Pod } from '../support/pod.js';
import { publishZones } from '../support/zonal-service.js';

async function startCluster(t: TestContext, pods: number) {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods });
  const connect = (options: HeadlessOptions, channelOptions: object = {}) => {
    const client = createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), {
      ...channelOptions,
      headless: cluster.headless(options),
    });
    defer(() => client.close());
    return client;
  };
  return { cluster, connect };
}

type Client = ReturnType<Awaited<ReturnType<typeof startCluster>>['connect']>;

function inState(client: Client, state: string): string[] {
  const { endpoints } = client.getChannel().snapshot();
  return endpoints.filter((endpoint) => endpoint.state === state).map(({ address }) => address);
}

/** Waits until so many pods are READY, and none is on its way. */
async function ready(client: Client, count: number): Promise<string[]> {
  await client.getChannel().ready();
  await eventually(() => assert.equal(inState(client, 'ready').length, count));
  return inState(client, 'ready').sort();
}

test('channels of one process choose the same pods and share the connections to them', async (t) => {
  const { cluster, connect } = await startCluster(t, 10);
  const clients = [connect({ balance: { subset: { size: 3 } } }), connect({ balance: { subset: { size: 3 } } })];
  const chosen = await Promise.all(clients.map((client) => ready(client, 3)));
  assert.deepEqual(chosen[0], chosen[1]);
  const used = cluster.pods.filter((pod) => pod.stats().accepted > 0);
  assert.deepEqual(used.map(({ address }) => address).sort(), chosen[0]);
  assert.deepEqual(
    used.map((pod) => pod.stats().accepted),
    [1, 1, 1],
  );
});

test('calls go evenly to the pods of the subset', async (t) => {
  const { connect } = await startCluster(t, 10);
  const client = connect({ balance: { subset: { size: 4 } } });
  await ready(client, 4);
  const calls = [...(await callsByPod(client, 400, 8)).values()];
  assert.equal(calls.length, 4);
  assert.ok(Math.min(...calls) >= 80, `${calls}`);
});

test('a pod that dies while it is in DNS is replaced, and no call fails once it is out', async (t) => {
  const { cluster, connect } = await startCluster(t, 6);
  const client = connect({ balance: { subset: { size: 2, key: 'client' } } });
  const [first] = await ready(client, 2);
  const victim = cluster.pods.find(({ address }) => address === first) as Pod;
  await victim.kill();
  await eventually(() => {
    assert.equal(inState(client, 'ready').length, 2);
    assert.ok(!inState(client, 'ready').includes(victim.address));
  });
  await callsByPod(client, 50);
  const others = cluster.pods.filter((pod) => pod.stats().accepted > 0);
  assert.equal(others.length, 3, 'one more pod was connected');
  // Then DNS tells that it is gone: its substitute is there already, so nothing is connected.
  cluster.unpublish(victim);
  await eventually(() => assert.ok(!client.getChannel().snapshot().dns.addresses.includes(victim.ip)));
  assert.equal((await ready(client, 2)).length, 2);
  assert.deepEqual(
    others.map((pod) => pod.stats().accepted),
    [1, 1, 1],
  );
});

test('with a zone, the subset is of pods of the zone, and others are connected where these all fail', async (t) => {
  const { cluster, connect } = await startCluster(t, 0);
  const start = (): Promise<Pod[]> => Promise.all(Array.from({ length: 4 }, () => cluster.startUnpublished()));
  const [near, far] = [await start(), await start()];
  const ips = (pods: readonly Pod[]): string[] => pods.map(({ ip }) => ip);
  publishZones(cluster.dns, cluster.name, { zones: { here: ips(near), there: ips(far) } });
  const client = connect({
    zone: { name: 'here' },
    balance: { subset: { size: 2 } },
    dns: { servers: [cluster.dns.address], family: 'ipv4' },
  });
  await client.getChannel().ready();
  const zoneOf = (pods: readonly Pod[]): number => pods.filter(({ connections }) => connections > 0).length;
  await eventually(() => assert.deepEqual([inState(client, 'ready').length, zoneOf(near), zoneOf(far)], [2, 2, 0]));
  for (const pod of near) await pod.kill();
  await eventually(() => sayHi(client));
  await eventually(() => assert.equal(inState(client, 'ready').length, 2));
  await eventually(async () => {
    const calls = await callsByPod(client, 20);
    assert.ok([...calls.keys()].every((name) => far.some((pod) => pod.name === name)));
  });
});
