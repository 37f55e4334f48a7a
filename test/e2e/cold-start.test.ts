import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { createHeadlessClient, DnsError, HeadlessChannel, HeadlessError } from '../../lib/index.js';
import { covers } from '../faults/covers.js';
import { Cluster } from '../support/cluster.js';
import { DnsServer } from '../support/dns-server.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient, sayHi } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';

const insecure = credentials.createInsecure();

/** A call that waits until it can be made, however long that takes. */
function sayHiWhenReady(client: HelloClient): ReturnType<typeof sayHi> {
  return sayHi(client, { metadata: new Metadata({ waitForReady: true }), deadline: Date.now() + 20_000 });
}

/** Resolves at the next change of the addresses, with how many queries DNS was asked until then. */
function queriesUntilUpdate({ dns }: Cluster, client: HelloClient): Promise<number> {
  const asked = dns.asked();
  const channel = client.getChannel() as HeadlessChannel;
  return new Promise((resolve) => channel.once('update', () => resolve(dns.asked() - asked)));
}

/** How DNS can be down before anything was ever resolved, what calls are told, and the way back. */
const troubles: Record<string, { cause: RegExp; begin(cluster: Cluster): unknown; end(cluster: Cluster): unknown }> = {
  'answers SERVFAIL': {
    cause: /SERVFAIL/,
    begin: ({ dns }) => dns.fail('*', 'SERVFAIL'),
    end: ({ dns }) => dns.heal(),
  },
  'is a black hole': {
    cause: /no valid response|within/,
    begin: ({ dns }) => dns.pause(),
    end: ({ dns }) => dns.resume(),
  },
};

for (const [title, { cause, begin, end }] of Object.entries(troubles))
  test(`while DNS ${title}, calls fail naming name, server and cause, or wait for ready; then they succeed`, async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer);
    await begin(cluster);
    const client = createHeadlessClient(HelloClient, cluster.target, insecure, {
      headless: cluster.headless({ dns: { servers: [cluster.dns.address], timeoutMs: 300, attempts: 1 } }),
    });
    defer(() => client.close());
    const waiting = sayHiWhenReady(client);
    await assert.rejects(sayHi(client), (error: ServiceError) => {
      assert.equal(error.code, status.UNAVAILABLE);
      assert.ok(error.details.includes(cluster.name), error.details);
      assert.ok(error.details.includes(cluster.dns.address), error.details);
      assert.match(error.details, cause);
      return true;
    });
    await end(cluster);
    const { from_who } = await waiting;
    assert.ok(cluster.pods.some((pod) => pod.name === from_who));
    await eventually(() => sayHi(client));
  });

test('while the DNS server cannot be reached, calls fail naming name, server and cause; then they succeed', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer);
  await cluster.dns.close();
  const client = createHeadlessClient(HelloClient, cluster.target, insecure, { headless: cluster.headless() });
  defer(() => client.close());
  const waiting = sayHiWhenReady(client);
  await assert.rejects(sayHi(client), (error: ServiceError) => {
    assert.equal(error.code, status.UNAVAILABLE);
    assert.ok(error.details.includes(cluster.name), error.details);
    assert.ok(error.details.includes(cluster.dns.address), error.details);
    assert.match(error.details, /ECONNREFUSED/);
    return true;
  });
  const dns = await DnsServer.start({ host: cluster.dns.host, port: cluster.dns.port });
  defer(() => dns.close());
  dns.set(
    cluster.name,
    cluster.pods.map((pod) => pod.ip),
  );
  await waiting;
  await eventually(() => sayHi(client));
});

test(
  'with NXDOMAIN at the start, calls fail naming it, and the first answer with pods mends it',
  covers(25),
  async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 0 });
    const headless = cluster.headless({ refresh: { intervalMs: 1_000, minIntervalMs: 1_000 } });
    const client = createHeadlessClient(HelloClient, cluster.target, insecure, { headless });
    defer(() => client.close());
    const waiting = sayHiWhenReady(client);
    await assert.rejects(sayHi(client), (error: ServiceError) => {
      assert.equal(error.code, status.UNAVAILABLE);
      assert.ok(error.details.includes(cluster.name), error.details);
      assert.ok(error.details.includes(cluster.dns.address), error.details);
      assert.match(error.details, /NXDOMAIN/);
      return true;
    });
    await eventually(() => cluster.dns.asked() >= 2);
    const pod = await cluster.startUnpublished();
    const queries = queriesUntilUpdate(cluster, client);
    cluster.publish([pod]);
    assert.equal((await waiting).from_who, pod.name);
    // One query found the pod; another may have been on its way before.
    assert.ok((await queries) <= 2, `${await queries} queries`);
    assert.equal((await sayHi(client)).from_who, pod.name);
  },
);

