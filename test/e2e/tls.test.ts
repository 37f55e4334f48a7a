import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { createHeadlessClient, HeadlessChannel } from '../../lib/index.js';
import { covers } from '../faults/covers.js';
import { createAuthority } from '../support/certificates.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient, sayHi } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';
import { claimLoopback } from '../support/loopback.js';
import type { PodOptions } from '../support/pod.js';

const NAME = 'hello.test.svc.cluster.local';
const authority = createAuthority();

function issue(...names: string[]): NonNullable<PodOptions['tls']> {
  return authority.issue({ names });
}

test("pods that show the Service's certificate serve, though they are dialled by IP and it names none", async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 3, pod: { tls: issue(NAME) } });
  assert.equal(cluster.name, NAME);
  const secure = credentials.createSsl(authority.certificate);
  const client = createHeadlessClient(HelloClient, cluster.target, secure, { headless: cluster.headless() });
  defer(() => client.close());
  await eventually(async () => assert.equal((await callsByPod(client, 30)).size, 3));
  for (const pod of cluster.pods) assert.equal(pod.lastAuthority, `${NAME}:${cluster.port}`);
});

test("SNI and :authority are the Service's name, whichever pod is dialled", async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 0 });
  const seen: { ip: string; sni: unknown; authority: string | undefined }[] = [];
  const range = await claimLoopback('test', 2);
  defer(() => range.release());
  const ips = [range.ip(0), range.ip(1)];
  for (const ip of ips) {
    const { certificate, key } = authority.issue({ names: [NAME] });
    const server = createSecureServer({ cert: certificate, key });
    await listen(server, cluster.port, ip);
    defer(() => server.close());
    const sessions = new Set<ServerHttp2Session>();
    server.on('session', (session) => sessions.add(session));
    defer(() => {
      for (const session of sessions) session.destroy();
    });
    server.on('stream', (stream, headers) => {
      const socket = stream.session?.socket as TLSSocket & { servername: unknown };
      seen.push({ ip, sni: socket.servername, authority: headers[':authority'] });
      const trailersOnly = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': status.UNIMPLEMENTED };
      stream.respond(trailersOnly, { endStream: true });
    });
  }
  cluster.dns.set(NAME, ips);
  const secure = credentials.createSsl(authority.certificate);
  const client = createHeadlessClient(HelloClient, cluster.target, secure, { headless: cluster.headless() });
  defer(() => client.close());
  await eventually(async () => {
    await assert.rejects(sayHi(client), { code: status.UNIMPLEMENTED });
    assert.deepEqual(new Set(seen.map(({ ip }) => ip)), new Set(ips));
  });
  for (const { sni, authority } of seen)
    assert.deepEqual({ sni, authority }, { sni: NAME, authority: `${NAME}:${cluster.port}` });
});

test('an IP taken over by another workload gets no call, and the other pods are unaffected', covers(36), async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 3, pod: { tls: issue(NAME) } });
  const secure = credentials.createSsl(authority.certificate);
  // Only what happens to a connection can bring about another query within this test.
  const headless = cluster.headless({ refresh: { intervalMs: 600_000, minIntervalMs: 50, burstMs: 0 } });
  const channel = new HeadlessChannel(cluster.target, secure, { headless });
  const client = new HelloClient(cluster.target, secure, { channelOverride: channel });
  defer(() => client.close());
  await eventually(async () => assert.equal((await callsByPod(client, 30)).size, 3));

  const [victim, ...others] = cluster.pods;
  if (!victim) throw new Error('pods were started');
  const asked = cluster.dns.asked();
  await victim.kill();
  const squatter = await cluster.restart(victim, { tls: issue('other.test.svc') });
  const state = () => channel.snapshot().endpoints.find(({ address }) => address === victim.address)?.state;
  await eventually(() => assert.ok(squatter.stats().accepted > 0 && state() === 'backoff'));
  const names = [...(await callsByPod(client, 60)).keys()].sort();
  assert.deepEqual(names, others.map((pod) => pod.name).sort());
  assert.equal(squatter.calls, 0);
  await eventually(() => assert.ok(cluster.dns.asked() > asked, 'the lost connection made it ask again'));
  assert.deepEqual(
    others.map((pod) => pod.stats().accepted),
    [1, 1],
  );
});

test("a Service whose every pod shows another name's certificate is UNAVAILABLE, and the message says why", async (t) => {
  const defer = leakCheck(t);
  const wrong = issue('other.test.svc', '127.0.0.1');
  const cluster = await Cluster.start(defer, { pods: 2, pod: { tls: wrong } });
  const secure = credentials.createSsl(authority.certificate);
  const client = createHeadlessClient(HelloClient, cluster.target, secure, { headless: cluster.headless() });
  defer(() => client.close());
  await assert.rejects(sayHi(client), (error: ServiceError) => {
    assert.equal(error.code, status.UNAVAILABLE);
    assert.match(error.details, /hello\.test\.svc\.cluster\.local/);
    assert.match(error.details, /altnames|ERR_TLS_CERT_ALTNAME_INVALID/i);
    return true;
  });
  assert.deepEqual(
    cluster.pods.map((pod) => pod.calls),
    [0, 0],
  );
});

async function listen(server: Http2SecureServer, port: number, ip: string): Promise<void> {
  server.listen(port, ip);
  await once(server, 'listening');
}
