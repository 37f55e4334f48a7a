import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type ChannelOptions, connectivityState, credentials, status } from '@grpc/grpc-js';
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { createHeadlessClient, type HeadlessChannel } from '../lib/index.js';
import { type MetricsOptions, registerMetrics } from '../lib/opentelemetry.js';
import '../lib/register.js';
import { publishTo } from '../lib/telemetry/diagnostics-channels.js';
import { createFakeDns } from '../lib/testing.js';
import { Cluster } from './support/cluster.js';
import { eventually } from './support/eventually.js';
import { callsByPod, HelloClient, sayHi } from './support/hello-service.js';
import { type Defer, leakCheck } from './support/leak-check.js';
import { TARGET_EVENTS } from './support/sample-events.js';

const insecure = credentials.createInsecure();

/** An SDK whose metrics are collected when the test asks for them. */
function sdk(defer: Defer, options: MetricsOptions = {}) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const unregister = registerMetrics(provider, options);
  defer(async () => {
    unregister();
    await provider.shutdown();
  });
  const collect = async (): Promise<MetricData[]> => {
    exporter.reset();
    await reader.forceFlush();
    return exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
  };
  /** Values by attributes, written as `a=1 b=2`; of a histogram its counts. */
  const valuesOf = async (name: string): Promise<Record<string, number>> => {
    const metric = (await collect()).find(({ descriptor }) => descriptor.name === `grpc.lb.headless.${name}`);
    return Object.fromEntries((metric?.dataPoints ?? []).map((point) => [keyOf(point), numberOf(point)]));
  };
  return { provider, unregister, collect, valuesOf };
}

/** Without the target, which is the same all over a test. */
function keyOf({ attributes }: DataPoint<unknown>): string {
  const { 'grpc.target': _target, 'dns.question.name': _name, ...rest } = attributes;
  return Object.entries(rest)
    .map(([name, value]) => `${name.replace(/^grpc\.lb\.headless\./, '')}=${value}`)
    .toSorted()
    .join(' ');
}

function numberOf({ value }: MetricData['dataPoints'][number]): number {
  return typeof value === 'number' ? value : value.count;
}

function clientOf(defer: Defer, cluster: Cluster, options: ChannelOptions = {}): HelloClient {
  const client = createHeadlessClient(HelloClient, cluster.target, insecure, {
    ...options,
    headless: cluster.headless(),
  });
  defer(() => client.close());
  return client;
}

interface DocumentedMetric {
  readonly name: string;
  readonly kind: string;
  readonly unit: string;
  readonly attributes: readonly string[];
}

