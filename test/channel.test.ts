import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { type ChannelOptions, connectivityState, credentials } from '@grpc/grpc-js';
import { HeadlessChannel, type HeadlessChannelOptions } from '../lib/channel.js';
import { ConnectionError, type DnsError, type HeadlessError } from '../lib/errors.js';
import type { DnsFailureEvent, UpdateEvent } from '../lib/telemetry/channel-events.js';
import { createFakeDns } from '../lib/testing.js';
import { covers } from './faults/covers.js';
import { DnsServer } from './support/dns-server.js';
import { eventually } from './support/eventually.js';
import { FakeClock, settle } from './support/fake-clock.js';
import { leakCheck } from './support/leak-check.js';
import { spiedCredentials } from './support/spied-credentials.js';
import { uncaughtDuring } from './support/uncaught.js';

const insecure = credentials.createInsecure();

/** No server listens there: port 1 (tcpmux) is not given out, and connections to it are refused at once. */
const TARGET = 'svc.ns:1';

/** A channel over fake DNS; its polls wait for the test's clock. */
function channelFixture(
  zone: Record<string, string[]> = { 'svc.ns': ['127.0.0.1'] },
  options: HeadlessChannelOptions = {},
  target = TARGET,
) {
  const dns = createFakeDns(zone);
  const clock = new FakeClock();
  const headless = { dns: { lookup: dns.lookup }, ...options.headless };
  const channel = new HeadlessChannel(
    target,
    insecure,
    { ...options, headless },
    { clock, random: () => 0, turns: { current: () => 0 } },
  );
  const updates: UpdateEvent[] = [];
  channel.on('update', (update) => updates.push(update));
  return { dns, clock, channel, updates };
}

const targets: [given: string, shown: string][] = [
  ['svc.ns:50051', 'headless:///svc.ns:50051'],
  ['dns:///svc.ns.:50051', 'headless:///svc.ns.:50051'],
  ['headless://10.96.0.10/svc.ns:50051', 'headless://10.96.0.10:53/svc.ns:50051'],
  ['[fd00::1]:50051', 'headless:///[fd00::1]:50051'],
];
for (const [given, shown] of targets)
  test(`getTarget() of a channel to ${given} is ${shown}`, () => {
    const channel = new HeadlessChannel(given, insecure);
    assert.equal(channel.getTarget(), shown);
    channel.close();
  });

test('a bad target or option throws at construction, before any query', covers(32, 47), () => {
  assert.throws(() => new HeadlessChannel('a..b:1', insecure), { code: 'ERR_HEADLESS_TARGET' });
  assert.throws(() => new HeadlessChannel(TARGET, insecure, { headless: { empty: 'kept' as never } }), {
    code: 'ERR_HEADLESS_OPTION',
  });
});

test('a new channel is idle: it asks nothing before it is used', async () => {
  const { channel, dns, clock } = channelFixture();
  await clock.advance(60_000);
  assert.deepEqual([dns.queries, clock.timers], [[], 0]);
  assert.equal(channel.getConnectivityState(false), connectivityState.IDLE);
  channel.getConnectivityState(true);
  await settle();
  assert.deepEqual(dns.queries, ['svc.ns']);
  channel.close();
});

test('refresh() wakes the channel, and each set is told as one update, unless it is the same', async () => {
  const { channel, dns, clock, updates } = channelFixture();
  const answers = [['127.0.0.1'], ['127.0.0.2', '127.0.0.1', '127.0.0.1'], ['127.0.0.1', '127.0.0.2'], ['::1']];
  for (const addresses of answers) {
    dns.set('svc.ns', addresses);
    const refreshed = channel.refresh();
    await clock.advance(1_000);
    await refreshed;
  }
  assert.deepEqual(updates, [
    { added: ['127.0.0.1:1'], removed: [], kept: [] },
    { added: ['127.0.0.2:1'], removed: [], kept: ['127.0.0.1:1'] },
    { added: ['[::1]:1'], removed: ['127.0.0.2:1', '127.0.0.1:1'], kept: [] },
  ]);
  channel.close();
});

test('refreshes at the same time share one query', async () => {
  const { channel, dns } = channelFixture();
  await Promise.all([channel.refresh(), channel.refresh(), channel.refresh()]);
  assert.deepEqual(dns.queries, ['svc.ns']);
  channel.close();
});

