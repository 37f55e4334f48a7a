/** Named ports: the target has no number, SRV tells it, and each pod may have a port of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { createHeadlessClient, HeadlessChannel, type HeadlessError, type HeadlessOptions } from '../../lib/index.js';
import '../../lib/register.js';
import { createFakeDns } from '../../lib/testing.js';
import { covers } from '../faults/covers.js';
import { createAuthority } from '../support/certificates.js';
import { DnsServer } from '../support/dns-server.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient, sayHi } from '../support/hello-service.js';
import { type Defer, leakCheck } from '../support/leak-check.js';
import { type Pod, type PodOptions, startPod } from '../support/pod.js';

const NAME = 'hello.test.svc.cluster.local';
const PORT_NAME = `_grpc._tcp.${NAME}`;
const SUBNET = `127.${10 + (process.pid % 200)}.202`;
const insecure = credentials.createInsecure();

/** A Service whose pods have different ports, as `kubernetes` of CoreDNS publishes it. */
class NamedPortService {
  readonly dns: DnsServer;
  readonly pods: Pod[] = [];
  readonly #defer: Defer;

  private constructor(dns: DnsServer, defer: Defer) {
    this.dns = dns;
    this.#defer = defer;
  }

  static async start(defer: Defer, pods: number, options?: PodOptions): Promise<NamedPortService> {
    const dns = await DnsServer.start();
    defer(() => dns.close());
    const service = new NamedPortService(dns, defer);
    await service.add(pods, options);
    return service;
  }

  /** Starts pods, each on a free port. */
  async add(count: number, options?: PodOptions): Promise<void> {
    for (let index = 0; index < count; index++) {
      const pod = await startPod(`${SUBNET}.${this.pods.length + 1}`, 0, options);
      this.#defer(() => pod.kill());
      this.pods.push(pod);
    }
    this.publish();
  }

  publish(pods: readonly Pod[] = this.pods, options: { glue?: boolean; weight?: number } = {}): void {
    const { weight = 100, ...more } = options;
    for (const pod of pods) this.dns.set(this.targetOf(pod), [pod.ip]);
    this.dns.services(
      PORT_NAME,
      pods.map((pod) => ({ port: pod.port, target: this.targetOf(pod), weight })),
      more,
    );
  }

  targetOf(pod: Pod): string {
    return `${pod.ip.replaceAll('.', '-')}.${NAME}`;
  }

  headless(overrides: HeadlessOptions = {}): HeadlessOptions {
    return {
      refresh: { intervalMs: 100, minIntervalMs: 50 },
      dns: { servers: [this.dns.address], ...overrides.dns },
    };
  }

  addresses(pods: readonly Pod[] = this.pods): string[] {
    return pods.map(({ ip, port }) => `${ip}:${port}`).sort();
  }
}

function clientOf(defer: Defer, service: NamedPortService, target = `headless:///${PORT_NAME}.`) {
  const client = createHeadlessClient(HelloClient, target, insecure, { headless: service.headless() });
  defer(() => client.close());
  return client;
}

function channelOf(defer: Defer, service: NamedPortService): HeadlessChannel {
  const channel = new HeadlessChannel(`${PORT_NAME}.`, insecure, { headless: service.headless() });
  defer(() => channel.close());
  return channel;
}

function readyOf(channel: HeadlessChannel): string[] {
  const endpoints = channel.snapshot().endpoints.filter(({ state }) => state === 'ready');
  return endpoints.map(({ address }) => address).sort();
}

const doors: Record<string, (service: NamedPortService) => HelloClient> = {
  createHeadlessClient: (service) =>
    createHeadlessClient(HelloClient, `${PORT_NAME}.`, insecure, { headless: service.headless() }),
  'a HeadlessChannel': (service) =>
    new HelloClient('unused', insecure, {
      channelOverride: new HeadlessChannel(`headless:///${PORT_NAME}.`, insecure, { headless: service.headless() }),
    }),
  'a headless: target': (service) =>
    new HelloClient(`headless:///${PORT_NAME}.`, insecure, { headless: service.headless() }),
  'a headless: target that names its DNS server': (service) =>
    new HelloClient(`headless://${service.dns.address}/${PORT_NAME}.`, insecure, {
      headless: { refresh: { intervalMs: 100 } },
    }),
};