function documented(): DocumentedMetric[] {
  const text = readFileSync(new URL('../docs/monitoring.md', import.meta.url), 'utf8');
  const rows = text.matchAll(/^\| `(grpc\.lb\.headless\.[\w.]+)` \| ([\w -]+) \| `([^`]+)` \| (.*?) \|/gm);
  return Array.from(rows, ([, name = '', kind = '', unit = '', attributes = '']) => ({
    name,
    kind,
    unit,
    attributes: Array.from(attributes.matchAll(/`([\w.]+)`/g), ([, attribute]) => attribute as string).toSorted(),
  })).toSorted(byName);
}

const byName = (one: { name: string }, other: { name: string }): number => one.name.localeCompare(other.name);

function kindOf({ dataPointType, ...metric }: MetricData): string {
  if (dataPointType === DataPointType.HISTOGRAM) return 'histogram';
  if (dataPointType === DataPointType.GAUGE) return 'gauge';
  return 'isMonotonic' in metric && metric.isMonotonic ? 'counter' : 'up-down counter';
}

test('the documentation has every metric that is exported, with its kind, unit and attributes, and no other', async (t) => {
  const defer = leakCheck(t);
  const { collect } = sdk(defer);
  const cluster = await Cluster.start(defer, { pods: 2 });
  const client = clientOf(defer, cluster);
  await callsByPod(client, 4);
  // What has tests of its own.
  const publish = publishTo({ target: client.getChannel().getTarget() });
  for (const kind of ['ejected', 'health_watch_failed', 'panic'] as const) publish(TARGET_EVENTS[kind]);
  // All else that makes a series of its own: a drain, a return, a connection that is lost, and one that is refused.
  const [first, second] = cluster.pods;
  if (!first || !second) throw new Error('two pods were started');
  const counters = () => (client.getChannel() as HeadlessChannel).snapshot().counters;
  cluster.unpublish(first);
  await eventually(() => assert.equal(counters().drained, 1));
  cluster.publish([first, second]);
  await eventually(() => assert.equal(counters().returned, 1));
  await first.kill();
  await eventually(() => assert.ok(counters().connectionsFailed > 0 && counters().connectionsLost > 0));

  const exported = (await collect()).map((metric): DocumentedMetric => {
    const attributes = new Set(metric.dataPoints.flatMap((point) => Object.keys(point.attributes)));
    const { name, unit } = metric.descriptor;
    return { name, kind: kindOf(metric), unit, attributes: [...attributes].toSorted() };
  });
  assert.deepEqual(exported.toSorted(byName), documented());
});

test('calls, endpoints, queries and refreshes of every channel are counted, also of one made later', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 2 });
  const before = clientOf(defer, cluster);
  await callsByPod(before, 6);
  const { valuesOf } = sdk(defer);
  const later = new HelloClient(`headless:///${cluster.target}`, insecure, { headless: cluster.headless() });
  defer(() => later.close());
  await callsByPod(later, 10);
  for (const pod of cluster.pods) await pod.behave({ failWith: status.INTERNAL });
  await assert.rejects(sayHi(before));

  await eventually(async () =>
    assert.deepEqual(await valuesOf('endpoints'), {
      'endpoint_state=connecting': 0,
      'endpoint_state=ready': 4,
      'endpoint_state=backoff': 0,
      'endpoint_state=draining': 0,
    }),
  );
  assert.deepEqual(await valuesOf('channels'), {
    'channel_state=IDLE': 0,
    'channel_state=CONNECTING': 0,
    'channel_state=READY': 2,
    'channel_state=TRANSIENT_FAILURE': 0,
  });
  assert.deepEqual(await valuesOf('picks'), { '': 17 });
  assert.deepEqual(await valuesOf('calls'), { 'call_result=ok': 16, 'call_result=error': 1 });
  assert.deepEqual(await valuesOf('calls_in_flight'), { '': 0 });
  cluster.dns.fail('*', 'SERVFAIL');
  await eventually(async () => {
    const queries = await valuesOf('dns.queries');
    assert.ok((queries['dns_outcome=SERVFAIL network.transport=udp'] ?? 0) > 0);
    const refreshes = await valuesOf('refresh.duration');
    assert.ok((refreshes['refresh_result=failed'] ?? 0) > 0);
    assert.ok(((await valuesOf('dns.consecutive_failures'))[''] ?? 0) > 0);
  });
});