test('a lookup that never settles fails when its time is over, and the next one is asked', async () => {
  let lookups = 0;
  const lookup = () => {
    lookups += 1;
    return lookups === 1 ? new Promise<never>(() => {}) : Promise.resolve({ addresses: ['127.0.0.1'], ttlMs: 100 });
  };
  const { channel, clock, updates } = channelFixture(
    {},
    { headless: { dns: { lookup, timeoutMs: 200, attempts: 1 } } },
  );
  const failures: string[] = [];
  channel.on('dnsFailure', ({ error }) => failures.push(error.code));
  const refreshed = channel.refresh();
  await clock.advance(200);
  await refreshed;
  const { dns, counters } = channel.snapshot();
  assert.deepEqual([failures, dns.errorCode, dns.failures], [['ERR_HEADLESS_DNS_TIMEOUT'], failures[0], 1]);
  assert.equal(counters.timeouts, 1);
  await clock.advance(2_000);
  assert.deepEqual([lookups > 1, updates.length, channel.snapshot().dns.failures], [true, 1, 0]);
  channel.close();
});

test('a DNS failure is a dnsFailure event, never rejects refresh(), and keeps the set', covers(23, 24), async () => {
  const { channel, dns, clock, updates } = channelFixture();
  const failures: DnsFailureEvent[] = [];
  channel.on('dnsFailure', (failure) => failures.push(failure));
  await channel.refresh();
  for (const trouble of ['SERVFAIL', 'TIMEOUT', 'NXDOMAIN'] as const) {
    dns.fail('svc.ns', trouble);
    const refreshed = channel.refresh();
    await clock.advance(1_000);
    await refreshed;
  }
  const told = failures.map(({ error, failures: inARow, kept }) => [error.code, inARow, kept]);
  assert.deepEqual(told.slice(0, 3), [
    ['ERR_HEADLESS_DNS_SERVFAIL', 1, 1],
    ['ERR_HEADLESS_DNS_TIMEOUT', 2, 1],
    ['ERR_HEADLESS_DNS_NXDOMAIN', 0, 1],
  ]);
  assert.equal(updates.length, 1);
  assert.deepEqual(channel.snapshot().dns.addresses, ['127.0.0.1']);
  channel.close();
});

test('an error in a listener surfaces, and the answer still reaches the balancer', async () => {
  const { channel } = channelFixture();
  channel.on('update', () => {
    throw new Error('of the listener');
  });
  const uncaught = await uncaughtDuring(() => channel.refresh());
  assert.deepEqual(uncaught.map(String), ['Error: of the listener']);
  assert.deepEqual(
    channel.snapshot().endpoints.map(({ address }) => address),
    ['127.0.0.1:1'],
  );
  channel.close();
});

test('a snapshot is complete and plain from the first moment to the last', async () => {
  const { channel, clock } = channelFixture();
  const keys = {
    top: ['target', 'state', 'balancer', 'endpoints', 'dns', 'counters'],
    dns: 'name server transport rcode addresses ttlMs answeredAt ageMs failures error errorCode nextQueryAt cache zone'.split(
      ' ',
    ),
    endpoint: 'address state inFlight started succeeded failed since zone weight lastError health ejected'.split(' '),
    counters:
      'polls hinted changes failures emptyAnswers queries udpQueries tcpQueries replies timeouts unreachable malformed dropped wrongId wrongQuestion truncated withoutEdns refusedAddresses connected connectionsFailed connectionsLost drained returned drainTimeouts ejections healthFailures panics callsStarted callsSucceeded callsFailed',
  };
  const check = (state: string, endpoints: number) => {
    const snapshot = channel.snapshot();
    assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), snapshot);
    assert.deepEqual(Object.keys(snapshot), keys.top);
    assert.deepEqual(Object.keys(snapshot.dns), keys.dns);
    assert.deepEqual(Object.keys(snapshot.counters).sort(), keys.counters.split(' ').sort());
    for (const value of Object.values(snapshot.counters)) assert.ok(Number.isInteger(value) && value >= 0);
    assert.deepEqual([snapshot.state, snapshot.endpoints.length], [state, endpoints]);
    for (const endpoint of snapshot.endpoints) assert.deepEqual(Object.keys(endpoint), keys.endpoint);
    return snapshot;
  };
  assert.equal(check('IDLE', 0).dns.answeredAt, null);
  await channel.refresh();
  await clock.advance(250);
  assert.equal(channel.snapshot().dns.ageMs, 250);
  const { dns } = check(channel.snapshot().state, 1);
  assert.deepEqual([dns.name, dns.transport, dns.rcode, dns.ttlMs], ['svc.ns', 'lookup', 'NOERROR', 5_000]);
  channel.close();
  check('SHUTDOWN', 0);
});

