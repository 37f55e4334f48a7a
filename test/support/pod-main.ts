/**
 * The program of `pod-host.ts`: serves as many pods as its parent asks for, and a DNS server.
 *
 * SIGTERM stops all pods as a well-behaved container does: it serves on for `lameDuckMs` (until clients have read the
 * DNS record's disappearance), then sends GOAWAY, finishes its calls and exits 0.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DnsServer, type DnsServerOptions } from './dns-server.js';
import { type Pod, type PodBehaviour, type PodOptions, type PodStats, startPod } from './pod.js';
import { serveRpc } from './rpc.js';

/** By `"ip:port"`. */
const pods = new Map<string, Pod>();
let dns: DnsServer | undefined;
let lameDuckMs = 0;

function podAt(address: string): Pod {
  const pod = pods.get(address);
  if (pod === undefined) throw new Error(`no pod at ${address} in this process`);
  return pod;
}

function dnsServer(): DnsServer {
  if (dns === undefined) throw new Error('the DNS server was not started');
  return dns;
}

const methods = {
  /** Resolves with the port. */
  async startPod(ip: string, port: number, options: PodOptions): Promise<number> {
    const pod = await startPod(ip, port, options);
    pods.set(pod.address, pod);
    return pod.port;
  },

  async stopPod(address: string): Promise<void> {
    await podAt(address).stop();
    pods.delete(address);
  },

  async retirePod(address: string, times: { quietMs: number; mostMs: number }): Promise<void> {
    await podAt(address).retire(times);
    pods.delete(address);
  },

  async killPod(address: string): Promise<void> {
    await podAt(address).kill();
    pods.delete(address);
  },

  behave(address: string, changes: Partial<PodBehaviour>): void {
    podAt(address).behave(changes);
  },

  stats(address: string): PodStats {
    return podAt(address).stats();
  },

  setLameDuck(ms: number): void {
    lameDuckMs = ms;
  },

  /** Resolves with `"ip:port"`. */
  async startDns(options: DnsServerOptions): Promise<string> {
    dns = await DnsServer.start(options);
    return dns.address;
  },

  setRecords(name: string, addresses: readonly string[], options: { ttl?: number }): void {
    dnsServer().set(name, addresses, options);
  },

  removeRecords(name: string): void {
    dnsServer().remove(name);
  },

  asked(name: string): number {
    return dnsServer().asked(name);
  },

  /** Something that accepts TCP connections and is neither a pod nor DNS. */
  async listen(ip: string, port: number): Promise<void> {
    const server = createServer((socket) => socket.on('error', () => {}));
    server.listen(port, ip);
    await once(server, 'listening');
  },
};

export type PodProgram = typeof methods;

process.on('SIGTERM', async () => {
  await sleep(lameDuckMs);
  await Promise.all([...pods.values()].map((pod) => pod.stop()));
  process.exit(0);
});

serveRpc(methods);