for (const [door, makeClient] of Object.entries(doors))
  test(
    `pods with different ports get calls, one that comes too, and one that goes none, through ${door}`,
    covers(62),
    async (t) => {
      const defer = leakCheck(t);
      const service = await NamedPortService.start(defer, 2);
      const [first, second] = service.pods as [Pod, Pod];
      assert.notEqual(first.port, second.port);
      const client = makeClient(service);
      defer(() => client.close());
      await eventually(async () =>
        assert.deepEqual([...(await callsByPod(client, 20)).keys()].sort(), [first.ip, second.ip]),
      );
      await service.add(1);
      await eventually(async () => assert.equal((await callsByPod(client, 30)).size, 3));
      service.publish(service.pods.slice(1));
      await eventually(async () => assert.ok(!(await callsByPod(client, 30)).has(first.name)));
      assert.equal(second.lastAuthority, NAME);
    },
  );

test('the snapshot shows each endpoint with its port and its weight, also one that changes', async (t) => {
  const defer = leakCheck(t);
  const service = await NamedPortService.start(defer, 2);
  const channel = channelOf(defer, service);
  await channel.ready();
  await eventually(() => assert.deepEqual(readyOf(channel), service.addresses()));
  assert.deepEqual([...channel.snapshot().dns.addresses].sort(), service.addresses());
  assert.deepEqual(
    channel.snapshot().endpoints.map(({ weight }) => weight),
    [100, 100],
  );
  service.publish(service.pods, { weight: 7 });
  await eventually(() =>
    assert.deepEqual(
      channel.snapshot().endpoints.map(({ weight }) => weight),
      [7, 7],
    ),
  );
  assert.equal(channel.snapshot().counters.connected, 2, 'no connection was made anew');
});

test('the TLS name check and :authority use the name of the Service', async (t) => {
  const defer = leakCheck(t);
  const authority = createAuthority();
  const { certificate, key } = authority.issue({ names: [NAME] });
  const service = await NamedPortService.start(defer, 2, {
    tls: { certificate, key },
  });
  const client = createHeadlessClient(HelloClient, `${PORT_NAME}.`, credentials.createSsl(authority.certificate), {
    headless: service.headless(),
  });
  defer(() => client.close());
  await eventually(async () => assert.equal((await callsByPod(client, 20)).size, 2));
  for (const pod of service.pods) assert.equal(pod.lastAuthority, NAME);
});

test(
  'targets that come without addresses are asked for, and one whose look-up fails keeps its address',
  covers(62),
  async (t) => {
    const defer = leakCheck(t);
    const service = await NamedPortService.start(defer, 3);
    service.publish(service.pods, { glue: false });
    const channel = channelOf(defer, service);
    await channel.ready();
    await eventually(() => assert.deepEqual(readyOf(channel), service.addresses()));
    const [first] = service.pods as [Pod];
    assert.ok(service.dns.asked(service.targetOf(first), 'A') > 0);

    const failure = new Promise<string>((resolve) => channel.once('dnsFailure', ({ error }) => resolve(error.code)));
    service.dns.fail(service.targetOf(first), 'SERVFAIL');
    assert.equal(await failure, 'ERR_HEADLESS_DNS_SERVFAIL');
    await channel.refresh();
    assert.deepEqual(readyOf(channel), service.addresses());
    service.dns.heal();
    service.dns.remove(service.targetOf(first));
    await eventually(() => assert.deepEqual(readyOf(channel), service.addresses(service.pods.slice(1))));
  },
);