test('endpoints that are ejected or unhealthy are counted while they are, and so is a channel in panic', async (t) => {
  const defer = leakCheck(t);
  const { valuesOf } = sdk(defer);
  const cluster = await Cluster.start(defer, { pods: 3, pod: { health: 'SERVING' } });
  const headless = cluster.headless({ health: true, outlier: { consecutiveFailures: 1, baseEjectionMs: 60_000 } });
  const client = createHeadlessClient(HelloClient, cluster.target, insecure, { headless });
  defer(() => client.close());
  const counts = async () => {
    const names = ['endpoints_ejected', 'endpoints_unhealthy', 'channels_in_panic'];
    return Promise.all(names.map(async (name) => (await valuesOf(name))['']));
  };
  await eventually(async () => assert.equal((await callsByPod(client, 30)).size, 3));
  assert.deepEqual(await counts(), [0, 0, 0]);
  const [sick, ...others] = cluster.pods;
  assert.ok(sick);

  await sick.behave({ failWith: status.UNAVAILABLE });
  await eventually(async () => {
    await sayHi(client).catch(() => {});
    assert.deepEqual(await counts(), [1, 0, 0]);
  });
  await sick.behave({ health: 'NOT_SERVING' });
  await eventually(async () => assert.deepEqual(await counts(), [1, 1, 0]));
  for (const pod of others) await pod.behave({ health: 'NOT_SERVING' });
  await eventually(async () => assert.deepEqual(await counts(), [1, 3, 1]));
  const ready = await valuesOf('endpoints');
  assert.equal(ready['endpoint_state=ready'], 3);

  for (const pod of others) await pod.behave({ health: 'SERVING' });
  await eventually(async () => assert.deepEqual(await counts(), [1, 1, 0]));
  cluster.unpublish(sick);
  await eventually(async () => assert.deepEqual(await counts(), [0, 0, 0]));
  client.close();
  assert.deepEqual(await counts(), [0, 0, 0]);
});

test('the calls of a closed channel stay counted, those too that end after it was closed', async (t) => {
  const defer = leakCheck(t);
  const { valuesOf } = sdk(defer);
  const cluster = await Cluster.start(defer, { pods: 1, pod: { delayMs: 200 } });
  const [one, two] = [clientOf(defer, cluster), clientOf(defer, cluster)];
  await Promise.all([sayHi(one), sayHi(two)]);
  const late = sayHi(one);
  await eventually(async () => assert.deepEqual(await valuesOf('calls_in_flight'), { '': 1 }));
  one.close();
  assert.deepEqual(await valuesOf('picks'), { '': 3 });
  await late;
  await eventually(async () =>
    assert.deepEqual(await valuesOf('calls'), { 'call_result=ok': 3, 'call_result=error': 0 }),
  );
  two.close();
  assert.deepEqual(await valuesOf('picks'), { '': 3 });
  assert.ok(Object.values(await valuesOf('channels')).every((count) => count === 0));
  assert.deepEqual(await valuesOf('calls_in_flight'), { '': 0 });
});

test('an idle channel has no age and no failures, because it asks nothing', async (t) => {
  const defer = leakCheck(t);
  const { valuesOf } = sdk(defer);
  const cluster = await Cluster.start(defer, { pods: 1 });
  const client = clientOf(defer, cluster, { 'grpc.client_idle_timeout_ms': 3_000 });
  assert.deepEqual(await valuesOf('dns.answer_age'), {});
  assert.deepEqual(await valuesOf('dns.consecutive_failures'), { '': 0 });
  await sayHi(client);
  cluster.dns.fail('*', 'SERVFAIL');
  await eventually(async () => {
    // With a message of its own: Node reads this file for the default one, which takes longer than the channel needs to be idle.
    assert.ok(((await valuesOf('dns.answer_age'))[''] ?? 0) > 0.2, 'the answer grows old');
    assert.ok(((await valuesOf('dns.consecutive_failures'))[''] ?? 0) > 0, 'failures are counted');
  });
  await eventually(() => assert.equal(client.getChannel().getConnectivityState(false), connectivityState.IDLE), {
    timeoutMs: 20_000,
  });
  assert.deepEqual(await valuesOf('dns.answer_age'), { '': 0 });
  assert.deepEqual(await valuesOf('dns.consecutive_failures'), { '': 0 });
});

