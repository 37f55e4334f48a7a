import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials, status } from '@grpc/grpc-js';
import { createHeadlessClient, HeadlessChannel, type HeadlessOptions } from '../../lib/index.js';
import '../../lib/register.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient, sayHi } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';

const insecure = credentials.createInsecure();

/** Two doors: one with a channel of ours around grpc-js's, one with grpc-js's alone. */
const doors: Record<string, (cluster: Cluster, config: object, headless?: HeadlessOptions) => HelloClient> = {
  createHeadlessClient: (cluster, config, headless) =>
    createHeadlessClient(HelloClient, cluster.target, insecure, {
      headless: cluster.headless(headless),
      'grpc.service_config': JSON.stringify(config),
    }),
  'a bare headless: target': (cluster, config, headless) =>
    new HelloClient(`headless:///${cluster.target}`, insecure, {
      headless: cluster.headless(headless),
      'grpc.service_config': JSON.stringify(config),
    }),
};

function methodConfig(settings: object): object {
  return { methodConfig: [{ name: [{ service: 'hello.Hello' }], ...settings }] };
}

const retryPolicy = {
  maxAttempts: 3,
  initialBackoff: '0.01s',
  maxBackoff: '0.1s',
  backoffMultiplier: 1.5,
  retryableStatusCodes: ['UNAVAILABLE'],
};

for (const [door, makeClient] of Object.entries(doors)) {
  test(`a retry policy moves a failed call to another pod, through ${door}`, async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 2 });
    const [broken] = await cluster.scaleUp(1, { failWith: status.UNAVAILABLE });
    // In turns, so that the next attempt is another pod's for certain and not by chance.
    const client = makeClient(cluster, methodConfig({ retryPolicy }), { balance: { policy: 'round_robin' } });
    defer(() => client.close());
    await eventually(async () => {
      await callsByPod(client, 5, 1);
      assert.ok(broken && broken.calls > 0);
    });
    const before = broken?.calls ?? 0;
    const answered = await callsByPod(client, 30, 1);
    assert.equal(answered.size, 2);
    assert.ok(broken && broken.calls > before, 'the broken pod was tried all along');
  });

  test(`a method's timeout holds, through ${door}`, async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 1 });
    const [pod] = cluster.pods;
    const client = makeClient(cluster, methodConfig({ timeout: '1.5s' }));
    defer(() => client.close());
    // On a busy machine the first connection may take longer than the timeout.
    await eventually(() => sayHi(client));
    await pod?.behave({ hang: true });
    const deadline = Date.now() + 60_000;
    await assert.rejects(sayHi(client, { deadline }), { code: status.DEADLINE_EXCEEDED });
    assert.ok(Date.now() < deadline);
  });

  test(`round_robin, where the user names it, balances, and sees new pods all the same, through ${door}`, async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 2 });
    const client = makeClient(cluster, { loadBalancingConfig: [{ round_robin: {} }] });
    defer(() => client.close());
    await eventually(async () => assert.equal((await callsByPod(client, 20)).size, 2));
    await cluster.scaleUp(2);
    await eventually(async () => {
      const calls = await callsByPod(client, 40, 1);
      assert.deepEqual([...calls.values()], [10, 10, 10, 10]);
    });
  });

  test(`outlier detection above our balancer ejects a failing pod, through ${door}`, async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 2 });
    const [broken] = await cluster.scaleUp(1, { failWith: status.UNAVAILABLE });
    // In grpc-js's own spelling: it takes no gRFC A50 names and no durations as text, and falls back to pick_first.
    const outlier = {
      interval: { seconds: 0, nanos: 200_000_000 },
      base_ejection_time: { seconds: 60, nanos: 0 },
      max_ejection_percent: 30,
      failure_percentage_ejection: { threshold: 50, enforcement_percentage: 100, minimum_hosts: 3, request_volume: 3 },
      child_policy: [{ headless: {} }],
    };
    const client = makeClient(cluster, { loadBalancingConfig: [{ outlier_detection: outlier }] });
    defer(() => client.close());
    await eventually(async () => {
      await Promise.allSettled(Array.from({ length: 30 }, () => sayHi(client)));
      assert.equal((await callsByPod(client, 40)).size, 2);
    });
    const before = broken?.calls;
    const [late] = await cluster.scaleUp(1);
    await eventually(async () => assert.ok((await callsByPod(client, 40)).has(String(late?.name))));
    assert.equal(broken?.calls, before, 'it stays ejected while new pods are taken in');
  });
}

