/**
 * The watch of EndpointSlices and what can go wrong with it, while calls are under way: DNS takes over, no call fails, and the
 * watch comes back by itself.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { HeadlessChannel, type HeadlessOptions, type SourceEvent } from '../../lib/index.js';
import { endpointSlices } from '../../lib/kubernetes.js';
import { systemRuntime } from '../../lib/runtime.js';
import type { DiscoveryStatus } from '../../lib/telemetry/snapshot.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { FakeApiServer } from '../support/fake-api-server.js';
import { callsByPod, HelloClient } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';
import { startLoad } from '../support/load-generator.js';
import { covers } from './covers.js';

const LONG = { timeoutMs: 20_000 };

/** Ten times as fast: a runtime whose timers end early. */
const SPEED = 10;

function fasterBy(speed: number): typeof systemRuntime {
  const { clock } = systemRuntime;
  return {
    ...systemRuntime,
    clock: { ...clock, setTimer: (ms: number, callback: () => void) => clock.setTimer(ms / speed, callback) },
  };
}

/** Its plugin for credentials can be made to hang, as an exec or OIDC plugin may. */
function withPlugin(api: FakeApiServer) {
  const plugin = { hangs: false };
  const kubeConfig = api.kubeConfig();
  const apply = kubeConfig.applyToHTTPSOptions.bind(kubeConfig);
  kubeConfig.applyToHTTPSOptions = (options) => (plugin.hangs ? new Promise(() => {}) : apply(options));
  return { plugin, kubeConfig };
}

interface Options {
  /** Before the channel is made. */
  readonly prepare?: (api: FakeApiServer) => void;
  readonly headless?: HeadlessOptions;
  /** Divides all times of the watch. Default 1. */
  readonly speed?: number;
}

/** Two pods, in DNS and in a slice; a channel that watches; and calls that go on until the test ends. */
async function underLoad(t: TestContext, { prepare, headless, speed = 1 }: Options = {}) {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 2 });
  const api = await FakeApiServer.start();
  defer(() => api.close());
  api.publish(cluster.ips);
  prepare?.(api);
  const runtime = fasterBy(speed);
  const { plugin, kubeConfig } = withPlugin(api);
  const options = cluster.headless({ source: endpointSlices({ kubeConfig }), ...headless });
  const insecure = credentials.createInsecure();
  const channel = new HeadlessChannel(cluster.target, insecure, { headless: options }, runtime);
  defer(() => channel.close());
  const sources: SourceEvent[] = [];
  channel.on('source', (event) => sources.push(event));
  const client = new HelloClient('unused', insecure, { channelOverride: channel });
  await channel.ready(LONG);
  const load = startLoad(defer, client, { inFlight: 4 });
  const used = (): string[] =>
    channel
      .snapshot()
      .endpoints.filter(({ state }) => state === 'ready')
      .map(({ address }) => address.slice(0, address.lastIndexOf(':')))
      .sort();
  return {
    defer,
    cluster,
    api,
    plugin,
    channel,
    sources,
    load,
    discovery: () => channel.snapshot().discovery as DiscoveryStatus,
    queries: () => channel.snapshot().counters.queries,
    /** Waits until the addresses come from there. */
    from: (source: DiscoveryStatus['source']) =>
      eventually(() => assert.equal(channel.snapshot().discovery?.source, source), LONG),
    /** Waits until these pods, and no others, take calls. */
    using: (ips: readonly string[]) => eventually(() => assert.deepEqual(used(), [...ips].sort()), LONG),
    /** Waits until each of these pods has had another call. */
    called: (ips: readonly string[]) => {
      const pods = cluster.pods.filter(({ ip }) => ips.includes(ip));
      const before = pods.map((pod) => pod.calls);
      return eventually(() => pods.every((pod, index) => pod.calls > (before[index] as number)), LONG);
    },
    async end() {
      await load.stop();
      assert.deepEqual(load.recorder.failures, []);
      assert.ok(load.recorder.answered > 0);
    },
  };
}

