import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { createAuthority } from '../support/certificates.js';
import { Cluster } from '../support/cluster.js';
import { DnsServer } from '../support/dns-server.js';
import { diagnose, temporaryFile } from '../support/doctor-fixture.js';
import { type Defer, leakCheck } from '../support/leak-check.js';
import { type PodOptions, startPod } from '../support/pod.js';

const NAME = 'hello.shop.svc.cluster.local';

async function start(defer: Defer, pods = 2, pod: PodOptions = {}) {
  const cluster = await Cluster.start(defer, { name: NAME, pods, pod });
  return { cluster, dns: cluster.dns, target: cluster.target, server: ['--server', cluster.dns.address] };
}

/** DNS that names these addresses, and the arguments for one port of theirs. */
async function named(defer: Defer, addresses: readonly string[], port: number): Promise<readonly string[]> {
  const dns = await DnsServer.start();
  defer(() => dns.close());
  dns.set(NAME, addresses, { ttl: 30 });
  return [`${NAME}.:${port}`, '--server', dns.address];
}

/** Of a server that is not gRPC. */
async function listen(defer: Defer, server: NetServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  defer(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

test('a pod that refuses the connection is told, and how many do', async (t) => {
  const defer = leakCheck(t);
  const { cluster, target, server } = await start(defer, 3);
  const [dead] = cluster.pods;
  await dead?.kill();
  const { ids, finding, text } = await diagnose(defer, [target, ...server]);
  assert.deepEqual(ids, ['pod-refused']);
  assert.equal(finding('pod-refused').weight, 'warning');
  assert.match(
    finding('pod-refused').seen.join('\n'),
    new RegExp(`^1 pod of 3\\.\n${dead?.address}: the connection was refused`),
  );
  assert.match(text, new RegExp(`${dead?.address} +failed`));
});

test('pods that all refuse are an error, and the ports are explained', async (t) => {
  const defer = leakCheck(t);
  const { cluster, target, server } = await start(defer, 2);
  await Promise.all(cluster.pods.map((pod) => pod.kill()));
  const { finding } = await diagnose(defer, [target, ...server]);
  assert.equal(finding('pod-refused').weight, 'error');
  assert.match(finding('pod-refused').remedy, /A headless Service maps no ports/);
});

test('a pod that accepts and says nothing is told after the timeout', async (t) => {
  const defer = leakCheck(t);
  const port = await listen(defer, createServer());
  const args = await named(defer, ['127.0.0.1'], port);
  const { finding } = await diagnose(defer, [...args, '--timeout', '100']);
  assert.match(finding('pod-timeout').seen.join('\n'), /no HTTP\/2 SETTINGS within 200 ms/);
});

test('an address without a route is told', async (t) => {
  const defer = leakCheck(t);
  // The broadcast address of the loopback: the system refuses TCP to it at once, and sends nothing.
  const args = await named(defer, ['::ffff:127.255.255.255'], 50_051);
  const { finding } = await diagnose(defer, args);
  assert.match(finding('pod-unreachable').seen.join('\n'), /\[::ffff:127.255.255.255\]:50051: connect /);
  assert.equal(finding('ipv6-only').weight, 'error');
});

test('a certificate for another name is told, and the name that it needs', async (t) => {
  const defer = leakCheck(t);
  const authority = createAuthority();
  const tls = authority.issue({ names: ['other.shop'] });
  const { target, server } = await start(defer, 2, { tls });
  const ca = temporaryFile(defer, 'ca.pem', authority.certificate);
  const { ids, finding } = await diagnose(defer, [target, ...server, '--tls', '--ca', ca]);
  assert.deepEqual(ids, ['pod-tls-name']);
  assert.match(finding('pod-tls-name').seen.join('\n'), /other\.shop/);
  assert.match(finding('pod-tls-name').remedy, /the name in the target, hello\.shop\.svc\.cluster\.local/);
});

test('a certificate for the name in the target, of a trusted authority, has no finding', async (t) => {
  const defer = leakCheck(t);
  const authority = createAuthority();
  const { target, server } = await start(defer, 2, { tls: authority.issue({ names: [NAME] }) });
  const ca = temporaryFile(defer, 'ca.pem', authority.certificate);
  const { ids, text } = await diagnose(defer, [target, ...server, '--tls', '--ca', ca]);
  assert.deepEqual(ids, []);
  assert.ok(text.includes(`credentials.createSsl(readFileSync('${ca}'))`));
});

test('a certificate of an authority that is not trusted is told', async (t) => {
  const defer = leakCheck(t);
  const { target, server } = await start(defer, 2, { tls: createAuthority().issue({ names: [NAME] }) });
  const { ids, finding } = await diagnose(defer, [target, ...server, '--tls']);
  assert.deepEqual(ids, ['pod-tls-untrusted']);
  assert.match(finding('pod-tls-untrusted').seen.join('\n'), /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER/);
});

test('a server that wants a certificate of the client is told', async (t) => {
  const defer = leakCheck(t);
  const authority = createAuthority();
  const { certificate, key } = authority.issue({ names: [NAME] });
  const options = { cert: certificate, key, requestCert: true, ca: authority.certificate, ALPNProtocols: ['h2'] };
  const secure = createTlsServer(options);
  secure.on('tlsClientError', () => {});
  const port = await listen(defer, secure);
  const ca = temporaryFile(defer, 'ca.pem', authority.certificate);
  const args = await named(defer, ['127.0.0.1'], port);
  const { finding } = await diagnose(defer, [...args, '--tls', '--ca', ca]);
  assert.match(finding('pod-tls-failed').seen.join('\n'), /certificate required|closed the connection/);
});

test('TLS to a server of plain text is told', async (t) => {
  const defer = leakCheck(t);
  const { target, server } = await start(defer);
  const { ids, text } = await diagnose(defer, [target, ...server, '--tls']);
  assert.deepEqual(ids, ['pod-plaintext']);
  assert.match(text, /credentials\.createInsecure\(\)/);
});

test('plain text to a server of TLS is told', async (t) => {
  const defer = leakCheck(t);
  const { target, server } = await start(defer, 2, { tls: createAuthority().issue({ names: [NAME] }) });
  const { ids, text } = await diagnose(defer, [target, ...server]);
  assert.deepEqual(ids, ['pod-wants-tls']);
  assert.match(text, /credentials\.createSsl\(/);
});

test('a server of HTTP/1.1 is told from one of HTTP/2', async (t) => {
  const defer = leakCheck(t);
  const port = await listen(defer, createHttpServer());
  const args = await named(defer, ['127.0.0.1'], port);
  const { finding } = await diagnose(defer, args);
  assert.equal(finding('pod-not-http2').weight, 'error');
});

test('a TLS server without the protocol h2 does not speak HTTP/2', async (t) => {
  const defer = leakCheck(t);
  const authority = createAuthority();
  const { certificate, key } = authority.issue({ names: [NAME] });
  const port = await listen(defer, createTlsServer({ cert: certificate, key }));
  const ca = temporaryFile(defer, 'ca.pem', authority.certificate);
  const args = await named(defer, ['127.0.0.1'], port);
  const { finding } = await diagnose(defer, [...args, '--tls', '--ca', ca]);
  assert.match(finding('pod-not-http2').seen.join('\n'), /TLS agreed on the protocol none/);
});

/** A server with grpc.health.v1 and reflection. */
async function serving(defer: Defer, status: 'SERVING' | 'NOT_SERVING'): Promise<readonly string[]> {
  const server = new Server();
  const health = new HealthImplementation({ '': status });
  health.addToServer(server);
  const proto = fileURLToPath(new URL('../support/hello.proto', import.meta.url));
  new ReflectionService(loadSync(proto)).addToServer(server);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  defer(() => server.forceShutdown());
  return named(defer, ['127.0.0.1'], port);
}

test('health and the services of a server are shown', async (t) => {
  const defer = leakCheck(t);
  const { facts, text } = await diagnose(defer, await serving(defer, 'SERVING'));
  assert.equal(facts.pods[0]?.health, 'SERVING');
  assert.ok(facts.pods[0]?.services?.includes('hello.Hello'));
  assert.match(text, /ready +[\d.]+ ms +health SERVING, serves hello\.Hello/);
});

test('a pod in DNS whose health service says that it is not serving is told', async (t) => {
  const defer = leakCheck(t);
  const { finding } = await diagnose(defer, await serving(defer, 'NOT_SERVING'));
  assert.match(finding('pod-not-serving').seen.join('\n'), /grpc\.health\.v1 says NOT_SERVING/);
});

test('a server that closes idle connections is told, and after what time', async (t) => {
  const defer = leakCheck(t);
  const { target, server } = await start(defer, 2, { server: { 'grpc.max_connection_idle_ms': 300 } });
  const { ids, finding, facts } = await diagnose(defer, [target, ...server, '--idle', '10']);
  assert.deepEqual(ids, ['idle-close']);
  assert.match(finding('idle-close').seen.join('\n'), /sent GOAWAY after .* without a call \(watched for 10 s\)/);
  assert.ok(facts.pods.every(({ idle }) => idle !== null && idle.afterMs < 10_000));
});

test('a server with a low limit of streams is told, and what one client may have in flight', async (t) => {
  const defer = leakCheck(t);
  const { target, server } = await start(defer, 2, { server: { 'grpc.max_concurrent_streams': 10 } });
  const { ids, finding, text } = await diagnose(defer, [target, ...server]);
  assert.deepEqual(ids, ['stream-limit']);
  assert.match(finding('stream-limit').seen.join('\n'), /is 10 at [\s\S]*at most 20 calls in flight over 2 pods/);
  assert.match(text, /10 streams/);
});

test('pods with IPv6 addresses only are reached, and the family is proposed', async (t) => {
  const defer = leakCheck(t);
  const pod = await startPod('::1');
  defer(() => pod.kill());
  const args = await named(defer, ['::1'], pod.port);
  const { ids, finding } = await diagnose(defer, args);
  assert.ok(ids.includes('ipv6-only'));
  assert.equal(finding('ipv6-only').weight, 'note');
  assert.deepEqual(finding('ipv6-only').client.headless, { dns: { family: "'ipv6'" } });
});

test('of two families the one that cannot be reached is told, and the other one proposed', async (t) => {
  const defer = leakCheck(t);
  const pod = await startPod('127.0.0.1');
  defer(() => pod.kill());
  const ipv6 = await diagnose(defer, await named(defer, ['127.0.0.1', '::ffff:127.255.255.255'], pod.port));
  const { weight, client } = ipv6.finding('family-unreachable');
  assert.deepEqual([weight, client.headless], ['note', { dns: { family: "'ipv4'" } }]);
  assert.ok(!ipv6.ids.includes('pod-unreachable'));
  const other = await startPod('::1');
  defer(() => other.kill());
  const ipv4 = await diagnose(defer, await named(defer, ['127.0.0.2', '::1'], other.port));
  assert.equal(ipv4.finding('family-unreachable').weight, 'error');
});

test('no more pods than --pods are tried, and the report says how many were left out', async (t) => {
  const defer = leakCheck(t);
  const { cluster, target, server } = await start(defer, 3);
  const { text } = await diagnose(defer, [target, ...server, '--pods', '2']);
  assert.equal(
    cluster.pods.reduce((sum, pod) => sum + pod.stats().accepted, 0),
    2,
  );
  assert.match(text, /Pods \(3\)[\s\S]*and 1 that were not tried \(--pods\)/);
});
