import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient, HeadlessChannel, type HeadlessOptions } from '../../lib/index.js';
import '../../lib/register.js';
import { createFakeDns } from '../../lib/testing.js';
import { covers } from '../faults/covers.js';
import { Cluster } from '../support/cluster.js';
import { DnsServer } from '../support/dns-server.js';
import { eventually } from '../support/eventually.js';
import { HelloClient, sayHi } from '../support/hello-service.js';
import { type Defer, leakCheck } from '../support/leak-check.js';

const insecure = credentials.createInsecure();

/** A process that has nothing else to do must be gone by then, however busy the machine; it takes a fraction. */
const EXIT_WITHIN_MS = 5_000;

// This file is also the program of its child processes, which must end by themselves.
interface Task {
  do: 'leave open' | 'close' | 'await';
  /** Pods are up there. */
  ip: string;
  port: number;
  name: string;
  headless: HeadlessOptions;
  /** A DNS server that never answers. */
  blackHole: string;
  /** Accepts connections and says nothing. */
  silentPort: number;
}

/** Makes calls through two doors and leaves both clients open; a third client never makes one. */
async function leaveOpen({ name, port, headless }: Task): Promise<void> {
  const target = `${name}.:${port}`;
  const clients = [
    createHeadlessClient(HelloClient, target, insecure, { headless }),
    new HelloClient(`headless:///${target}`, insecure, { headless }),
  ];
  createHeadlessClient(HelloClient, target, insecure, { headless });
  for (const client of clients) for (let call = 0; call < 5; call++) await sayHi(client);
}

/** Has nothing but these promises that keeps it alive. */
async function awaitAll({ name, port, headless }: Task): Promise<void> {
  const channel = new HeadlessChannel(`${name}.:${port}`, insecure, { headless });
  await channel.ready({ timeoutMs: Number.POSITIVE_INFINITY });
  await channel.refresh();
}

/** Closes a channel in the middle of a lookup, of a connect, and of a drain. */
async function closeAll({ ip, port, blackHole, silentPort }: Task): Promise<void> {
  for (const close of [
    await startLookup(blackHole),
    await startConnect(silentPort),
    await startDrain([ip, '127.0.0.1'], port),
  ])
    close();
}

/** Each brings a channel into the middle of something and returns how to close it there. */
type Close = () => void;

async function startLookup(server: string): Promise<Close> {
  const channel = new HeadlessChannel('svc.test.:50051', insecure, { headless: { dns: { servers: [server] } } });
  const refreshing = channel.refresh();
  await eventually(() => channel.snapshot().counters.udpQueries > 0);
  assert.equal(channel.snapshot().counters.replies, 0);
  return () => {
    channel.close();
    void refreshing.then(() => {});
  };
}

async function startConnect(port: number): Promise<Close> {
  const { lookup } = createFakeDns({ 'svc.test': ['127.0.0.1'] });
  const channel = new HeadlessChannel(`svc.test:${port}`, insecure, { headless: { dns: { lookup } } });
  channel.getConnectivityState(true);
  await eventually(() => assert.equal(channel.snapshot().endpoints[0]?.state, 'connecting'));
  return () => channel.close();
}

async function startDrain(ips: [string, string], port: number): Promise<Close> {
  const dns = createFakeDns({ 'svc.test': ips });
  const headless = { dns: { lookup: dns.lookup }, refresh: { intervalMs: 50 } };
  const channel = new HeadlessChannel(`svc.test:${port}`, insecure, { headless });
  await channel.ready();
  const serving = () => channel.snapshot().endpoints.find(({ state }) => state === 'ready')?.address;
  const gone = serving()?.split(':')[0];
  dns.set(
    'svc.test',
    ips.filter((ip) => ip !== gone),
  );
  await eventually(() => channel.snapshot().endpoints.some(({ state }) => state === 'draining'));
  return () => channel.close();
}

/** Takes connections, counts them, and never sends a byte. */
async function startSilentServer(defer: Defer) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    sockets.add(socket.resume());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { sockets, port: (server.address() as AddressInfo).port };
}

async function startBlackHole(defer: Defer): Promise<DnsServer> {
  const dns = await DnsServer.start();
  defer(() => dns.close());
  dns.pause();
  return dns;
}

/** How long the child lived after it was done, and its exit code. */
async function afterlife(task: Task): Promise<{ code: number; ms: number }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(task)], {
    execArgv: ['--import', new URL('../../.ts-node.mjs', import.meta.url).href],
    env,
  });
  const exit = once(child, 'exit') as Promise<[number]>;
  await Promise.race([once(child, 'message'), exit.then(([code]) => assert.fail(`ended early, with ${code}`))]);
  const doneAt = performance.now();
  const watchdog = setTimeout(() => child.kill('SIGKILL'), EXIT_WITHIN_MS);
  const [code] = await exit;
  clearTimeout(watchdog);
  return { code, ms: performance.now() - doneAt };
}

async function runInChild(defer: Defer, what: Task['do'], options: HeadlessOptions = {}): Promise<void> {
  const cluster = await Cluster.start(defer, { pods: 2, pod: { health: 'SERVING' } });
  const blackHole = await startBlackHole(defer);
  const { port: silentPort } = await startSilentServer(defer);
  const { code, ms } = await afterlife({
    do: what,
    ip: String(cluster.pods[0]?.ip),
    port: cluster.port,
    name: cluster.name,
    headless: cluster.headless(options),
    blackHole: blackHole.address,
    silentPort,
  });
  assert.equal(code, 0, `it was still alive ${Math.round(ms)} ms after it was done`);
}

