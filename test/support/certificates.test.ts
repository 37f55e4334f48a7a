import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { createAuthority } from './certificates.js';
import { leakCheck } from './leak-check.js';

const authority = createAuthority();

async function handshake(port: number, servername: string, ca: Buffer): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, servername, ca });
  await once(socket, 'secureConnect');
  return socket;
}

test('a leaf is accepted for its name, and for no other, by clients that trust its authority', async (t) => {
  const defer = leakCheck(t);
  const leaf = authority.issue({ names: ['hello.ns.svc.cluster.local', '127.0.0.1'] });
  const server = createServer({ cert: leaf.certificate, key: leaf.key }, (socket) => socket.end());
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  defer(() => server.close());
  const { port } = server.address() as AddressInfo;

  const socket = await handshake(port, 'hello.ns.svc.cluster.local', authority.certificate);
  defer(() => socket.destroy());
  assert.equal(socket.authorized, true);
  await assert.rejects(handshake(port, 'other.ns.svc.cluster.local', authority.certificate), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  await assert.rejects(handshake(port, 'hello.ns.svc.cluster.local', createAuthority().certificate), {
    code: /UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_SIGNATURE_FAILURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY/,
  });
});

test('certificates read back as what they were written as', () => {
  const leaf = new X509Certificate(authority.issue({ names: ['a.b', '127.0.0.9'] }).certificate);
  const root = new X509Certificate(authority.certificate);
  assert.equal(leaf.subjectAltName, 'DNS:a.b, IP Address:127.0.0.9');
  assert.equal(root.ca, true);
  assert.equal(leaf.ca, false);
  assert.equal(leaf.checkIssued(root), true);
  assert.equal(leaf.verify(root.publicKey), true);
});
