/**
 * A headless Service of interop servers: three on one port, in a process of grpc-go, and the DNS server that has their
 * addresses.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { createAuthority } from '../../support/certificates.js';
import type { DnsServer } from '../../support/dns-server.js';
import type { Defer } from '../../support/leak-check.js';
import { openLoopback } from '../../support/pod-runner.js';
import { interopServer } from './program.js';

const NAME = 'interop.test.svc.cluster.local';
const SERVERS = 3;
/** Seconds, as kubeadm's Corefile has it. */
const TTL = 30;
/** In which clients that were closed have closed their connections. */
const END_MS = 5_000;

export interface InteropService {
  readonly target: string;
  readonly credentials: ChannelCredentials;
  /** `"ip:port"` of each server. */
  readonly servers: readonly string[];
  readonly dns: DnsServer;
}

/** @param tls with a certificate of a test authority for the Service's name. */
export async function startInteropService(defer: Defer, { tls }: { tls: boolean }): Promise<InteropService> {
  const site = await openLoopback({ suite: 'test', addresses: SERVERS, dns: { shuffle: true } });
  defer(() => site.close());
  const ips = Array.from({ length: SERVERS }, (_, index) => site.ip(index));
  const servers = ips.map((ip) => `${ip}:${site.port}`);
  const security = tls ? secured(defer) : { flags: [], credentials: credentials.createInsecure() };
  await startServers(defer, [...security.flags, ...servers]);
  site.dns.set(NAME, ips, { ttl: TTL });
  return { target: `${NAME}.:${site.port}`, credentials: security.credentials, servers, dns: site.dns };
}

function secured(defer: Defer): { flags: readonly string[]; credentials: ChannelCredentials } {
  const authority = createAuthority();
  const { certificate, key } = authority.issue({ names: [NAME] });
  const folder = mkdtempSync(join(tmpdir(), 'interop-'));
  defer(() => rmSync(folder, { recursive: true }));
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.cert, certificate);
  writeFileSync(files.key, key, { mode: 0o600 });
  return {
    flags: ['-cert', files.cert, '-key', files.key],
    credentials: credentials.createSsl(authority.certificate),
  };
}

/**
 * Resolves when all of them listen. They end when the clients have closed their connections, for two reasons: it shows that they
 * do; and where a TLS server is killed while grpc-js closes a connection with a call that was just cancelled, Node's socket
 * may stay open (7 of 200 times, with a plain grpc-js channel).
 */
async function startServers(defer: Defer, args: readonly string[]): Promise<void> {
  const child = spawn(interopServer.binary, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  defer(async () => {
    child.stdin.end();
    const patience = setTimeout(() => child.kill('SIGKILL'), END_MS);
    const [, signal] = await ended;
    clearTimeout(patience);
    if (signal !== null) throw new Error(`after ${END_MS} ms, a client still had a connection to the interop servers`);
  });
  const failed = ended.then(([code]) => {
    throw new Error(`the interop servers ended with code ${code} before they listened`);
  });
  await Promise.race([once(createInterface(child.stdout), 'line'), failed]);
  // Later it ends as the test wants it to.
  failed.catch(() => {});
}