test('a snapshot stays plain when a lookup says that its answer holds for ever', covers(27), async () => {
  const lookup = async () => ({ addresses: ['127.0.0.1'], ttlMs: Number.POSITIVE_INFINITY });
  const channel = new HeadlessChannel(TARGET, insecure, { headless: { dns: { lookup } } });
  await channel.refresh();
  assert.equal(channel.snapshot().dns.ttlMs, 2_147_483_647_000);
  channel.close();
});

test('ready() that runs out of time names the DNS cause if no pod is known', covers(25), async () => {
  const dns = createFakeDns();
  const channel = new HeadlessChannel(TARGET, insecure, { headless: { dns: { lookup: dns.lookup } } });
  await assert.rejects(channel.ready({ timeoutMs: 50 }), (error: HeadlessError) => {
    assert.equal(error.code, 'ERR_HEADLESS_NOT_READY');
    assert.match(
      error.message,
      /no pod of headless:\/\/\/svc\.ns:1 was READY within 50 ms: no pod is known; .*NXDOMAIN/,
    );
    assert.equal((error.cause as DnsError).code, 'ERR_HEADLESS_DNS_NXDOMAIN');
    return true;
  });
  channel.close();
});

test('ready() that runs out of time names the pods it could not reach, a few of them if they are many', async () => {
  const dns = createFakeDns({ 'svc.ns': Array.from({ length: 7 }, (_, host) => `127.0.0.${host + 1}`) });
  const channel = new HeadlessChannel(TARGET, insecure, { headless: { dns: { lookup: dns.lookup } } });
  await channel.refresh();
  await eventually(() => channel.snapshot().endpoints.every(({ state }) => state === 'backoff'));
  await assert.rejects(channel.ready({ timeoutMs: 20 }), (error: HeadlessError) => {
    assert.equal(error.code, 'ERR_HEADLESS_NOT_READY');
    assert.match(
      error.message,
      /within 20 ms: pods: 127\.0\.0\.1:1 backoff, (.* backoff, ){3}127.* backoff and 2 more; last connection error: (127\.0\.0\.\d:1): .*ECONNREFUSED \2$/,
    );
    assert.ok(error.cause instanceof ConnectionError);
    assert.equal(error.cause.code, 'ERR_HEADLESS_CONNECTION');
    assert.ok(error.message.endsWith(error.cause.message));
    assert.ok(error.cause.message.startsWith(`${error.cause.address}: `));
    return true;
  });
  for (const { address, lastError } of channel.snapshot().endpoints)
    assert.ok(lastError?.includes(`ECONNREFUSED ${address}`), String(lastError));
  channel.close();
});

test('ready() names the pod whose connection stays without an answer, and for how long, as its cause too', async () => {
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const { channel, clock } = channelFixture(undefined, {}, `svc.ns:${port}`);
  const accepted = once(silent, 'connection') as Promise<[Socket]>;
  await channel.refresh();
  const [socket] = await accepted;
  const [pod] = channel.snapshot().endpoints;
  assert.deepEqual([pod?.state, pod?.lastError], ['connecting', null]);
  await clock.advance(700);
  await assert.rejects(channel.ready({ timeoutMs: 0 }), (error: HeadlessError) => {
    const { cause } = error;
    assert.ok(cause instanceof ConnectionError);
    const name = `127.0.0.1:${port}`;
    assert.equal(cause.message, `${name}: no answer to the TCP, TLS or HTTP/2 handshake for 700 ms`);
    assert.ok(error.message.endsWith(`${name} connecting; last connection error: ${cause.message}`), error.message);
    return true;
  });
  channel.close();
  socket.destroy();
  silent.close();
});

test('a channel that shares the failing connection of another one names its error too', async () => {
  const first = channelFixture();
  await first.channel.refresh();
  await eventually(() => first.channel.snapshot().endpoints[0]?.state === 'backoff');
  const second = channelFixture();
  await second.channel.refresh();
  assert.match(String(second.channel.snapshot().endpoints[0]?.lastError), /ECONNREFUSED/);
  await eventually(() => second.channel.snapshot().endpoints[0]?.state === 'backoff');
  await assert.rejects(second.channel.ready({ timeoutMs: 0 }), { message: /last connection error: .*ECONNREFUSED/ });
  first.channel.close();
  second.channel.close();
});

