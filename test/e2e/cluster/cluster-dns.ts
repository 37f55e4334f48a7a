/**
 * The cluster's DNS servers: CoreDNS with its `kubernetes` plugin, as kubeadm sets it up but without its cache, and
 * NodeLocal DNSCache: a CoreDNS on the node that caches and asks the others over TCP.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { coredns } from '../coredns/program.js';
import { API_ADDRESSES, type ControlPlane } from './control-plane.js';
import { ServerProcess } from './server-process.js';
import { DNS_IPS, type DnsName } from './topology.js';

const START_MS = 120_000;
/** `cache` and `ttl`, in seconds, as NodeLocal DNSCache and kubeadm have them. */
const CACHE_S = 30;

export class ClusterDns {
  readonly #folder: string;
  readonly #controlPlane: ControlPlane;
  readonly #running = new Map<DnsName, ServerProcess>();

  constructor(folder: string, controlPlane: ControlPlane) {
    this.#folder = folder;
    this.#controlPlane = controlPlane;
  }

  /** Resolves when it answers from the cluster's objects. */
  async start(name: DnsName): Promise<void> {
    const file = join(this.#folder, `Corefile-${name}`);
    const ready = `127.0.0.1:${READY_PORTS[name]}`;
    writeFileSync(file, name === 'nodeLocal' ? nodeLocal(ready) : this.#corefile(name, ready));
    const server = new ServerProcess(`CoreDNS ${name}`, coredns.binary, ['-conf', file]);
    this.#running.set(name, server);
    await server.until(async () => (await fetch(`http://${ready}/ready`)).ok, START_MS);
  }

  async stop(name: DnsName): Promise<void> {
    await this.#running.get(name)?.end('SIGTERM');
    this.#running.delete(name);
  }

  /** The ends of the servers' logs. */
  get log(): string {
    return [...this.#running.values()].map(({ name, log }) => `--- ${name}\n${log}`).join('\n');
  }

  #corefile(name: DnsName, ready: string): string {
    const host = name === 'second' ? API_ADDRESSES[1] : API_ADDRESSES[0];
    return block(
      name,
      `ready ${ready}`,
      `kubernetes cluster.local in-addr.arpa ip6.arpa {\n    kubeconfig ${this.#controlPlane.kubeconfig(host)}\n    ttl ${CACHE_S}\n    zonal\n  }`,
      'loadbalance',
    );
  }
}

const READY_PORTS: Readonly<Record<DnsName, number>> = { first: 8181, second: 8182, nodeLocal: 8183 };

function nodeLocal(ready: string): string {
  return block(
    'nodeLocal',
    `ready ${ready}`,
    `cache {\n    success 9984 ${CACHE_S}\n    denial 9984 5\n  }`,
    `forward . ${DNS_IPS.first} {\n    force_tcp\n  }`,
  );
}

function block(name: DnsName, ...plugins: readonly string[]): string {
  const lines = [`bind ${DNS_IPS[name]}`, 'errors', ...plugins];
  return `.:53 {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;
}
