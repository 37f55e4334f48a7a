import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient, HeadlessChannel } from '../../lib/index.js';
import '../../lib/register.js';
import { createFakeDns } from '../../lib/testing.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient, sayHi } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';

/** How each door makes a client of a cluster; what is asserted of them is the same. */
const doors: Record<string, (cluster: Cluster) => HelloClient> = {
  createHeadlessClient: (cluster) =>
    createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), { headless: cluster.headless() }),
  'a HeadlessChannel as channelOverride': (cluster) => {
    const options = { headless: cluster.headless() };
    const channelOverride = new HeadlessChannel(cluster.target, credentials.createInsecure(), options);
    return new HelloClient(cluster.target, credentials.createInsecure(), { channelOverride });
  },
  'a HeadlessChannel from channelFactoryOverride': (cluster) =>
    new HelloClient(cluster.target, credentials.createInsecure(), {
      channelFactoryOverride: (address, creds, options) => new HeadlessChannel(address, creds, options),
      headless: cluster.headless(),
    }),
  'a headless: target with options': (cluster) =>
    new HelloClient(`headless:///${cluster.target}`, credentials.createInsecure(), { headless: cluster.headless() }),
  'a headless: target that names its DNS server': (cluster) =>
    new HelloClient(`headless://127.0.0.1:${cluster.dns.port}/${cluster.target}`, credentials.createInsecure(), {
      headless: { refresh: { intervalMs: 100 } },
    }),
};

for (const [door, makeClient] of Object.entries(doors))
  test(`pods that are added get calls and pods that are removed get none, through ${door}`, async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 2 });
    const client = makeClient(cluster);
    defer(() => client.close());
    const [first, second] = cluster.pods;
    // The first calls may all go to the pod that is connected first.
    await eventually(async () => {
      const calls = await callsByPod(client, 40);
      assert.deepEqual([...calls.keys()].sort(), [first?.name, second?.name].sort());
    });

    const added = await cluster.scaleUp(3);
    await eventually(async () => {
      const calls = await callsByPod(client, 40);
      assert.equal(calls.size, 5, `calls went to ${[...calls.keys()]}`);
    });

    if (!first || !second) throw new Error('two pods were started');
    cluster.unpublish(first, second);
    await eventually(async () => {
      const calls = await callsByPod(client, 40);
      assert.deepEqual([...calls.keys()].sort(), added.map((pod) => pod.name).sort());
    });
    assert.deepEqual([first.stats().accepted, second.stats().accepted], [1, 1], 'no pod was connected to twice');
  });

test('fake DNS stands in for the whole DNS client', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 2 });
  const [one, two] = cluster.pods;
  if (!one || !two) throw new Error('two pods were started');
  const dns = createFakeDns({ 'svc.ns': [one.ip] });
  const client = createHeadlessClient(HelloClient, `svc.ns:${cluster.port}`, credentials.createInsecure(), {
    headless: { dns: { lookup: dns.lookup }, refresh: { intervalMs: 50 } },
  });
  defer(() => client.close());
  assert.equal((await sayHi(client)).from_who, one.name);
  dns.set('svc.ns', [two.ip], { ttlMs: 5_000 });
  await eventually(async () => assert.equal((await sayHi(client)).from_who, two.name));
  dns.fail('svc.ns', 'SERVFAIL');
  const asked = dns.queries.length;
  await eventually(() => dns.queries.length > asked);
  assert.equal((await sayHi(client)).from_who, two.name);
  assert.equal(cluster.dns.queries.length, 0, 'no packet was sent');
});

test('an update event names who came, who went and who stayed, and a snapshot shows them', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 2 });
  const channel = new HeadlessChannel(cluster.target, credentials.createInsecure(), { headless: cluster.headless() });
  defer(() => channel.close());
  const updates: unknown[] = [];
  channel.on('update', (update) => updates.push(update));
  await channel.ready();
  const [first, second] = cluster.pods.map((pod) => pod.address);
  assert.deepEqual(updates, [{ added: [first, second], removed: [], kept: [] }]);
  const [third] = await cluster.scaleUp(1);
  const [gone] = cluster.pods;
  if (!gone || !third) throw new Error('pods were started');
  cluster.unpublish(gone);
  await channel.refresh();
  await eventually(() => updates.length > 1);
  assert.deepEqual(updates[1], { added: [third.address], removed: [first], kept: [second] });
  await eventually(() => {
    const states = Object.fromEntries(channel.snapshot().endpoints.map(({ address, state }) => [address, state]));
    assert.deepEqual(states, { [String(first)]: 'draining', [String(second)]: 'ready', [third.address]: 'ready' });
  });
  const snapshot = channel.snapshot();
  assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), snapshot);
  assert.equal(snapshot.state, 'READY');
  assert.equal(snapshot.dns.rcode, 'NOERROR');
  assert.equal(snapshot.dns.transport, 'udp');
});