test('ready() names the last connection error first, and the last DNS error after it', async () => {
  const { channel, clock, dns } = channelFixture();
  await channel.refresh();
  await eventually(() => channel.snapshot().endpoints[0]?.state === 'backoff');
  dns.fail('svc.ns', 'SERVFAIL');
  const refreshed = channel.refresh();
  await clock.advance(1_000);
  await refreshed;
  await assert.rejects(channel.ready({ timeoutMs: 0 }), (error: HeadlessError) => {
    assert.match(error.message, /last connection error: 127\.0\.0\.1:1: .*ECONNREFUSED 127\.0\.0\.1:1.*; .*SERVFAIL/);
    assert.ok(error.cause instanceof ConnectionError);
    return true;
  });
  channel.close();
});

test('snapshot().dns has the code of the last DNS error, until an answer has addresses', async () => {
  const { channel, dns, clock } = channelFixture();
  const refresh = async (): Promise<string | null> => {
    const refreshed = channel.refresh();
    await clock.advance(1_000);
    await refreshed;
    return channel.snapshot().dns.errorCode;
  };
  assert.equal(channel.snapshot().dns.errorCode, null);
  assert.equal(await refresh(), null);
  for (const failure of ['SERVFAIL', 'NXDOMAIN'] as const) {
    dns.fail('svc.ns', failure);
    assert.equal(await refresh(), `ERR_HEADLESS_DNS_${failure}`);
  }
  dns.set('svc.ns', ['127.0.0.1']);
  assert.equal(await refresh(), null);
  channel.close();
});

test('ready() with no time left fails at once, and a timeout that is not a time is refused', covers(47), async () => {
  const { channel } = channelFixture();
  await assert.rejects(channel.ready({ timeoutMs: 0 }), { code: 'ERR_HEADLESS_NOT_READY' });
  for (const timeoutMs of [-1, Number.NaN, '5' as never])
    await assert.rejects(channel.ready({ timeoutMs }), { code: 'ERR_HEADLESS_OPTION', message: /timeoutMs/ });
  channel.close();
});

test('what ready() cannot read as its options is refused, and timeoutMs is named', covers(47), async () => {
  const { channel } = channelFixture();
  const wrong: [options: unknown, message: RegExp][] = [
    [500, /^option of ready\(\) must be an object such as \{ timeoutMs: 5000 \}, got 500$/],
    ['x', /^option of ready\(\) must be an object such as \{ timeoutMs: 5000 \}, got "x"$/],
    [null, /such as \{ timeoutMs: 5000 \}, got null$/],
    [[], /such as \{ timeoutMs: 5000 \}, got \[\]$/],
    [{ timeout: 500 }, /^unknown option of ready\(\)\.timeout \(value 500\): did you mean "timeoutMs"\?$/],
    [{ signal: null }, /^unknown option of ready\(\)\.signal .*known are "timeoutMs"$/],
    [{ timeoutMs: '500' }, /^option timeoutMs must be milliseconds >= 0, got "500"$/],
  ];
  for (const [options, message] of wrong)
    await assert.rejects(channel.ready(options as never), { code: 'ERR_HEADLESS_OPTION', message });
  assert.equal(channel.getConnectivityState(false), connectivityState.IDLE);
  channel.close();
});

test('a listener to an event that does not exist is refused, with the nearest name', covers(47), () => {
  const { channel } = channelFixture();
  const wrong: [event: unknown, message: RegExp][] = [
    ['udpate', /^the channel has no event "udpate": did you mean "update"\?$/],
    ['dnsfailure', /did you mean "dnsFailure"\?$/],
    ['stateChange', /^the channel has no event "stateChange": the events are "update", "dnsFailure", .*"panic"$/],
    [undefined, /no event undefined: the events are/],
    [Symbol('update'), /no event Symbol\(update\): the events are/],
  ];
  for (const [event, message] of wrong)
    for (const listen of [channel.on, channel.once])
      assert.throws(() => listen.call(channel, event as never, () => {}), { code: 'ERR_HEADLESS_OPTION', message });
  channel.off('udpate' as never, () => {});
  channel.close();
});

