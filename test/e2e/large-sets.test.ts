import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { HeadlessChannel, type UpdateEvent } from '../../lib/index.js';
import { covers } from '../faults/covers.js';
import { Cluster } from '../support/cluster.js';
import { DnsServer } from '../support/dns-server.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';
import { unclaimedLoopback } from '../support/loopback.js';
import { startPod } from '../support/pod.js';

const NAME = 'hello.test.svc.cluster.local';
const PODS = 300;

test(
  '300 pods, named over TCP and shuffled at each poll, are all called, and none is connected to twice',
  covers(28),
  async (t) => {
    const defer = leakCheck(t);
    const dns = await DnsServer.start({ shuffle: true });
    defer(() => dns.close());
    // One server that answers on all of 127.0.0.0/8 is as many pods as there are addresses.
    const everywhere = await startPod('0.0.0.0');
    defer(() => everywhere.kill());
    const ips = unclaimedLoopback(PODS);
    dns.set(NAME, ips, { ttl: 5 });

    const target = `${NAME}.:${everywhere.port}`;
    const insecure = credentials.createInsecure();
    const channel = new HeadlessChannel(target, insecure, {
      headless: {
        refresh: { intervalMs: 100, minIntervalMs: 50 },
        dns: { servers: [dns.address] },
        balance: { policy: 'round_robin' },
      },
    });
    const client = new HelloClient(target, insecure, { channelOverride: channel });
    defer(() => client.close());
    const updates: UpdateEvent[] = [];
    channel.on('update', (update) => updates.push(update));

    await channel.ready();
    await eventually(
      () => assert.equal(channel.snapshot().endpoints.filter(({ state }) => state === 'ready').length, PODS),
      { timeoutMs: 20_000, intervalMs: 50 },
    );
    await callsByPod(client, PODS);
    for (const { address, succeeded } of channel.snapshot().endpoints) assert.equal(succeeded, 1, address);

    const { polls } = channel.snapshot().counters;
    await eventually(() => channel.snapshot().counters.polls >= polls + 5, { timeoutMs: 10_000 });
    const { counters, dns: status } = channel.snapshot();
    assert.equal(status.transport, 'tcp');
    assert.ok(counters.truncated > 0, 'UDP was tried first');
    assert.equal(updates.length, 1);
    assert.equal(updates[0]?.added.length, PODS);
    assert.deepEqual([counters.changes, counters.connected, counters.connectionsLost], [1, PODS, 0]);
    assert.equal(everywhere.stats().accepted, PODS);
  },
);

test(
  'a pod whose port is closed gets no call until it is open, and the others are unaffected',
  covers(37),
  async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 2 });
    const insecure = credentials.createInsecure();
    const channel = new HeadlessChannel(cluster.target, insecure, {
      headless: cluster.headless(),
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 200,
    });
    const client = new HelloClient(cluster.target, insecure, { channelOverride: channel });
    defer(() => client.close());
    await eventually(async () => assert.equal((await callsByPod(client, 20)).size, 2));
    const early = [...cluster.pods];

    const unready = await cluster.startUnpublished();
    await unready.kill();
    cluster.publish([...early, unready]);
    const endpoint = () => channel.snapshot().endpoints.find(({ address }) => address === unready.address);
    await eventually(() => assert.equal(endpoint()?.state, 'backoff'));
    assert.equal((await callsByPod(client, 60)).size, 2);
    assert.equal(endpoint()?.started, 0);

    await cluster.restart(unready, { name: 'late' });
    await eventually(async () => assert.ok((await callsByPod(client, 20)).has('late')));
    assert.deepEqual(
      early.map((pod) => pod.stats().accepted),
      [1, 1],
    );
  },
);
