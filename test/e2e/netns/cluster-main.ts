/** The program on the cluster's side of the cable: its DNS server, its pods, and other people's services. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { ServerCredentials } from '@grpc/grpc-js';
import { DnsServer } from '../../support/dns-server.js';
import { type Pod, type PodStats, startPod } from '../../support/pod.js';
import { serve } from './remote.js';

export interface PodPlan {
  readonly ip: string;
  readonly port: number;
  /** What it answers in `from_who`. Default: its IP address. */
  readonly name?: string;
  /** PEM. Default: plain HTTP/2. */
  readonly tls?: { readonly certificate: Buffer; readonly key: Buffer };
}

const pods = new Map<string, Pod>();
let dns: DnsServer | undefined;

function theDns(): DnsServer {
  if (dns === undefined) throw new Error('the DNS server was not started');
  return dns;
}

const handlers = {
  /** On port 53, as resolv.conf can only name that. Shuffled, as CoreDNS does. */
  async startDns(ip: string): Promise<void> {
    dns = await DnsServer.start({ host: ip, port: 53, shuffle: true });
  },

  publish(name: string, ips: readonly string[], ttl: number): void {
    theDns().set(name, ips, { ttl });
  },

  /** Queries so far. */
  asked(): { udp: number; tcp: number } {
    const tcp = theDns().queries.filter((query) => query.transport === 'tcp').length;
    return { udp: theDns().queries.length - tcp, tcp };
  },

  async startPods(plans: readonly PodPlan[]): Promise<void> {
    for (const { ip, port, name = ip, tls } of plans) {
      const credentials = tls
        ? ServerCredentials.createSsl(null, [{ cert_chain: tls.certificate, private_key: tls.key }])
        : ServerCredentials.createInsecure();
      const pod = await startPod(ip, port, { name, credentials });
      pods.set(pod.name, pod);
    }
  },

  /** RST on every connection. */
  async killPod(name: string): Promise<void> {
    await pods.get(name)?.kill();
    pods.delete(name);
  },

  /** By name. */
  stats(): Map<string, PodStats> {
    return new Map([...pods].map(([name, pod]) => [name, pod.stats]));
  },

  /** Something that accepts TCP connections and is none of the client's business. */
  async listen(ip: string, port: number): Promise<void> {
    const server = createServer((socket) => socket.on('error', () => {}));
    server.listen(port, ip);
    await once(server, 'listening');
  },
};

export type ClusterProgram = typeof handlers;

serve(handlers);