test('round_robin named by the user balances, and the snapshot shows that it does, and what it does', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 2 });
  const config = { loadBalancingConfig: [{ round_robin: {} }] };
  const client = createHeadlessClient(HelloClient, cluster.target, insecure, {
    headless: cluster.headless(),
    'grpc.service_config': JSON.stringify(config),
  });
  defer(() => client.close());
  const channel = client.getChannel();
  assert.equal(channel.snapshot().balancer, 'round_robin');
  const states = () =>
    Object.fromEntries(
      channel.snapshot().endpoints.map(({ address, state, lastError }) => [address, [state, lastError]]),
    );
  const [one, two] = cluster.pods;
  if (!one || !two) throw new Error('pods were started');
  await channel.ready();
  await eventually(() =>
    assert.deepEqual(states(), { [one.address]: ['ready', null], [two.address]: ['ready', null] }),
  );
  await callsByPod(client, 20, 1);
  await one.behave({ failWith: status.INTERNAL });
  await Promise.allSettled(Array.from({ length: 4 }, () => sayHi(client)));
  const counts = channel
    .snapshot()
    .endpoints.map(({ started, succeeded, failed, inFlight }) => [started, succeeded, failed, inFlight]);
  assert.deepEqual(counts, [
    [12, 10, 2, 0],
    [12, 12, 0, 0],
  ]);
  const counted = () => {
    const { callsStarted, callsSucceeded, callsFailed, connected, connectionsLost } = channel.snapshot().counters;
    return { callsStarted, callsSucceeded, callsFailed, connected, connectionsLost };
  };
  const calls = { callsStarted: 24, callsSucceeded: 22, callsFailed: 2 };
  assert.deepEqual(counted(), { ...calls, connected: 2, connectionsLost: 0 });

  await one.kill();
  await eventually(() => assert.match(String(states()[one.address]?.[1]), /ECONNREFUSED/));
  assert.deepEqual(counted(), { ...calls, connected: 2, connectionsLost: 1 });
  assert.ok(channel.snapshot().counters.connectionsFailed > 0);
  cluster.unpublish(one);
  await channel.refresh();
  await eventually(() => assert.deepEqual(states(), { [two.address]: ['ready', null] }));
  const stream = client.HiMany({ to_who: 'pod', message: 'hi' });
  stream.on('error', () => {});
  defer(() => stream.cancel());
  const [three] = await cluster.scaleUp(1);
  await eventually(() => assert.deepEqual(states()[String(three?.address)], ['ready', null]));
  const snapshot = channel.snapshot();
  assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), snapshot);
});

test('pick_first named by the user connects to one pod, is warned of, and the snapshot shows the others idle', async (t) => {
  const defer = leakCheck(t);
  const warnings: NodeJS.ErrnoException[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  defer(() => process.off('warning', onWarning));
  const cluster = await Cluster.start(defer, { pods: 3 });
  const channel = new HeadlessChannel(cluster.target, insecure, {
    headless: cluster.headless(),
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ pick_first: {} }] }),
  });
  defer(() => channel.close());
  await channel.ready();
  const { balancer, endpoints } = channel.snapshot();
  assert.equal(balancer, 'pick_first');
  assert.deepEqual(endpoints.map(({ state }) => state).sort(), ['idle', 'idle', 'ready']);
  assert.deepEqual(
    warnings.map(({ code, message }) => [code, message.includes('"pick_first"')]),
    [['GRPC_HEADLESS_BALANCER', true]],
  );
});

test('ready() names the connection error under a balancer that the user names, too', async (t) => {
  const defer = leakCheck(t);
  const channel = new HeadlessChannel('127.0.0.1:1', insecure, {
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  });
  defer(() => channel.close());
  await eventually(() =>
    assert.rejects(channel.ready({ timeoutMs: 20 }), {
      code: 'ERR_HEADLESS_NOT_READY',
      message: /pods: 127\.0\.0\.1:1 \w+; last connection error: 127\.0\.0\.1:1: .*ECONNREFUSED/,
    }),
  );
});

test('a balancer of ours is shown by its name, also under outlier detection', () => {
  const outlier = { failure_percentage_ejection: {}, child_policy: [{ headless: {} }] };
  for (const loadBalancingConfig of [[], [{ headless: {} }], [{ outlier_detection: outlier }]]) {
    const channel = new HeadlessChannel('svc.ns:1', insecure, {
      'grpc.service_config': JSON.stringify({ loadBalancingConfig }),
    });
    assert.equal(channel.snapshot().balancer, 'headless');
    channel.close();
  }
});
