/** The entry `grpc-headless/kubernetes`: what a user writes, and what comes of it. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { KubeConfig } from '@kubernetes/client-node';
import { HeadlessChannel, HeadlessError, type HeadlessOptions } from '../../lib/index.js';
import { type EndpointSlicesOptions, endpointSlices } from '../../lib/kubernetes.js';
import { createFakeDns } from '../../lib/testing.js';
import { eventually } from '../support/eventually.js';
import { FakeApiServer } from '../support/fake-api-server.js';
import { callsByPod, HelloClient } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';
import { freePort, startPod } from '../support/pod.js';

const insecure = credentials.createInsecure();
const IPS = ['127.71.0.1', '127.71.0.2', '127.71.0.3'] as const;
const EXIT_WITHIN_MS = 20_000;
const SECRET = 's'.repeat(300);

async function setUp(t: TestContext) {
  const defer = leakCheck(t);
  const api = await FakeApiServer.start();
  defer(() => api.close());
  const port = await freePort(IPS);
  for (const ip of IPS) {
    const pod = await startPod(ip, port);
    defer(() => pod.kill());
  }
  const dns = createFakeDns({});
  const kubeConfig = api.kubeConfig();
  return {
    api,
    port,
    dns,
    kubeConfig,
    open(target: string, headless: HeadlessOptions = {}): HeadlessChannel {
      const source = endpointSlices({ kubeConfig });
      const channel = new HeadlessChannel(target, insecure, {
        headless: { dns: { lookup: dns.lookup }, source, ...headless },
      });
      defer(() => channel.close());
      return channel;
    },
  };
}

function addressesOf(channel: HeadlessChannel): string[] {
  return channel
    .snapshot()
    .endpoints.map(({ address }) => address)
    .sort();
}

// This file is also the program of a process that has to end by itself.
if (process.send && process.argv[2] === 'child') {
  process.once('message', (message) => {
    const { kubeConfig, target } = message as { kubeConfig: string; target: string };
    const config = new KubeConfig();
    config.loadFromString(kubeConfig);
    const headless = { source: endpointSlices({ kubeConfig: config }) };
    const channel = new HeadlessChannel(target, insecure, { headless });
    const client = new HelloClient('unused', insecure, { channelOverride: channel });
    void callsByPod(client, 5).then(() => process.disconnect());
  });
} else {
  test('what is no KubeConfig is refused by name', () => {
    for (const kubeConfig of [null, 5, 'path', {}, { getCurrentCluster: () => null }])
      assert.throws(
        () => endpointSlices({ kubeConfig } as unknown as EndpointSlicesOptions),
        (error: unknown) =>
          error instanceof HeadlessError &&
          error.code === 'ERR_HEADLESS_OPTION' &&
          /kubeConfig must be a KubeConfig .* got .* leave it out/.test(error.message),
      );
  });

  test('a wrong or misspelt option is refused by its name and value, with what to write instead', () => {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromString(JSON.stringify({ users: [{ name: 'pod', user: { token: SECRET } }] }));
    const cases: readonly [options: unknown, message: RegExp][] = [
      [{ kubeconfig: kubeConfig }, /unknown option kubeconfig \(value a KubeConfig\): did you mean "kubeConfig"\?/],
      [{ kubeConfg: '/a/path' }, /unknown option kubeConfg \(value "\/a\/path"\): did you mean "kubeConfig"\?/],
      [{ namespace: 'shop' }, /unknown option namespace \(value "shop"\): known are "kubeConfig"/],
      [{ kubeConfig, token: SECRET }, /unknown option token \(value a text of 300 characters\)/],
      [{ kubeConfig: SECRET }, /option kubeConfig must be .* got a text of 300 characters; leave it out/],
      [{ kubeConfig: { token: SECRET } }, /option kubeConfig must be .* got another object; leave it out/],
      ['x', /options must be an object such as \{ kubeConfig \}, got "x"; leave it out/],
      ['clusters:\n- x', /got a text of 13 characters/],
      [null, /options must be an object such as \{ kubeConfig \}, got null; leave it out/],
      [5, /got 5/],
      [[kubeConfig], /got an array/],
      [kubeConfig, /write endpointSlices\(\{ kubeConfig \}\)/],
    ];
    for (const [options, message] of cases)
      assert.throws(
        () => endpointSlices(options as EndpointSlicesOptions),
        (error: unknown) =>
          error instanceof HeadlessError &&
          error.code === 'ERR_HEADLESS_OPTION' &&
          message.test(error.message) &&
          !error.message.includes(SECRET),
        `${message}`,
      );
    for (const options of [undefined, {}, { kubeConfig: undefined }, { kubeConfig }]) endpointSlices(options);
  });

  test('channels to one Service share one watch, whatever their other settings', async (t) => {
    const { api, port, open } = await setUp(t);
    api.publish(IPS.slice(0, 2));
    const channels = [
      open(`hello.test:${port}`),
      open(`hello.test.svc.cluster.local.:${port}`, { empty: 'drop' }),
      open(`hello.test:${port}`, { zone: { name: 'a' } }),
    ];
    for (const channel of channels) await channel.ready();
    for (const channel of channels)
      await eventually(() => assert.deepEqual(addressesOf(channel), [`${IPS[0]}:${port}`, `${IPS[1]}:${port}`]));
    assert.equal(api.watches, 1);
    assert.equal(api.count('list'), 1);
  });

  test('a name without a namespace is a Service of the namespace of the kubeConfig', async (t) => {
    const { api, port, open } = await setUp(t);
    api.publish(IPS.slice(0, 1));
    await open(`hello:${port}`).ready();
    assert.match(api.requests[0]?.pathname ?? '', /namespaces\/test\/endpointslices$/);
  });

  test('an address and a name that is no Service are left to DNS, and the API server is not asked', async (t) => {
    const { api, port, dns, open } = await setUp(t);
    dns.set('api.example.com', [IPS[0]]);
    dns.set('example.com', [IPS[0]]);
    for (const target of [`${IPS[0]}:${port}`, `api.example.com:${port}`, `example.com.:${port}`]) {
      const channel = open(target);
      await channel.ready();
      assert.equal(channel.snapshot().discovery, undefined);
    }
    assert.equal(api.requests.length, 0);
  });

  test('a named port is taken from the slices, and follows its number', async (t) => {
    const { api, port, open } = await setUp(t);
    const endpoints = IPS.map((ip) => ({ ip }));
    api.set('one', { ports: [{ name: 'grpc', port }], endpoints: endpoints.slice(0, 1) });
    api.set('two', { ports: [{ name: 'grpc', port: 1 }], endpoints: endpoints.slice(1, 2) });
    // SRV records are what DNS has for it, and an own lookup has none.
    const channel = open('_grpc._tcp.hello.test', { dns: { servers: ['127.0.0.1:1'] } });
    await eventually(() => assert.deepEqual(addressesOf(channel), []));
    channel.getConnectivityState(true);
    await eventually(() => assert.deepEqual(addressesOf(channel), [`${IPS[0]}:${port}`, `${IPS[1]}:1`]));
    api.set('two', { ports: [{ name: 'grpc', port }], endpoints: endpoints.slice(1, 2) });
    await eventually(() => {
      const ready = channel.snapshot().endpoints.filter(({ state }) => state === 'ready');
      assert.deepEqual(ready.map(({ address }) => address).sort(), [`${IPS[0]}:${port}`, `${IPS[1]}:${port}`]);
    });
  });

  test('zones are those of the slices, and calls keep to their own', async (t) => {
    const { api, port, open } = await setUp(t);
    api.set('one', {
      endpoints: [
        { ip: IPS[0], zone: 'a' },
        { ip: IPS[1], zone: 'b' },
      ],
    });
    const channel = open(`hello.test:${port}`, { zone: { name: 'b' } });
    const client = new HelloClient('unused', insecure, { channelOverride: channel });
    await eventually(async () => assert.deepEqual([...(await callsByPod(client, 20)).keys()], [IPS[1]]));
    const zones = channel.snapshot().endpoints.map(({ zone }) => zone);
    assert.deepEqual(zones.sort(), ['a', 'b']);
  });

  test('under `empty: drop`, a Service whose last endpoint goes has none', async (t) => {
    const { api, port, open } = await setUp(t);
    api.publish(IPS.slice(0, 1));
    const channel = open(`hello.test:${port}`, { empty: 'drop' });
    await channel.ready();
    api.publish([]);
    await eventually(() => {
      assert.deepEqual(
        channel.snapshot().endpoints.filter(({ state }) => state !== 'draining'),
        [],
      );
    });
    api.publish(IPS.slice(1, 2));
    await eventually(() => assert.ok(addressesOf(channel).includes(`${IPS[1]}:${port}`)));
  });

  test('calls of refresh() in turn list once a second, and a list under way serves those made meanwhile', async (t) => {
    const { api, port, open } = await setUp(t);
    api.publish(IPS.slice(0, 2));
    const channel = open(`hello.test:${port}`);
    await channel.ready();
    const before = performance.now();
    for (let call = 0; call < 3; call++) await Promise.all([channel.refresh(), channel.refresh(), channel.refresh()]);
    assert.equal(api.count('list'), 4);
    // Three seconds from the first list of all, which was made before `ready()`.
    assert.ok(performance.now() - before > 2_000);
  });

  test('refresh() lists anew, and resolves when its answer is in use', async (t) => {
    const { api, port, open } = await setUp(t);
    api.publish(IPS.slice(0, 2));
    const channel = open(`hello.test:${port}`);
    await channel.ready();
    const lists = api.count('list');
    await channel.refresh();
    assert.equal(api.count('list'), lists + 1);
    assert.equal(channel.snapshot().discovery?.source, 'endpointslices');
  });

  test('while the first answer of the watch is on its way, a call waits although DNS denies the name', async (t) => {
    const { api, port, dns, open } = await setUp(t);
    api.hanging = true;
    const channel = open(`hello.test:${port}`);
    const failures: unknown[] = [];
    const calls = callsByPod(new HelloClient('unused', insecure, { channelOverride: channel }), 1);
    const ended = calls.catch((error: unknown) => failures.push(error));
    await eventually(() => assert.ok(dns.queries.length >= 2));
    assert.deepEqual(failures, []);
    channel.close();
    await ended;
  });

  test('a closed channel ends its watch', async (t) => {
    const { api, port, open } = await setUp(t);
    api.publish(IPS.slice(0, 2));
    const channel = open(`hello.test:${port}`);
    await channel.ready();
    channel.close();
    await eventually(() => assert.equal(api.watches, 0));
  });

  test('without any kubeConfig DNS is used, and the snapshot says what is missing', async (t) => {
    const { port, dns, open } = await setUp(t);
    const names = ['HOME', 'KUBECONFIG', 'USERPROFILE'] as const;
    const before = names.map((name) => process.env[name]);
    t.after(() => {
      for (const [index, name] of names.entries()) {
        const value = before[index];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    });
    for (const name of names) delete process.env[name];
    process.env['HOME'] = '/nonexistent';
    dns.set('hello.test', [IPS[0]]);
    const channel = open(`hello.test:${port}`, { source: endpointSlices() });
    await channel.ready({ timeoutMs: 20_000 });
    await eventually(
      () => assert.match(channel.snapshot().discovery?.error ?? '', /no kubeConfig was found: KUBECONFIG/),
      { timeoutMs: 20_000 },
    );
    assert.equal(channel.snapshot().discovery?.source, 'dns');
  });

  test('a watch does not keep its process alive', async (t) => {
    const { api, port, kubeConfig } = await setUp(t);
    api.publish(IPS.slice(0, 2));
    const child = fork(fileURLToPath(import.meta.url), ['child'], {
      execArgv: process.execArgv.filter((arg) => !arg.startsWith('--test')),
    });
    child.send({ kubeConfig: kubeConfig.exportConfig(), target: `hello.test:${port}` });
    const exited = once(child, 'exit');
    await once(child, 'disconnect');
    const timer = setTimeout(() => child.kill(), EXIT_WITHIN_MS);
    const [code] = await exited;
    clearTimeout(timer);
    assert.equal(code, 0, 'it ended by itself');
  });
}