/** A new pod, in DNS alone: only a client that asks DNS finds it. */
async function onlyInDns(cluster: Cluster): Promise<string> {
  const [pod] = await cluster.scaleUp(1);
  if (!pod) throw new Error('a pod was started');
  return pod.ip;
}

test('while the watch works, DNS is not asked, and a new pod gets calls as soon as its slice says so', async (t) => {
  const { cluster, api, queries, from, using, called, sources, end } = await underLoad(t);
  await from('endpointslices');
  const before = queries();
  const ip = await onlyInDns(cluster);
  api.publish(cluster.ips);
  await using(cluster.ips);
  await called([ip]);
  assert.equal(queries(), before);
  assert.deepEqual(sources.at(-1), { source: 'endpointslices', error: null });
  assert.ok(api.tokens.every((token) => token === 'Bearer the-token'));
  await end();
});

test('a terminating pod drains at once, and its calls under way end well', async (t) => {
  const { cluster, api, channel, using, end } = await underLoad(t);
  await using(cluster.ips);
  const [leaver, stays] = cluster.ips as [string, string];
  api.set('hello-1', {
    endpoints: [{ ip: leaver, ready: false, serving: true, terminating: true }, { ip: stays }],
  });
  await using([stays]);
  const drains = channel.snapshot().endpoints.filter(({ state }) => state === 'draining');
  assert.deepEqual(
    drains.map(({ address }) => address.split(':')[0]),
    [leaver],
  );
  await end();
});

for (const status of [401, 403, 500])
  test(
    `a watch that is refused with ${status} leaves the pods to DNS, and is used once it is allowed`,
    covers(61),
    async (t) => {
      const prepare = (api: FakeApiServer): void => {
        api.refuse = { verb: 'any', status };
      };
      const { cluster, api, discovery, from, using, called, sources, end } = await underLoad(t, {
        prepare,
        speed: SPEED,
      });
      await from('dns');
      const ip = await onlyInDns(cluster);
      await using(cluster.ips);
      await called([ip]);
      await eventually(() => assert.ok(discovery().failures >= 2), LONG);
      assert.equal(discovery().errorCode, 'ERR_HEADLESS_WATCH');
      assert.match(discovery().error ?? '', new RegExp(`test/hello.* ${status} .*refused`));
      if (status === 403) assert.match(discovery().error ?? '', /rbac\.yaml/);
      api.refuse = null;
      // DNS has a pod more than the slice: its set is replaced as a whole.
      await from('endpointslices');
      await using(cluster.ips.slice(0, 2));
      assert.equal(discovery().error, null);
      assert.deepEqual(
        sources.map(({ source }) => source),
        ['dns', 'endpointslices'],
      );
      await end();
    },
  );

test('a watch that is allowed to list and not to watch is left to DNS all the time', covers(61), async (t) => {
  const prepare = (api: FakeApiServer): void => {
    api.refuse = { verb: 'watch', status: 403 };
  };
  const { cluster, api, discovery, from, sources, using, end } = await underLoad(t, { prepare, speed: SPEED });
  await from('dns');
  await eventually(() => assert.ok(discovery().failures >= 3), LONG);
  assert.ok(api.count('list') >= 3);
  await using(cluster.ips);
  assert.deepEqual(
    sources.map(({ source }) => source),
    ['dns'],
  );
  await end();
});

test('rights that are taken away while the watch runs leave the pods to DNS', covers(61), async (t) => {
  const { cluster, api, from, using, called, end } = await underLoad(t, { speed: SPEED });
  await from('endpointslices');
  api.refuse = { verb: 'any', status: 403 };
  api.endWatches();
  await from('dns');
  const ip = await onlyInDns(cluster);
  await using(cluster.ips);
  await called([ip]);
  await end();
});

test('an expired version (410 Gone) is listed anew at once, without DNS', covers(61), async (t) => {
  const { cluster, api, queries, from, using, called, sources, end } = await underLoad(t);
  await from('endpointslices');
  const before = queries();
  const lists = api.count('list');
  const ip = await onlyInDns(cluster);
  api.expire();
  api.publish(cluster.ips);
  await using(cluster.ips);
  await called([ip]);
  assert.equal(api.count('list'), lists + 1);
  assert.equal(queries(), before);
  assert.deepEqual(sources.at(-1), { source: 'endpointslices', error: null });
  await end();
});

