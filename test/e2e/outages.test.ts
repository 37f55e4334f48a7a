import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { createHeadlessClient, type DnsFailureEvent, HeadlessChannel, type UpdateEvent } from '../../lib/index.js';
import { type Coverage, covers } from '../faults/covers.js';
import { Cluster } from '../support/cluster.js';
import { type DnsFailure, DnsServer } from '../support/dns-server.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient, sayHi } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';
import { startLoad } from '../support/load-generator.js';

interface Outage {
  code: string;
  /** For a server's answer. Default: more than any stall of a busy machine, so that no answer counts as none. */
  timeoutMs?: number;
  begin(cluster: Cluster): unknown;
  end(cluster: Cluster): unknown;
}

/** DNS answers, with a failure. */
function failing(kind: DnsFailure, code: string): Outage {
  return { code, begin: ({ dns, name }) => dns.fail(name, kind), end: ({ dns }) => dns.heal() };
}

const outages: readonly [coverage: Coverage, title: string, outage: Outage][] = [
  [covers(23), 'SERVFAIL', failing('SERVFAIL', 'ERR_HEADLESS_DNS_SERVFAIL')],
  [covers(23), 'REFUSED', failing('REFUSED', 'ERR_HEADLESS_DNS_REFUSED')],
  [covers(23), 'NOTIMP', failing('NOTIMP', 'ERR_HEADLESS_DNS_RCODE')],
  [covers(24), 'NXDOMAIN', failing('NXDOMAIN', 'ERR_HEADLESS_DNS_NXDOMAIN')],
  [
    covers(24),
    'NODATA',
    {
      code: 'ERR_HEADLESS_DNS_NODATA',
      begin: ({ dns, name }) => dns.nodata(name),
      end: (cluster) => cluster.publish([...cluster.pods]),
    },
  ],
  [
    covers(34),
    'a black hole',
    {
      code: 'ERR_HEADLESS_DNS_TIMEOUT',
      timeoutMs: 250,
      begin: ({ dns }) => dns.pause(),
      end: ({ dns }) => dns.resume(),
    },
  ],
  [covers(34), 'malformed replies', failing('malformed', 'ERR_HEADLESS_DNS_MALFORMED')],
];

/** Two pods, a channel that listens to itself, and calls that go on until the test ends. */
async function underLoad(t: TestContext, timeoutMs = 3_000) {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 2 });
  const insecure = credentials.createInsecure();
  const headless = cluster.headless({
    dns: { servers: [cluster.dns.address], timeoutMs, attempts: 1 },
  });
  const channel = new HeadlessChannel(cluster.target, insecure, { headless });
  const client = new HelloClient(cluster.target, insecure, { channelOverride: channel });
  defer(() => client.close());
  const failures: DnsFailureEvent[] = [];
  const updates: UpdateEvent[] = [];
  channel.on('dnsFailure', (failure) => failures.push(failure));
  channel.on('update', (update) => updates.push(update));
  await eventually(async () => assert.equal((await callsByPod(client, 20)).size, 2));
  return { defer, cluster, channel, client, failures, updates, load: startLoad(defer, client) };
}

for (const [coverage, title, outage] of outages)
  test(
    `${title} costs no call and no pod, is reported, and new pods are found when it is over`,
    coverage,
    async (t) => {
      const { cluster, channel, client, failures, updates, load } = await underLoad(t, outage.timeoutMs);
      const early = [...cluster.pods];
      await outage.begin(cluster);
      await eventually(() => failures.length >= 3);
      const enough = load.recorder.answered + 20;
      await eventually(() => load.recorder.answered > enough);
      for (const { error, kept } of failures) {
        assert.equal(error.code, outage.code);
        assert.equal(error.hostname, cluster.name);
        assert.equal(kept, 2);
      }
      // Empty answers are answers. Failures count up; a stall of the machine may have been one before the outage.
      if (failures.every(({ error }) => error.isEmptyAnswer))
        for (const failure of failures) assert.equal(failure.failures, 0);
      else await eventually(() => assert.ok(Number(failures.at(-1)?.failures) >= 3));
      assert.deepEqual(
        channel.snapshot().endpoints.map(({ state }) => state),
        ['ready', 'ready'],
      );

      await outage.end(cluster);
      const [late] = await cluster.scaleUp(1);
      await eventually(async () => assert.ok((await callsByPod(client, 20)).has(String(late?.name))));
      await load.stop();
      assert.deepEqual(load.recorder.failures, []);
      assert.deepEqual(
        updates.map(({ added, removed }) => [added.length, removed.length]),
        [
          [2, 0],
          [1, 0],
        ],
      );
      assert.deepEqual(
        early.map((pod) => pod.stats().accepted),
        [1, 1],
      );
      await eventually(() => assert.equal(channel.snapshot().dns.failures, 0));
    },
  );

test(
  'a DNS server that is gone costs no call and no pod, and new pods are found when it is back',
  covers(34),
  async (t) => {
    const { defer, cluster, client, failures, load } = await underLoad(t);
    await cluster.dns.close();
    await eventually(() => failures.length >= 3);
    const enough = load.recorder.answered + 20;
    await eventually(() => load.recorder.answered > enough);
    // The ICMP error may come between two polls; a query that was on its way times out.
    for (const { error } of failures) assert.match(error.code, /^ERR_HEADLESS_DNS_(UNREACHABLE|TIMEOUT)$/);
    assert.ok(failures.some(({ error }) => error.code === 'ERR_HEADLESS_DNS_UNREACHABLE'));

    const late = await cluster.startUnpublished();
    const dns = await DnsServer.start({ host: cluster.dns.host, port: cluster.dns.port });
    defer(() => dns.close());
    dns.set(
      cluster.name,
      [...cluster.pods, late].map((pod) => pod.ip),
    );
    await eventually(async () => assert.equal((await callsByPod(client, 20)).size, 3));
    await load.stop();
    assert.deepEqual(load.recorder.failures, []);
    assert.deepEqual(
      [...cluster.pods, late].map((pod) => pod.stats().accepted),
      [1, 1, 1],
    );
  },
);

test(
  "with empty: 'drop' NXDOMAIN is obeyed, calls fail naming it, and pods that return are called",
  covers(24),
  async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 2 });
    const client = createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), {
      headless: cluster.headless({ empty: 'drop' }),
    });
    defer(() => client.close());
    await sayHi(client);
    const pods = [...cluster.pods];

    cluster.publish([]);
    const error = await eventually(() =>
      sayHi(client).then(
        () => assert.fail('calls are still answered'),
        (error: ServiceError) => error,
      ),
    );
    assert.equal(error.code, status.UNAVAILABLE);
    assert.match(error.details, /hello\.test\.svc\.cluster\.local/);
    assert.match(error.details, /NXDOMAIN/);

    cluster.publish(pods);
    await eventually(() => sayHi(client));
  },
);
