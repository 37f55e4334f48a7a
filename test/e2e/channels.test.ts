import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { type ChannelOptions, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { type ChannelView, channels, createHeadlessClient, HeadlessChannel } from '../../lib/index.js';
import '../../lib/register.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient, sayHi } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';

const insecure = credentials.createInsecure();

function only(): ChannelView {
  const [view, ...more] = channels();
  assert.deepEqual(more, []);
  return view ?? assert.fail('no channel is open');
}

test('channels() lists open channels, whichever door made them, until they are closed', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer);
  const options = { headless: cluster.headless() };
  const first = createHeadlessClient(HelloClient, cluster.target, insecure, options);
  const second = new HeadlessChannel(cluster.target, insecure, options);
  // As a framework makes its clients: from a text and a bag of channel options.
  const third = new HelloClient(`headless:///${cluster.target}`, insecure, { channelOptions: {}, ...options });
  for (const channel of [first, second, third]) defer(() => channel.close());
  assert.equal(channels().length, 3);
  for (const view of channels()) {
    assert.equal(view.target, `headless:///${cluster.target}`);
    assert.deepEqual([view.snapshot().state, view.snapshot().target], ['IDLE', view.target]);
    assert.deepEqual(Object.keys(view).sort(), ['refresh', 'snapshot', 'target']);
  }
  await Promise.all([callsByPod(first, 4), callsByPod(third, 4), second.ready()]);
  assert.deepEqual(
    channels().map((view) => view.snapshot().state),
    ['READY', 'READY', 'READY'],
  );
  const views = channels();
  for (const channel of [second, first, third]) {
    channel.close();
    channel.close();
  }
  assert.deepEqual(channels(), []);
  for (const view of views) {
    assert.equal(view.snapshot().state, 'SHUTDOWN');
    await assert.rejects(view.refresh(), { code: 'ERR_HEADLESS_CLOSED' });
  }
});

test('the view of a channel that grpc-js made shows its pods, calls and DNS, and asks DNS at once', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 2 });
  const headless = cluster.headless({ refresh: { intervalMs: 60_000 } });
  const client = new HelloClient(`headless:///${cluster.target}`, insecure, { headless });
  defer(() => client.close());
  await callsByPod(client, 10);
  const view = only();
  await eventually(() => assert.ok(view.snapshot().endpoints.every(({ state }) => state === 'ready')));
  assert.deepEqual(
    view
      .snapshot()
      .endpoints.map(({ address }) => address)
      .sort(),
    cluster.pods.map((p) => p.address),
  );
  assert.equal(
    view.snapshot().endpoints.reduce((sum, { succeeded }) => sum + succeeded, 0),
    10,
  );
  await cluster.scaleUp(1);
  await view.refresh();
  await eventually(() => assert.equal(view.snapshot().endpoints.length, 3));
});

for (const [what, publish] of [
  ['pods answered', true],
  ['no pod was ever known', false],
] as const)
  test(`a channel that grpc-js made stays in the list while it is idle, where ${what}`, async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: publish ? 2 : 0 });
    if (!publish) cluster.publish([]);
    const options: ChannelOptions = { 'grpc.client_idle_timeout_ms': 1_000 };
    const client = new HelloClient(`headless:///${cluster.target}`, insecure, {
      ...options,
      headless: cluster.headless(),
    });
    defer(() => client.close());
    await sayHi(client).catch((error: unknown) => assert.equal(publish, false, String(error)));
    const view = only();
    await eventually(() => assert.equal(view.snapshot().state, 'IDLE'), { timeoutMs: 5_000 });
    assert.equal(only(), view);
    assert.deepEqual(view.snapshot().endpoints, []);
    const asked = cluster.dns.queries.length;
    await view.refresh();
    assert.ok(cluster.dns.queries.length > asked, 'an idle channel can be refreshed too');
    assert.equal(view.snapshot().state, 'IDLE');
    if (!publish) await cluster.scaleUp(1);
    await sayHi(client);
    assert.equal(only(), view);
    assert.equal(view.snapshot().state, 'READY');
    client.close();
    assert.deepEqual(channels(), []);
    assert.equal(view.snapshot().state, 'SHUTDOWN');
  });

test('a channel that grpc-js made leaves the list also if it is closed unused, unanswered or idle', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer);
  const make = (options: ChannelOptions = {}) =>
    new HelloClient(`headless:///${cluster.target}`, insecure, { ...options, headless: cluster.headless() });
  make().close();
  assert.deepEqual(channels(), []);

  const unanswered = make();
  unanswered.getChannel().getConnectivityState(true);
  assert.equal(only().snapshot().state, 'CONNECTING');
  unanswered.close();
  assert.deepEqual(channels(), []);

  const idle = make({ 'grpc.client_idle_timeout_ms': 1_000 });
  await sayHi(idle);
  await eventually(() => assert.equal(only().snapshot().state, 'IDLE'), { timeoutMs: 5_000 });
  idle.close();
  assert.deepEqual(channels(), []);
  const asked = cluster.dns.queries.length;
  idle.getChannel().getConnectivityState(true);
  assert.deepEqual([channels(), cluster.dns.queries.length], [[], asked], 'a closed channel is not woken');
});

test('a policy that the user names keeps its shared connections, and the channel is listed with its state', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 2 });
  const options = {
    headless: cluster.headless(),
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  };
  const clients = [1, 2].map(() => new HelloClient(`headless:///${cluster.target}`, insecure, options));
  for (const client of clients) defer(() => client.close());
  await Promise.all(clients.map((client) => callsByPod(client, 10)));
  assert.deepEqual(
    cluster.pods.map((pod) => pod.stats().accepted),
    [1, 1],
  );
  for (const channel of channels()) {
    const { balancer, state, endpoints } = channel.snapshot();
    assert.deepEqual([balancer, state, endpoints.length], ['round_robin', 'READY', 2]);
  }
  assert.equal(channels().length, 2);
  for (const client of clients) client.close();
  assert.deepEqual(channels(), []);
});

test("method configs count for a headless: target: the method's before the service's", async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 1 });
  const methodConfig = [
    { name: [{ service: 'hello.Hello' }], timeout: '0.000001s' },
    { name: [{ service: 'hello.Hello', method: 'Hi' }], timeout: '10s' },
  ];
  const client = new HelloClient(`headless:///${cluster.target}`, insecure, {
    headless: cluster.headless(),
    'grpc.service_config': JSON.stringify({ methodConfig }),
  });
  defer(() => client.close());
  await sayHi(client);
  const stream = client.HiMany({ to_who: 'pod', message: 'hi' });
  const [error] = await once(
    stream.on('data', () => {}),
    'error',
  );
  assert.equal((error as ServiceError).code, status.DEADLINE_EXCEEDED, String(error));
});
