/**
 * What a cluster needs of whatever runs its pods: the addresses, the DNS server, and pods to start. Implementations:
 * `pods-in-process.ts`, `pods-in-processes.ts`, `pods-in-namespaces.ts`.
 */
import { DnsServer, type DnsServerOptions } from './dns-server.js';
import { claimLoopback, type LoopbackRange, type Suite } from './loopback.js';
import { freePort, type PodBehaviour, type PodOptions, type PodStats } from './pod.js';

/** A running pod. Pods of this process answer at once, others after a message to their process. */
export interface ClusterPod {
  readonly ip: string;
  readonly port: number;
  /** `"ip:port"`. */
  readonly address: string;
  /** What it answers in `from_who`. */
  readonly name: string;
  behave(changes: Partial<PodBehaviour>): void | Promise<void>;
  stats(): PodStats | Promise<PodStats>;
  /** Gracefully, as at SIGTERM: calls in flight finish. */
  stop(): Promise<void>;
  /** At once: calls in flight are lost. */
  kill(): Promise<void>;
}

/** A DNS server, as far as every cluster needs it. Changes take effect in the order in which they are made. */
export interface ClusterDns {
  /** `"ip:port"`. */
  readonly address: string;
  set(name: string, addresses: readonly string[], options?: { ttl?: number }): void;
  remove(name: string): void;
}

export interface PodRunner<P extends ClusterPod, D extends ClusterDns> {
  readonly dns: D;
  /** The port that all pods share. */
  readonly port: number;
  /** The address for the pod of this number, from 0. */
  ip(index: number): string;
  /** Resolves when the pod accepts connections. */
  startPod(ip: string, options: PodOptions): Promise<P>;
  /** Ends all pods and the DNS server, and gives the addresses back. */
  close(): Promise<void>;
}

export interface LoopbackOptions {
  readonly suite: Suite;
  /** Pods that there will be at most. Default 250. */
  readonly addresses?: number;
  /** Default: one of its own. Give one to clusters that share addresses; it is theirs to release who claimed it. */
  readonly range?: LoopbackRange;
  readonly dns?: DnsServerOptions;
}

/** The addresses, the port and the DNS server of a cluster on loopback. */
export interface LoopbackSite {
  readonly dns: DnsServer;
  readonly port: number;
  ip(index: number): string;
  close(): Promise<void>;
}

export async function openLoopback({ suite, addresses, range, dns: options }: LoopbackOptions): Promise<LoopbackSite> {
  const owned = range === undefined ? await claimLoopback(suite, addresses) : undefined;
  const used = range ?? (owned as LoopbackRange);
  try {
    // A port that is free there is free on the whole range: the range is ours, and a server on 0.0.0.0 is on each of it.
    const port = await freePort([used.ip(0)]);
    const dns = await DnsServer.start(options);
    return {
      dns,
      port,
      ip: (index) => used.ip(index),
      close: async () => void (await Promise.all([dns.close(), owned?.release()])),
    };
  } catch (error) {
    await owned?.release();
    throw error;
  }
}

/** What all runners on loopback have in common. */
export abstract class LoopbackRunner<P extends ClusterPod> implements PodRunner<P, DnsServer> {
  readonly dns: DnsServer;
  readonly port: number;
  readonly #site: LoopbackSite;

  protected constructor(site: LoopbackSite) {
    this.#site = site;
    this.dns = site.dns;
    this.port = site.port;
  }

  ip(index: number): string {
    return this.#site.ip(index);
  }

  abstract startPod(ip: string, options: PodOptions): Promise<P>;

  async close(): Promise<void> {
    await this.endPods();
    await this.#site.close();
  }

  protected abstract endPods(): Promise<unknown>;
}