test(
  'when every pod is lost and new ones come at new addresses, waiting calls are served by them',
  covers(41),
  async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 3 });
    // Losing its pods, not the interval, must make it ask.
    const headless = cluster.headless({ refresh: { intervalMs: 600_000, minIntervalMs: 100 } });
    const client = createHeadlessClient(HelloClient, cluster.target, insecure, { headless });
    defer(() => client.close());
    await eventually(async () => assert.equal((await callsByPod(client, 20)).size, 3));

    await Promise.all(cluster.pods.map((pod) => pod.kill()));
    await eventually(() =>
      assert.rejects(sayHi(client), (error: ServiceError) => {
        assert.equal(error.code, status.UNAVAILABLE);
        assert.match(error.details, /no connection to any of the 3 pods of hello\.test\.svc\.cluster\.local/);
        return true;
      }),
    );
    cluster.publish([]);
    const waiting = [1, 2, 3, 4].map(() => sayHiWhenReady(client));
    const fresh = [await cluster.startUnpublished(), await cluster.startUnpublished()];
    const queries = queriesUntilUpdate(cluster, client);
    cluster.publish(fresh);
    const names = (await Promise.all(waiting)).map(({ from_who }) => from_who);
    assert.ok(
      names.every((name) => fresh.some((pod) => pod.name === name)),
      `answered by ${names}`,
    );
    assert.ok((await queries) <= 2, `${await queries} queries`);
    await eventually(async () => assert.equal((await callsByPod(client, 20)).size, 2));
  },
);

test('ready() that times out says that DNS was the cause', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 0 });
  const channel = new HeadlessChannel(cluster.target, insecure, { headless: cluster.headless() });
  defer(() => channel.close());
  channel.getConnectivityState(true);
  await eventually(() => assert.ok(channel.snapshot().counters.emptyAnswers > 0));
  await assert.rejects(channel.ready({ timeoutMs: 500 }), (error: unknown) => {
    assert.ok(error instanceof HeadlessError);
    assert.equal(error.code, 'ERR_HEADLESS_NOT_READY');
    assert.match(error.message, /no pod is known/);
    assert.match(error.message, /NXDOMAIN/);
    assert.ok(error.cause instanceof DnsError);
    assert.equal(error.cause.code, 'ERR_HEADLESS_DNS_NXDOMAIN');
    return true;
  });
  await cluster.scaleUp(1);
  await channel.ready();
});

test('ready() that times out names the pods that could not be connected to', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 1 });
  await Promise.all(cluster.pods.map((pod) => pod.kill()));
  const channel = new HeadlessChannel(cluster.target, insecure, { headless: cluster.headless() });
  defer(() => channel.close());
  // At the end of a wait the pod may just be connected to once more.
  await eventually(() =>
    assert.rejects(channel.ready({ timeoutMs: 500 }), (error: unknown) => {
      assert.ok(error instanceof HeadlessError);
      assert.equal(error.code, 'ERR_HEADLESS_NOT_READY');
      assert.ok(error.message.includes(`${cluster.pods[0]?.address} backoff`), error.message);
      return true;
    }),
  );
});

test('a channel that is closed rejects ready() and refresh(), also those under way', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 0 });
  const channel = new HeadlessChannel(cluster.target, insecure, { headless: cluster.headless() });
  const waiting = assert.rejects(channel.ready(), { code: 'ERR_HEADLESS_CLOSED' });
  const refreshing = channel.refresh();
  await eventually(() => cluster.dns.asked() > 0);
  channel.close();
  await waiting;
  await refreshing;
  await assert.rejects(channel.ready(), { code: 'ERR_HEADLESS_CLOSED' });
  await assert.rejects(channel.refresh(), { code: 'ERR_HEADLESS_CLOSED' });
  channel.close();
});