test('versions that expire again and again are no hot loop: DNS takes over until that ends', covers(61), async (t) => {
  const { cluster, api, from, using, end } = await underLoad(t, { speed: SPEED });
  await from('endpointslices');
  const before = api.requests.length;
  const timer = setInterval(() => api.expire(), 5);
  t.after(() => clearInterval(timer));
  await from('dns');
  await using(cluster.ips);
  assert.ok(api.requests.length - before < 50, `${api.requests.length - before} requests`);
  clearInterval(timer);
  await from('endpointslices');
  await end();
});

test(
  'an API server that goes away leaves the pods to DNS, and is watched again when it is back',
  covers(61),
  async (t) => {
    const { cluster, api, discovery, from, using, called, sources, end } = await underLoad(t, { speed: SPEED });
    await from('endpointslices');
    await api.close();
    await from('dns');
    await eventually(() => assert.match(discovery().error ?? '', /ECONNREFUSED/), LONG);
    const ip = await onlyInDns(cluster);
    await using(cluster.ips);
    await called([ip]);
    api.publish(cluster.ips.slice(1));
    await api.listen();
    await from('endpointslices');
    await using(cluster.ips.slice(1));
    // At this speed the head start at the beginning is 30 ms, so that DNS may be first on a busy machine.
    assert.deepEqual(sources.map(({ source }) => source).slice(-3), ['endpointslices', 'dns', 'endpointslices']);
    await end();
  },
);

test('an API server that is away at the start costs a start by DNS', covers(61), async (t) => {
  const defer = leakCheck(t);
  const api = await FakeApiServer.start();
  const kubeConfig = api.kubeConfig();
  await api.close();
  const cluster = await Cluster.start(defer, { pods: 2 });
  const headless = cluster.headless({ source: endpointSlices({ kubeConfig }) });
  const channel = new HeadlessChannel(cluster.target, credentials.createInsecure(), { headless });
  defer(() => channel.close());
  await channel.ready(LONG);
  assert.equal(channel.snapshot().discovery?.source, 'dns');
  assert.match(channel.snapshot().discovery?.error ?? '', /ECONNREFUSED/);
});

test(
  'a connection that breaks is taken on from the version seen last, without a list and without DNS',
  covers(61),
  async (t) => {
    const { cluster, api, queries, from, using, called, sources, end } = await underLoad(t);
    await from('endpointslices');
    const before = queries();
    const lists = api.count('list');
    // A watch that breaks as soon as it has begun is another case.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    api.breakWatches();
    const ip = await onlyInDns(cluster);
    api.publish(cluster.ips);
    await using(cluster.ips);
    await called([ip]);
    assert.equal(api.count('list'), lists);
    assert.equal(api.count('watch'), 2);
    assert.equal(queries(), before);
    assert.equal(sources.length, 1);
    await end();
  },
);

test('a watch that ends in the ordinary way is followed by another from the version seen last', async (t) => {
  const { cluster, api, from, using, sources, end } = await underLoad(t);
  await from('endpointslices');
  const lists = api.count('list');
  api.bookmark();
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  api.endWatches();
  await eventually(() => assert.equal(api.watches, 1), LONG);
  await onlyInDns(cluster);
  api.publish(cluster.ips);
  await using(cluster.ips);
  assert.equal(api.count('list'), lists);
  assert.equal(sources.length, 1);
  await end();
});

test('watches that end as soon as they begin are no hot loop: DNS takes over', covers(61), async (t) => {
  const prepare = (api: FakeApiServer): void => {
    api.endsAtOnce = true;
  };
  const { cluster, api, from, using, end } = await underLoad(t, { prepare });
  await from('dns');
  await using(cluster.ips);
  assert.ok(api.requests.length < 20, `${api.requests.length} requests`);
  await end();
});

