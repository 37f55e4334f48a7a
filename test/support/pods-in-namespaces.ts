/**
 * Runs a cluster's pods and its DNS server in a network namespace, at addresses like a real cluster's, so that packets
 * to them can be dropped and the link can be cut. Clients live in a second namespace, `names.client`. Needs root.
 */
import { inside, type Namespaces, openNamespaces } from './namespaces.js';
import type { PodOptions } from './pod.js';
import { PodHost, type RemoteDns, type RemotePod } from './pod-host.js';
import type { PodRunner } from './pod-runner.js';

export const POD_NETWORK = '10.244.0.0/16';
export const POD_PORT = 50_051;
export const DNS_IP = '10.96.0.10';
/** Pods in one /24. */
const HOSTS = 250;

export class PodsInNamespaces implements PodRunner<RemotePod, RemoteDns> {
  readonly names: Namespaces;
  readonly dns: RemoteDns;
  readonly port = POD_PORT;
  readonly #host: PodHost;
  readonly #added = new Set<string>();

  /** The DNS server listens on port 53, as resolv.conf can only name that. It shuffles, as CoreDNS does. */
  static async create(): Promise<PodsInNamespaces> {
    const names = await openNamespaces();
    let host: PodHost | undefined;
    try {
      await inside(names.cluster, `ip addr add ${DNS_IP}/32 dev lo`);
      host = await PodHost.spawn({ namespace: names.cluster });
      return new PodsInNamespaces(names, host, await host.startDns({ host: DNS_IP, port: 53, shuffle: true }));
    } catch (error) {
      await host?.close();
      await names.close();
      throw error;
    }
  }

  private constructor(names: Namespaces, host: PodHost, dns: RemoteDns) {
    this.names = names;
    this.#host = host;
    this.dns = dns;
  }

  ip(index: number): string {
    return `10.244.${1 + Math.floor(index / HOSTS)}.${(index % HOSTS) + 2}`;
  }

  async startPod(ip: string, options: PodOptions): Promise<RemotePod> {
    await this.#addAddress(ip);
    return this.#host.start(ip, this.port, options);
  }

  /** Something that accepts TCP connections and is neither a pod nor DNS. */
  async listen(ip: string, port: number): Promise<void> {
    if (ip !== DNS_IP) await this.#addAddress(ip);
    await this.#host.call.listen(ip, port);
  }

  async close(): Promise<void> {
    await this.#host.close();
    await this.names.close();
  }

  async #addAddress(ip: string): Promise<void> {
    if (this.#added.has(ip)) return;
    this.#added.add(ip);
    await inside(this.names.cluster, `ip addr add ${ip}/32 dev lo`);
  }
}
