/** Calls that stay in the client's topology zone, by the names that CoreDNS's kubernetes plugin has for zones. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { HeadlessChannel, type HeadlessOptions } from '../../lib/index.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient, sayHi } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';
import { startLoad } from '../support/load-generator.js';
import type { Pod } from '../support/pod.js';
import { publishZones } from '../support/zonal-service.js';

const NEAR = 'us-west-2a';
const FAR = 'us-west-2b';

interface Fixture {
  mode: 'prefer' | 'pin';
  zonal?: boolean;
  dns?: HeadlessOptions['dns'];
  /** Default: the absolute one. */
  hostname?: string;
}

/** Two pods in the client's zone, two in another one, all of them in DNS. */
async function startZones(t: TestContext, { mode, zonal = true, dns = {}, hostname }: Fixture) {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 0 });
  const start = async (name: string): Promise<Pod> => cluster.startUnpublished({ name });
  const pods = { a: await start('a'), b: await start('b'), c: await start('c'), d: await start('d') };
  const publish = (near: readonly Pod[], far: readonly Pod[]): void => {
    const ips = (list: readonly Pod[]): string[] => list.map(({ ip }) => ip);
    publishZones(cluster.dns, cluster.name, { zones: { [NEAR]: ips(near), [FAR]: ips(far) }, zonal });
  };
  publish([pods.a, pods.b], [pods.c, pods.d]);
  const target = hostname === undefined ? cluster.target : `${hostname}:${cluster.port}`;
  const channel = new HeadlessChannel(target, credentials.createInsecure(), {
    headless: cluster.headless({
      zone: { name: NEAR, mode },
      dns: { servers: [cluster.dns.address], family: 'ipv4', ...dns },
    }),
  });
  const client = new HelloClient(target, credentials.createInsecure(), { channelOverride: channel });
  defer(() => client.close());
  /** Waits until calls go to exactly these pods. */
  const servedBy = (names: string): Promise<void> =>
    eventually(async () => assert.equal([...(await callsByPod(client, 20)).keys()].sort().join(''), names));
  const readyCount = (): number => channel.snapshot().endpoints.filter(({ state }) => state === 'ready').length;
  return { defer, cluster, channel, client, pods, publish, servedBy, readyCount };
}

test('pods of a preferred zone get every call while one of them is READY, and the others stand by connected', async (t) => {
  const { channel, client, pods, servedBy, readyCount } = await startZones(t, { mode: 'prefer' });
  await servedBy('ab');
  await eventually(() => readyCount() === 4);
  await servedBy('ab');
  assert.deepEqual(channel.snapshot().dns.zone, { name: NEAR, mode: 'prefer', fallback: false });
  const zones = channel.snapshot().endpoints.map(({ address, zone }) => [address, zone]);
  assert.deepEqual(
    zones.sort(),
    Object.values(pods)
      .map((pod) => [pod.address, pod === pods.a || pod === pods.b ? NEAR : null])
      .sort(),
  );
  const before = pods.c.calls + pods.d.calls;
  await callsByPod(client, 100);
  assert.equal(pods.c.calls + pods.d.calls, before);

  await pods.a.kill();
  await servedBy('b');
  await pods.b.kill();
  await eventually(() => sayHi(client));
  await servedBy('cd');
  assert.deepEqual([pods.c.stats().accepted, pods.d.stats().accepted], [1, 1], 'they were connected all the time');
});

test('when the pods of a preferred zone leave DNS and return, no call fails and no other pod is reconnected', async (t) => {
  const { defer, client, pods, publish, servedBy, readyCount } = await startZones(t, { mode: 'prefer' });
  await servedBy('ab');
  await eventually(() => readyCount() === 4);
  const load = startLoad(defer, client);
  publish([], [pods.c, pods.d]);
  await servedBy('cd');
  publish([pods.a, pods.b], [pods.c, pods.d]);
  await servedBy('ab');
  publish([pods.a], [pods.b, pods.c, pods.d]);
  await servedBy('a');
  publish([pods.c], [pods.a, pods.b, pods.d]);
  await servedBy('c');
  await load.stop();
  assert.deepEqual(load.recorder.failures, []);
  assert.deepEqual(
    Object.values(pods).map((pod) => pod.stats().accepted),
    [1, 1, 1, 1],
  );
});

test('only pods of a pinned zone are used, and an empty zone is an empty answer', async (t) => {
  const { channel, cluster, pods, publish, servedBy } = await startZones(t, { mode: 'pin' });
  await servedBy('ab');
  assert.deepEqual(
    channel.snapshot().endpoints.map(({ zone }) => zone),
    [NEAR, NEAR],
  );
  publish([], [pods.c, pods.d]);
  const { emptyAnswers } = channel.snapshot().counters;
  await eventually(() => channel.snapshot().counters.emptyAnswers >= emptyAnswers + 2);
  await servedBy('ab');
  publish([pods.b], [pods.c, pods.d]);
  await servedBy('b');
  assert.deepEqual([pods.c.calls, pods.d.calls, cluster.dns.asked(cluster.name)], [0, 0, 0]);
  assert.deepEqual(channel.snapshot().dns.zone, { name: NEAR, mode: 'pin', fallback: false });
});

for (const mode of ['prefer', 'pin'] as const) {
  test(`without zonal names in the cluster, ${mode} uses all pods, and the snapshot tells so`, async (t) => {
    const { channel, servedBy } = await startZones(t, { mode, zonal: false });
    const failures: unknown[] = [];
    channel.on('dnsFailure', (failure) => failures.push(failure));
    await servedBy('abcd');
    assert.deepEqual(channel.snapshot().dns.zone, { name: NEAR, mode, fallback: true });
    assert.deepEqual([channel.snapshot().dns.error, failures], [null, []]);
  });

  test(`where one DNS replica has zonal names and another has none, ${mode} keeps to the zone`, async (t) => {
    const { cluster, channel, client, pods, servedBy } = await startZones(t, { mode });
    await servedBy('ab');
    let queries = 0;
    cluster.dns.respond = (query, exchange) => {
      if (!query.name.includes('._zone.') || ++queries % 2 === 0) exchange.answer();
      else exchange.reply(exchange.build({ rcode: 'NXDOMAIN', answers: [] }));
    };
    const { polls } = channel.snapshot().counters;
    const before = pods.c.calls + pods.d.calls;
    await eventually(async () => {
      await callsByPod(client, 20);
      return channel.snapshot().counters.polls >= polls + 10;
    });
    assert.equal(pods.c.calls + pods.d.calls, before);
    assert.equal(channel.snapshot().dns.zone?.fallback, false);
  });

  test(`the zone of a name with a search list is that of the Service, mode ${mode}`, async (t) => {
    const search = ['web.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'];
    const { cluster, pods, servedBy } = await startZones(t, {
      mode,
      hostname: 'hello.test',
      dns: { search, ndots: 5 },
    });
    // A company's zone that answers for every name.
    cluster.dns.set(`${NEAR}.${mode}._zone.hello.test.corp.example`, [pods.d.ip]);
    await servedBy('ab');
    assert.equal(pods.d.calls, 0);
  });
}