test('every event of the channel can be listened to, and once() of node:events works', async () => {
  const { channel } = channelFixture();
  const events = [
    'update',
    'dnsFailure',
    'zoneFallback',
    'source',
    'imbalance',
    'ejection',
    'health',
    'panic',
  ] as const;
  for (const event of events) channel.on(event, () => {}).once(event, () => {});
  const update = once(channel as never, 'update');
  await channel.refresh();
  assert.deepEqual(await update, [{ added: ['127.0.0.1:1'], removed: [], kept: [] }]);
  channel.close();
});

test('close() ends a ready() and a refresh() under way, and refuses both from then on', covers(44), async () => {
  const lookup = () => new Promise<never>(() => {});
  const channel = new HeadlessChannel(TARGET, insecure, { headless: { dns: { lookup } } });
  const ready = channel.ready({ timeoutMs: Number.POSITIVE_INFINITY });
  const refreshed = channel.refresh();
  const closed = { code: 'ERR_HEADLESS_CLOSED', message: /headless:\/\/\/svc\.ns:1 is closed/ };
  const rejected = assert.rejects(ready, closed);
  channel.close();
  await rejected;
  await refreshed;
  await assert.rejects(channel.ready(), closed);
  await assert.rejects(channel.refresh(), closed);
});

test('close() leaves no timer, and may be called again', covers(44), async () => {
  const { channel, clock, dns } = channelFixture();
  await channel.refresh();
  assert.ok(clock.timers > 0);
  channel.close();
  channel.close();
  assert.equal(clock.timers, 0);
  await clock.advance(60_000);
  assert.equal(dns.queries.length, 1);
});

test('a channel to an address asks no DNS', async () => {
  const dns = createFakeDns();
  const channel = new HeadlessChannel('127.0.0.1:1', insecure, { headless: { dns: { lookup: dns.lookup } } });
  await channel.refresh();
  assert.deepEqual(
    channel.snapshot().endpoints.map(({ address }) => address),
    ['127.0.0.1:1'],
  );
  assert.deepEqual(dns.queries, []);
  channel.close();
});

const localNames: [host: string, family: 'auto' | 'ipv4' | 'ipv6' | 'dual', addresses: string[]][] = [
  ['localhost', 'auto', ['127.0.0.1:1']],
  ['LocalHost.', 'ipv4', ['127.0.0.1:1']],
  ['hello.shop.localhost', 'ipv6', ['[::1]:1']],
  ['hello.localhost.', 'dual', ['127.0.0.1:1', '[::1]:1']],
];
for (const [host, family, expected] of localNames)
  test(`a channel to ${host} with family ${family} connects to the loopback address and asks no DNS`, async (t) => {
    const defer = leakCheck(t);
    const server = await DnsServer.start();
    defer(() => server.close());
    server.set(host.replace(/\.$/, ''), ['127.0.0.9']);
    const dns = { servers: [server.address], search: [], family };
    const channel = new HeadlessChannel(`${host}:1`, insecure, { headless: { dns } });
    defer(() => channel.close());
    await channel.refresh();
    assert.deepEqual(
      channel.snapshot().endpoints.map(({ address }) => address),
      expected,
    );
    assert.equal(server.asked(), 0);
  });

test('a lookup of the user is asked for localhost too', async () => {
  const { dns, channel } = channelFixture({ localhost: ['127.0.0.9'] }, {}, 'localhost:1');
  await channel.refresh();
  assert.deepEqual(channel.snapshot().dns.addresses, ['127.0.0.9']);
  assert.deepEqual(dns.queries, ['localhost']);
  channel.close();
});

/** The options that a pod's connection is made with. */
async function optionsOfConnections(options: HeadlessChannelOptions): Promise<ChannelOptions> {
  const spied = spiedCredentials();
  const headless = { dns: { lookup: createFakeDns({ 'svc.ns': ['127.0.0.1'] }).lookup } };
  const channel = new HeadlessChannel(TARGET, spied.credentials, { ...options, headless });
  await channel.refresh();
  channel.close();
  return spied.seen.at(-1) ?? assert.fail('no connection was made');
}

test("grpc-js's own options are passed on unchanged, ours are not, and its proxy is off unless it is asked for", async () => {
  const own = { 'grpc.keepalive_time_ms': 10_000, 'grpc.primary_user_agent': 'test' };
  assert.deepEqual(await optionsOfConnections(own), { 'grpc.enable_http_proxy': 0, ...own });
  const proxied = await optionsOfConnections({ 'grpc.enable_http_proxy': 1 });
  assert.equal(proxied['grpc.enable_http_proxy'], 1);
});
