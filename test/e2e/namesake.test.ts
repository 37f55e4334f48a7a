/** The same host in another search domain, with a pod of its own: calls meant for the Service must not reach it. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { HeadlessChannel } from '../../lib/index.js';
import { covers } from '../faults/covers.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient, sayHi } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';
import type { Pod } from '../support/pod.js';

const NAMESAKE = 'hello.test.corp.example';

/** A client with a pod's search list, which ends with a company's domain. `namesake` is the pod that is there. */
async function startClient(t: TestContext, options: { pods: number; intervalMs: number }) {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: options.pods });
  const namesake: Pod = await cluster.startUnpublished({ name: 'namesake' });
  cluster.dns.set(NAMESAKE, [namesake.ip]);
  const search = ['web.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'];
  const channel = new HeadlessChannel(`hello.test:${cluster.port}`, credentials.createInsecure(), {
    headless: cluster.headless({
      refresh: { intervalMs: options.intervalMs, minIntervalMs: 50, burstMs: 0 },
      dns: { servers: [cluster.dns.address], search, ndots: 5, family: 'ipv4' },
    }),
  });
  const client = new HelloClient(`hello.test:${cluster.port}`, credentials.createInsecure(), {
    channelOverride: channel,
  });
  defer(() => client.close());
  return { cluster, namesake, channel, client };
}

test(
  'a Service that is scaled to zero loses no call to the same host in another search domain, and is asked for alone',
  covers(51),
  async (t) => {
    const { cluster, namesake, channel, client } = await startClient(t, { pods: 2, intervalMs: 100 });
    await eventually(async () => assert.equal((await callsByPod(client, 20)).size, 2));
    const answers = (): number => channel.snapshot().counters.emptyAnswers;

    const early = [...cluster.pods];
    cluster.publish([]);
    await eventually(() => answers() >= 3);
    await callsByPod(client, 150);
    await Promise.all(early.map((pod) => pod.kill()));
    const before = cluster.dns.asked(NAMESAKE);
    const polls = channel.snapshot().counters.polls;
    const results = await Promise.allSettled(Array.from({ length: 150 }, () => sayHi(client)));
    await eventually(() => channel.snapshot().counters.polls >= polls + 5);
    assert.ok(results.every(({ status }) => status === 'rejected'));
    assert.deepEqual([namesake.calls, cluster.dns.asked(NAMESAKE) - before], [0, 0]);
    const { name, error, failures } = channel.snapshot().dns;
    assert.deepEqual([name, failures], [cluster.name, 0]);
    assert.match(String(error), /^A of "hello\.test\.svc\.cluster\.local": .*NXDOMAIN/);

    const [late] = await cluster.scaleUp(1);
    await eventually(() => sayHi(client));
    assert.deepEqual([...(await callsByPod(client, 20)).keys()], [late?.name]);
    assert.equal(namesake.calls, 0);
  },
);

test(
  'a client that found only the same host in another search domain at its start leaves it for the Service within 30 s',
  covers(52),
  async (t) => {
    const { cluster, namesake, channel, client } = await startClient(t, { pods: 0, intervalMs: 1_000 });
    await eventually(() => sayHi(client));
    assert.deepEqual([namesake.calls, channel.snapshot().dns.name], [1, NAMESAKE]);
    const [own] = await cluster.scaleUp(1);
    await eventually(async () => assert.deepEqual([...(await callsByPod(client, 5)).keys()], [own?.name]), {
      timeoutMs: 30_000,
      intervalMs: 200,
    });
    const calls = namesake.calls;
    cluster.publish([]);
    const { emptyAnswers } = channel.snapshot().counters;
    await eventually(() => channel.snapshot().counters.emptyAnswers >= emptyAnswers + 2);
    assert.deepEqual([...(await callsByPod(client, 20)).keys()], [own?.name]);
    assert.equal(namesake.calls, calls);
  },
);