const [task] = process.argv.slice(2);
if (task !== undefined) {
  const given = JSON.parse(task) as Task;
  await { 'leave open': leaveOpen, close: closeAll, await: awaitAll }[given.do](given);
  process.send?.('done');
} else {
  test('a process ends by itself after its calls, though its clients are left open', async (t) => {
    await runInChild(leakCheck(t), 'leave open');
  });

  test('a process stays alive until its ready() and refresh() are settled, and ends by itself then', async (t) => {
    await runInChild(leakCheck(t), 'await');
  });

  test('a process ends by itself although health checks and the timers of outlier ejection are open', async (t) => {
    await runInChild(leakCheck(t), 'leave open', { health: true, outlier: true });
  });

  test(
    'a process ends by itself after close() in the middle of a lookup, a connect and a drain',
    covers(44),
    async (t) => {
      await runInChild(leakCheck(t), 'close');
    },
  );

  test('close() in the middle of a lookup leaves no socket', covers(44), async (t) => {
    const defer = leakCheck(t);
    const blackHole = await startBlackHole(defer);
    const close = await startLookup(blackHole.address);
    // The client has sent its query; the server may not have read it yet.
    const asked = await eventually(() => blackHole.asked('svc.test') || false);
    close();
    blackHole.resume();
    const control = await startControl(defer, blackHole);
    await eventually(() => blackHole.asked(control) >= 10);
    assert.equal(blackHole.asked('svc.test'), asked, 'it asked no more');
  });

  test('close() in the middle of a connect leaves no socket once the pod answers or goes', covers(44), async (t) => {
    const defer = leakCheck(t);
    const silent = await startSilentServer(defer);
    const close = await startConnect(silent.port);
    await eventually(() => silent.sockets.size === 1);
    close();
  });

  test('close() in the middle of a drain closes every connection', covers(44), async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 2 });
    const [first, second] = cluster.pods;
    const close = await startDrain([String(first?.ip), String(second?.ip)], cluster.port);
    close();
    await eventually(() =>
      assert.deepEqual(
        cluster.pods.map((pod) => pod.connections),
        [0, 0],
      ),
    );
  });

  test('an idle channel stops asking DNS, and its next call finds the pods of that moment', async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 1 });
    const channel = new HeadlessChannel(cluster.target, insecure, {
      headless: cluster.headless(),
      'grpc.client_idle_timeout_ms': 1_000,
    });
    const client = new HelloClient(cluster.target, insecure, { channelOverride: channel });
    defer(() => client.close());
    await sayHi(client);
    await eventually(() => assert.equal(channel.snapshot().state, 'IDLE'));
    const control = await startControl(defer, cluster.dns);
    // The control's first query has come, and with it all that was sent before.
    const asked = cluster.dns.asked(cluster.name);
    await eventually(() => cluster.dns.asked(control) >= 10);
    assert.equal(cluster.dns.asked(cluster.name), asked);
    assert.deepEqual(channel.snapshot().endpoints, []);

    const old = [...cluster.pods];
    const [fresh] = await cluster.scaleUp(1);
    cluster.unpublish(...old);
    assert.equal((await sayHi(client)).from_who, fresh?.name);
  });

  test('twenty channels to one Service ask its DNS as often as one', async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 2 });
    const headless = cluster.headless({ refresh: { intervalMs: 100, jitter: 0, burstMs: 0 } });
    const channels = Array.from({ length: 20 }, () => {
      const channel = new HeadlessChannel(cluster.target, insecure, { headless });
      defer(() => channel.close());
      return channel;
    });
    await Promise.all(channels.map((channel) => channel.ready()));
    const control = await startControl(defer, cluster.dns);
    const before = cluster.dns.asked(cluster.name);
    await eventually(() => cluster.dns.asked(control) >= 20);
    // Twice as often would already be no sharing, were there but two channels.
    const share = (cluster.dns.asked(cluster.name) - before) / cluster.dns.asked(control);
    assert.ok(share < 2, `${share} times the queries of one channel`);
    const [late] = await cluster.scaleUp(1);
    await eventually(() => {
      for (const channel of channels)
        assert.ok(
          channel.snapshot().endpoints.some(({ address, state }) => address === late?.address && state === 'ready'),
        );
    });
    // Equal subchannels are shared between channels, too.
    assert.deepEqual(
      cluster.pods.map((pod) => pod.stats().accepted),
      [1, 1, 1],
    );
  });
}

/** A second channel, to another name of the same DNS server: its queries are the clock of things that do not happen. */
async function startControl(defer: Defer, dns: DnsServer): Promise<string> {
  const name = 'control.test';
  dns.set(name, ['127.0.0.1']);
  const channel = new HeadlessChannel(`${name}.:1`, insecure, {
    headless: {
      refresh: { intervalMs: 100, jitter: 0, burstMs: 0, minIntervalMs: 100 },
      dns: { servers: [dns.address] },
    },
  });
  defer(() => channel.close());
  channel.getConnectivityState(true);
  await eventually(() => dns.asked(name) > 0);
  return name;
}