test('with addresses, picks and calls are told for each pod, and stay as they are once it is gone', async (t) => {
  const defer = leakCheck(t);
  const { valuesOf } = sdk(defer, { addresses: true });
  const cluster = await Cluster.start(defer, { pods: 2 });
  const client = clientOf(defer, cluster);
  const calls = await callsByPod(client, 20);
  const [first, second] = cluster.pods;
  if (!first || !second) throw new Error('two pods were started');
  const peer = ({ ip, port }: { ip: string; port: number }) => `network.peer.address=${ip} network.peer.port=${port}`;
  assert.deepEqual(await valuesOf('picks'), {
    [peer(first)]: calls.get(first.name),
    [peer(second)]: calls.get(second.name),
  });
  assert.deepEqual(await valuesOf('calls_in_flight'), { [peer(first)]: 0, [peer(second)]: 0 });
  cluster.unpublish(first);
  await eventually(async () => assert.equal((await valuesOf('drains'))[''], 1));
  await first.stop();
  const more = await callsByPod(client, 10);
  assert.deepEqual([...more.keys()], [second.name]);
  assert.deepEqual(await valuesOf('picks'), {
    [peer(first)]: calls.get(first.name),
    [peer(second)]: (calls.get(second.name) ?? 0) + 10,
  });
  assert.deepEqual(await valuesOf('calls_in_flight'), { [peer(first)]: 0, [peer(second)]: 0 });
});

const sumOf = (values: Record<string, number>): number => Object.values(values).reduce((sum, value) => sum + value, 0);

