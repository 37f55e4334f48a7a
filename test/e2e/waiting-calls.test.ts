/** Calls that wait for a pod and run out of time: their details name what stood in the way. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { type ChannelCredentials, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ConnectionError, createHeadlessClient, type HeadlessError, type HeadlessOptions } from '../../lib/index.js';
import '../../lib/register.js';
import { createFakeDns } from '../../lib/testing.js';
import { createAuthority } from '../support/certificates.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { HelloClient, sayHi } from '../support/hello-service.js';
import { type Defer, leakCheck } from '../support/leak-check.js';

const insecure = credentials.createInsecure();
const authority = createAuthority();
const secure = credentials.createSsl(authority.certificate);

interface ClientOptions {
  readonly headless: HeadlessOptions;
  readonly creds?: ChannelCredentials;
  readonly config?: object;
}

const doors: Record<string, (target: string, options: ClientOptions) => HelloClient> = {
  createHeadlessClient: (target, { creds = insecure, config = {}, headless }) =>
    createHeadlessClient(HelloClient, target, creds, { headless, 'grpc.service_config': JSON.stringify(config) }),
  'a bare headless: target': (target, { creds = insecure, config = {}, headless }) =>
    new HelloClient(`headless:///${target}`, creds, { headless, 'grpc.service_config': JSON.stringify(config) }),
};

/** The details of calls that wait up to 150 ms for a pod, until one of them matches: what fails first takes a moment. */
async function waitingDetails(client: HelloClient, expected: RegExp, waitForReady = true): Promise<void> {
  await eventually(async () => {
    const metadata = new Metadata({ waitForReady });
    await assert.rejects(sayHi(client, { metadata, deadline: Date.now() + 150 }), (error: ServiceError) => {
      assert.equal(error.code, status.DEADLINE_EXCEEDED);
      assert.match(error.details, expected);
      return true;
    });
  });
}

/** Accepts connections and says nothing. */
async function silentServer(defer: Defer): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const fake = (): HeadlessOptions => ({ dns: { lookup: createFakeDns({ 'svc.ns': ['127.0.0.1'] }).lookup } });

for (const [door, makeClient] of Object.entries(doors)) {
  test(`a call that waits for pods which refuse connections says so, through ${door}`, async (t) => {
    const defer = leakCheck(t);
    const client = makeClient('svc.ns:1', { headless: fake() });
    defer(() => client.close());
    await waitingDetails(client, /Waiting for LB pick; headless: .*svc\.ns:1.*127\.0\.0\.1:1: .*ECONNREFUSED/);
  });

  test(`a call that waits for pods with another name's certificate says so, through ${door}`, async (t) => {
    const defer = leakCheck(t);
    const tls = authority.issue({ names: ['other.test.svc'] });
    const cluster = await Cluster.start(defer, { pods: 2, pod: { tls } });
    const client = makeClient(cluster.target, { headless: cluster.headless(), creds: secure });
    defer(() => client.close());
    await waitingDetails(client, /Waiting for LB pick; headless: .*altnames.*other\.test\.svc/);
  });

  test(`a call that waits for a pod which accepts and says nothing says so, through ${door}`, async (t) => {
    const defer = leakCheck(t);
    const target = `svc.ns:${await silentServer(defer)}`;
    const plain = makeClient(target, { headless: fake() });
    const tls = makeClient(target, { headless: fake(), creds: credentials.createSsl() });
    defer(() => plain.close());
    defer(() => tls.close());
    const expected =
      /Waiting for LB pick; headless: .*127\.0\.0\.1:\d+: no answer to the TCP, TLS or HTTP\/2 handshake/;
    await waitingDetails(plain, expected);
    await waitingDetails(plain, expected, false);
    await waitingDetails(tls, expected);
  });

  test(`a call that waits for a name which does not exist says so, through ${door}`, async (t) => {
    const defer = leakCheck(t);
    const client = makeClient('svc.ns:1', { headless: { dns: { lookup: createFakeDns().lookup } } });
    defer(() => client.close());
    await waitingDetails(client, /Waiting for LB pick; headless: no address for svc\.ns:1: .*NXDOMAIN/);
  });

  test(`a call that waits under a round_robin of the user's says why, too, through ${door}`, async (t) => {
    const defer = leakCheck(t);
    const client = makeClient('svc.ns:1', { headless: fake(), config: { loadBalancingConfig: [{ round_robin: {} }] } });
    defer(() => client.close());
    await waitingDetails(
      client,
      /Waiting for LB pick; headless: round_robin has no READY pod of svc\.ns:1: .*ECONNREFUSED/,
    );
  });

  test(`a call on a pod that never answers has grpc-js's own details, with the pod's address, through ${door}`, async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: 1 });
    const client = makeClient(cluster.target, { headless: cluster.headless() });
    defer(() => client.close());
    await sayHi(client);
    const [pod] = cluster.pods;
    await pod?.behave({ hang: true });
    await assert.rejects(sayHi(client, { deadline: Date.now() + 100 }), (error: ServiceError) => {
      assert.equal(error.code, status.DEADLINE_EXCEEDED);
      assert.ok(error.details.endsWith(`remote_addr=${pod?.address}`), error.details);
      return true;
    });
  });
}

test("ready() names a certificate of another name as its cause, and the snapshot shows each pod's error", async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 2, pod: { tls: authority.issue({ names: ['other.test.svc'] }) } });
  const client = createHeadlessClient(HelloClient, cluster.target, secure, { headless: cluster.headless() });
  defer(() => client.close());
  const channel = client.getChannel();
  await eventually(async () => {
    await assert.rejects(channel.ready({ timeoutMs: 50 }), (error: HeadlessError) => {
      assert.match(error.message, /last connection error: .*altnames.*other\.test\.svc/);
      assert.ok(error.cause instanceof ConnectionError);
      assert.match(error.cause.message, /altnames/);
      return true;
    });
    for (const { lastError } of channel.snapshot().endpoints) assert.match(String(lastError), /altnames/);
  });
  assert.equal(channel.snapshot().endpoints.length, 2);
});

test("a pod's last error is gone once it is connected", async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 1 });
  const [pod] = cluster.pods;
  if (!pod) throw new Error('a pod was started');
  const client = createHeadlessClient(HelloClient, cluster.target, insecure, {
    headless: cluster.headless(),
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 100,
  });
  defer(() => client.close());
  await client.getChannel().ready();
  const lastError = () => client.getChannel().snapshot().endpoints[0]?.lastError;
  assert.equal(lastError(), null);
  await pod.kill();
  await eventually(() => assert.match(String(lastError()), /ECONNREFUSED/));
  await cluster.restart(pod);
  await eventually(() => assert.equal(lastError(), null));
});