test(
  'a watch that hangs is found out by its silence: DNS takes over, until the server answers again',
  covers(61),
  async (t) => {
    // 90 seconds of silence become 1.8.
    const { cluster, api, discovery, from, using, called, end } = await underLoad(t, { speed: 50 });
    await from('endpointslices');
    api.hanging = true;
    const ip = await onlyInDns(cluster);
    await from('dns');
    assert.match(discovery().error ?? '', /silent/);
    await using(cluster.ips);
    await called([ip]);
    api.publish(cluster.ips);
    api.hanging = false;
    await from('endpointslices');
    await using(cluster.ips);
    await end();
  },
);

test(
  'a connection that is lost while the watch says nothing has it checked, long before its silence is long',
  covers(61),
  async (t) => {
    const { cluster, api, discovery, from, using, end } = await underLoad(t);
    await from('endpointslices');
    api.hanging = true;
    const [leaver, stays] = cluster.pods as [(typeof cluster.pods)[0], (typeof cluster.pods)[0]];
    const ip = await onlyInDns(cluster);
    cluster.unpublish(leaver);
    await leaver.stop();
    // One second until the check, five for its answer.
    await from('dns');
    assert.match(discovery().error ?? '', /silent/);
    await using([stays.ip, ip]);
    await end();
  },
);

test('a plugin for credentials that hangs leaves the pods to DNS, until it answers again', covers(61), async (t) => {
  const { cluster, api, plugin, discovery, from, using, called, end } = await underLoad(t, { speed: SPEED });
  await from('endpointslices');
  plugin.hangs = true;
  api.endWatches();
  await from('dns');
  await eventually(() => assert.match(discovery().error ?? '', /gave no credentials in time/), LONG);
  await eventually(() => assert.ok(discovery().failures >= 2 && discovery().nextAttemptAt !== null), LONG);
  const ip = await onlyInDns(cluster);
  await using(cluster.ips);
  await called([ip]);
  plugin.hangs = false;
  await from('endpointslices');
  await using(cluster.ips.slice(0, 2));
  await end();
});

test(
  'a plugin that hangs at the start while DNS fails has calls fail, and they say why both fail',
  covers(61),
  async (t) => {
    const defer = leakCheck(t);
    const api = await FakeApiServer.start();
    defer(() => api.close());
    const { plugin, kubeConfig } = withPlugin(api);
    plugin.hangs = true;
    // The next query of DNS is an hour away: the failure of the watch alone has to end the wait of the call.
    const options = {
      source: endpointSlices({ kubeConfig }),
      refresh: { intervalMs: 3_600_000, minIntervalMs: 3_600_000, burstMs: 0 },
      dns: { lookup: () => Promise.reject(new Error('no DNS here')) },
    };
    const insecure = credentials.createInsecure();
    const channel = new HeadlessChannel('hello.test:50051', insecure, { headless: options }, fasterBy(SPEED));
    defer(() => channel.close());
    const client = new HelloClient('unused', insecure, { channelOverride: channel });
    await assert.rejects(
      callsByPod(client, 1),
      /UNAVAILABLE.*no DNS here; watching the EndpointSlices of test\/hello failed: the kubeConfig gave no credentials in time/,
    );
    assert.equal(channel.snapshot().discovery?.source, 'dns');
    assert.equal(channel.snapshot().discovery?.errorCode, 'ERR_HEADLESS_WATCH');
  },
);

test('a Service without any slice is left to DNS, and watched from its first slice on', async (t) => {
  const { cluster, api, discovery, from, using, end } = await underLoad(t, { prepare: (api) => api.delete('hello-1') });
  await from('dns');
  assert.equal(discovery().errorCode, 'ERR_HEADLESS_NO_ENDPOINTS');
  await using(cluster.ips);
  api.publish(cluster.ips.slice(0, 1));
  await from('endpointslices');
  await using(cluster.ips.slice(0, 1));
  await end();
});

test('a Service whose last endpoint goes keeps it in use, and the snapshot says that there is none', async (t) => {
  const { cluster, api, discovery, from, using, end } = await underLoad(t);
  await from('endpointslices');
  api.publish([]);
  await eventually(() => assert.equal(discovery().errorCode, 'ERR_HEADLESS_NO_ENDPOINTS'), LONG);
  await using(cluster.ips);
  assert.equal(discovery().source, 'endpointslices');
  await end();
});