/** What grpc-headless and another balancer do alike. */
const balancers: Record<string, ChannelOptions> = {
  'our balancer': {},
  'our balancer with several connections to a pod': { headless: { balance: { connections: 3 } } },
  round_robin: { 'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }) },
};

for (const [balancer, options] of Object.entries(balancers)) {
  test(`with addresses, no call of a pod that is gone is lost, whenever metrics are collected, with ${balancer}`, async (t) => {
    const defer = leakCheck(t);
    const { valuesOf } = sdk(defer, { addresses: true });
    const cluster = await Cluster.start(defer, { pods: 1 });
    const headless = cluster.headless({ ...(options.headless as object), drain: { lingerMs: 0 } });
    const client = createHeadlessClient(HelloClient, cluster.target, insecure, { ...options, headless });
    defer(() => client.close());
    const known = () =>
      client
        .getChannel()
        .snapshot()
        .endpoints.map(({ address }) => address);
    const collected = ['before its calls', 'among its calls', 'never'];
    let [pod] = cluster.pods;
    let calls = 0;
    const call = async (count: number): Promise<void> => {
      for (const _ of Array.from({ length: count })) await sayHi(client);
      calls += count;
    };
    for (const when of collected) {
      if (when === 'before its calls') await valuesOf('picks');
      await call(10);
      if (when === 'among its calls') await valuesOf('picks');
      await call(10);
      const [next] = await cluster.scaleUp(1);
      assert.ok(pod && next);
      cluster.unpublish(pod);
      await eventually(() => assert.deepEqual(known(), [next.address]));
      await pod.stop();
      pod = next;
      if (when !== 'never') assert.equal(sumOf(await valuesOf('picks')), calls);
    }
    await call(5);
    assert.equal(sumOf(await valuesOf('picks')), calls);
    assert.equal(sumOf(await valuesOf('calls')), calls);
    client.close();
    assert.equal(sumOf(await valuesOf('calls')), calls);
    assert.equal(sumOf(await valuesOf('calls_in_flight')), 0);
  });
}

test('with addresses, the calls of channels that became idle or were closed stay, and those that end afterwards', async (t) => {
  const defer = leakCheck(t);
  const { valuesOf } = sdk(defer, { addresses: true });
  const cluster = await Cluster.start(defer, { pods: 1, pod: { delayMs: 200 } });
  const idle = clientOf(defer, cluster, { 'grpc.client_idle_timeout_ms': 1_000 });
  await Promise.all([sayHi(idle), sayHi(idle)]);
  await eventually(() => assert.equal(idle.getChannel().getConnectivityState(false), connectivityState.IDLE));
  assert.equal(sumOf(await valuesOf('picks')), 2);
  await sayHi(idle);
  const closed = clientOf(defer, cluster);
  await sayHi(closed);
  const late = sayHi(closed);
  await eventually(() => assert.equal((closed.getChannel() as HeadlessChannel).snapshot().counters.callsStarted, 2));
  closed.close();
  assert.equal(sumOf(await valuesOf('picks')), 5);
  assert.equal(sumOf(await valuesOf('calls_in_flight')), 1);
  await late;
  await eventually(async () => assert.equal(sumOf(await valuesOf('calls')), 5));
  assert.equal(sumOf(await valuesOf('calls_in_flight')), 0);
});

test('with addresses, the calls of all pods beyond the first 500 are in one series', async (t) => {
  const defer = leakCheck(t);
  const { valuesOf } = sdk(defer, { addresses: true });
  const hosts = Array.from({ length: 600 }, (_, index) => `127.200.${index >> 8}.${index & 255}`);
  const dns = createFakeDns({ 'svc.ns': hosts });
  const headless = { dns: { lookup: dns.lookup } };
  const client = createHeadlessClient(HelloClient, 'svc.ns:1', insecure, { headless });
  defer(() => client.close());
  client.getChannel().getConnectivityState(true);
  await eventually(async () => assert.equal(Object.keys(await valuesOf('picks')).length, 501), { timeoutMs: 20_000 });
  assert.ok('network.peer.address=_OTHER' in (await valuesOf('picks')));
});

test('the targets beyond the first hundred are told as one', async (t) => {
  const defer = leakCheck(t);
  const { collect } = sdk(defer);
  for (let index = 0; index < 103; index++) {
    const client = createHeadlessClient(HelloClient, `svc-${index}.ns:1`, insecure);
    defer(() => client.close());
  }
  const metric = (await collect()).find(({ descriptor }) => descriptor.name === 'grpc.lb.headless.channels');
  const idle = (metric?.dataPoints ?? []).filter(({ attributes }) => Object.values(attributes).includes('IDLE'));
  assert.equal(idle.length, 101);
  assert.deepEqual(
    idle.filter(({ attributes }) => attributes['grpc.target'] === 'other').map(({ value }) => value),
    [3],
  );
});

test('undoing it ends all metrics, and it can be registered again; twice at once is refused', async (t) => {
  const defer = leakCheck(t);
  const { provider, unregister, valuesOf } = sdk(defer);
  assert.throws(() => registerMetrics(provider), { code: 'ERR_HEADLESS_OPTION' });
  const cluster = await Cluster.start(defer, { pods: 1 });
  const client = clientOf(defer, cluster);
  await sayHi(client);
  const queries = await valuesOf('dns.queries');
  unregister();
  unregister();
  const asked = cluster.dns.queries.length;
  await eventually(() => assert.ok(cluster.dns.queries.length > asked + 2));
  await callsByPod(client, 5);
  assert.deepEqual(await valuesOf('dns.queries'), queries);
  assert.deepEqual(await valuesOf('picks'), { '': 1 });
  const again = registerMetrics(provider);
  defer(again);
  assert.deepEqual(await valuesOf('picks'), { '': 6 });
});

test('wrong arguments and options are refused, with their names, the value and the remedy', () => {
  const provider =
    'registerMetrics.meterProvider must be a MeterProvider of OpenTelemetry, or undefined for the global one';
  const refused: [args: unknown[], message: string][] = [
    [[5], `option ${provider}, got 5`],
    [[null], `option ${provider}, got null`],
    [[{ addresses: true }], `option ${provider}, got {"addresses":true}`],
    [[undefined, { address: true }], 'unknown option registerMetrics.address (value true): did you mean "addresses"?'],
    [[undefined, { addresses: 1 }], 'option registerMetrics.addresses must be true or false, got 1'],
    [[undefined, true], 'option registerMetrics must be an object, got true'],
  ];
  for (const [args, message] of refused)
    assert.throws(() => Reflect.apply(registerMetrics, undefined, args), { code: 'ERR_HEADLESS_OPTION', message });
  // Nothing was registered.
  registerMetrics()();
});

test('without a MeterProvider the global one is used, which does nothing unless one is set', () => {
  registerMetrics()();
});