test('a hundred pods do not fit a datagram, and come whole over TCP', async (t) => {
  const defer = leakCheck(t);
  const service = await NamedPortService.start(defer, 0);
  const services = Array.from({ length: 100 }, (_, index) => ({ port: 1_000 + index, target: `p${index}.${NAME}` }));
  for (const [index, { target }] of services.entries()) service.dns.set(target, [`127.1.0.${index + 1}`]);
  service.dns.services(PORT_NAME, services);
  const channel = channelOf(defer, service);
  const update = new Promise<readonly string[]>((resolve) => channel.once('update', ({ added }) => resolve(added)));
  channel.getConnectivityState(true);
  assert.deepEqual(
    [...(await update)].sort(),
    services.map(({ port }, index) => `127.1.0.${index + 1}:${port}`).sort(),
  );
  const { dns, counters } = channel.snapshot();
  assert.equal(dns.transport, 'tcp');
  assert.ok(counters.truncated > 0);
  assert.equal(service.dns.queries.filter(({ type }) => type === 'A').length, 0);
});

test(
  'a port that the Service does not have: event, ready() and calls name those that it has',
  covers(62),
  async (t) => {
    const defer = leakCheck(t);
    const service = await NamedPortService.start(defer, 0);
    service.dns.remove(PORT_NAME);
    service.dns.set(`a.${NAME}`, ['127.1.0.1']);
    service.dns.services(NAME, [
      { port: 50_051, target: `a.${NAME}` },
      { port: 9_090, target: `a.${NAME}` },
    ]);
    const channel = channelOf(defer, service);
    const expected = /the Service has ports 9090 and 50051; none of them is named grpc/;
    const event = new Promise<HeadlessError>((resolve) => channel.once('dnsFailure', ({ error }) => resolve(error)));
    channel.getConnectivityState(true);
    await event;
    await assert.rejects(channel.ready({ timeoutMs: 400 }), (error: HeadlessError) => {
      assert.equal(error.code, 'ERR_HEADLESS_NOT_READY');
      assert.match(error.message, expected);
      return true;
    });
    const { code, message } = await event;
    assert.equal(code, 'ERR_HEADLESS_DNS_NXDOMAIN');
    assert.match(message, expected);
    const client = clientOf(defer, service);
    await assert.rejects(sayHi(client), (error: ServiceError) => expected.test(error.details));
    assert.equal(service.dns.asked(NAME, 'SRV'), 1, 'the ports are not asked for at every poll');
  },
);

test('NXDOMAIN of a name that had endpoints keeps them', covers(24), async (t) => {
  const defer = leakCheck(t);
  const service = await NamedPortService.start(defer, 2);
  const channel = channelOf(defer, service);
  await channel.ready();
  await eventually(() => assert.deepEqual(readyOf(channel), service.addresses()));
  const failed = new Promise<number>((resolve) => channel.once('dnsFailure', ({ kept }) => resolve(kept)));
  service.dns.remove(PORT_NAME);
  assert.equal(await failed, 2);
  assert.deepEqual(readyOf(channel), service.addresses());
});

test("a named port is refused where the user's own lookup answers, which tells no port", () => {
  const { lookup } = createFakeDns();
  assert.throws(() => new HeadlessChannel('_grpc._tcp.svc.ns', insecure, { headless: { dns: { lookup } } }), {
    code: 'ERR_HEADLESS_TARGET',
    message: /"headless:\/\/\/_grpc\._tcp\.svc\.ns" cannot be used with headless\.dns\.lookup/,
  });
});

test('a named port is refused together with a zone, for which DNS has no names of one port', () => {
  const headless = { zone: { name: 'zone-a' } };
  assert.throws(() => new HeadlessChannel('_grpc._tcp.svc.ns', insecure, { headless }), {
    code: 'ERR_HEADLESS_TARGET',
    message: /cannot be used with headless\.zone/,
  });
});
