/** A channel that is closed by whoever is told of its events, and one that is used after its end. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { Client, connectivityState, credentials } from '@grpc/grpc-js';
import { HeadlessChannel } from '../lib/channel.js';
import { channels } from '../lib/index.js';
import { createFakeDns, type FakeDns } from '../lib/testing.js';
import { Cluster } from './support/cluster.js';
import { eventually } from './support/eventually.js';
import { FakeClock, settle } from './support/fake-clock.js';
import { leakCheck } from './support/leak-check.js';

const insecure = credentials.createInsecure();
const TARGET = 'svc.ns:1';

function open(dns: FakeDns): { channel: HeadlessChannel; clock: FakeClock } {
  const clock = new FakeClock();
  const runtime = { clock, random: () => 0, turns: { current: () => 0 } };
  return {
    channel: new HeadlessChannel(TARGET, insecure, { headless: { dns: { lookup: dns.lookup } } }, runtime),
    clock,
  };
}

/** It has no pod, asks nothing more, and is in no list. */
async function assertClosed(channel: HeadlessChannel, clock: FakeClock, dns: FakeDns): Promise<void> {
  await settle();
  assert.equal(channel.getConnectivityState(false), connectivityState.SHUTDOWN);
  assert.deepEqual(channel.snapshot().endpoints, []);
  assert.ok(!channels().some(({ target }) => target === channel.getTarget()));
  const asked = dns.queries.length;
  await clock.advance(120_000);
  assert.equal(dns.queries.length, asked);
  assert.equal(clock.timers, 0);
}

test('a channel that a listener of its first update closes is closed', async () => {
  const dns = createFakeDns({ 'svc.ns': ['127.0.0.1'] });
  const { channel, clock } = open(dns);
  channel.once('update', () => channel.close());
  channel.getConnectivityState(true);
  await assertClosed(channel, clock, dns);
});

test('a channel that a listener of a later update closes is closed', async () => {
  const dns = createFakeDns({ 'svc.ns': ['127.0.0.1'] });
  const { channel, clock } = open(dns);
  await channel.refresh();
  channel.on('update', ({ removed }) => {
    if (removed.length > 0) channel.close();
  });
  dns.set('svc.ns', ['127.0.0.2']);
  await clock.advance(10_000);
  await assertClosed(channel, clock, dns);
});

test('a channel that a listener of a failure of DNS closes is closed', async () => {
  const dns = createFakeDns();
  const { channel, clock } = open(dns);
  channel.once('dnsFailure', () => channel.close());
  channel.getConnectivityState(true);
  await assertClosed(channel, clock, dns);
});

for (const kind of ['poll_started', 'query_sent', 'poll_settled', 'addresses_changed', 'resolution_failed'])
  test(`a channel that a subscriber of grpc-headless:${kind} closes is closed`, async () => {
    const dns = createFakeDns({ 'svc.ns': ['127.0.0.1'] });
    const { channel, clock } = open(dns);
    let told = 0;
    const close = (): void => {
      told += 1;
      channel.close();
    };
    subscribe(`grpc-headless:${kind}`, close);
    try {
      channel.getConnectivityState(true);
      if (kind === 'resolution_failed') {
        await settle();
        dns.fail('svc.ns', 'SERVFAIL');
        await clock.advance(10_000);
      }
      await assertClosed(channel, clock, dns);
      assert.equal(told, 1);
    } finally {
      unsubscribe(`grpc-headless:${kind}`, close);
    }
  });

test('a closed channel that is asked to connect stays closed', async () => {
  const dns = createFakeDns({ 'svc.ns': ['127.0.0.1'] });
  const { channel, clock } = open(dns);
  await channel.refresh();
  channel.close();
  assert.equal(channel.getConnectivityState(true), connectivityState.SHUTDOWN);
  await assertClosed(channel, clock, dns);
});

test('a client of a closed channel that waits for ready is not ready, and nothing is asked or connected', async (t) => {
  const cluster = await Cluster.start(leakCheck(t), { pods: 1 });
  const channel = new HeadlessChannel(cluster.target, insecure, { headless: cluster.headless() });
  await channel.ready();
  const client = new Client(cluster.target, insecure, { channelOverride: channel });
  client.close();
  await eventually(() => assert.equal(cluster.pods[0]?.connections, 0));
  const asked = cluster.dns.queries.length;
  const error = await new Promise((resolve) => client.waitForReady(Date.now() + 300, resolve));
  assert.ok(error instanceof Error, 'it was said to be ready');
  assert.equal(cluster.dns.queries.length, asked);
  assert.equal(cluster.pods[0]?.connections, 0);
});
