/**
 * A Service's pods, in processes of their own: addresses of 127.0.0.0/8 that share one port. They are up and accept
 * connections from the start; which of them are in DNS is the question's affair.
 *
 *     const fleet = await Fleet.start({ pods: 5, processes: 2 });
 *     dns.set(name, fleet.ips);  fleet.port;
 *     await fleet.pods[0].behave({ delayMs: 50 });   // slow; { hang: true } never answers; {failWith: status}
 *     await fleet.stop(ip);  await fleet.restart(ip);
 *     await fleet.close();
 */
import type { ServerOptions } from '@grpc/grpc-js';
import { freePort } from '../../test/support/pod.js';
import { PodHost, type RemotePod, type RemotePodOptions } from '../../test/support/pod-host.js';

export interface FleetOptions {
  readonly pods: number;
  /** Default 1. Pods are dealt to them in turn. */
  readonly processes?: number;
  /** Default: one of its own for each fleet of this process. Give it to fleets that share addresses. */
  readonly subnet?: string;
  /** Plain data only: it crosses a process boundary. */
  readonly server?: ServerOptions;
  /** Of every pod, at its start. */
  readonly behaviour?: RemotePodOptions;
}

/** 127.x.y: below 127.200 the tests live. */
let subnets = 0;

export class Fleet {
  readonly port: number;
  readonly ips: readonly string[];
  readonly #hosts: readonly PodHost[];
  readonly #options: RemotePodOptions & { server?: ServerOptions };
  readonly #pods = new Map<string, RemotePod>();

  static async start(options: FleetOptions): Promise<Fleet> {
    const subnet = options.subnet ?? freshSubnet();
    const ips = Array.from({ length: options.pods }, (_, index) => `${subnet}.${index + 1}`);
    const [port, ...hosts] = await Promise.all([
      freePort(ips),
      ...Array.from({ length: options.processes ?? 1 }, () => PodHost.spawn()),
    ]);
    const fleet = new Fleet(port, ips, hosts, options);
    await Promise.all(ips.map((ip) => fleet.restart(ip)));
    return fleet;
  }

  private constructor(port: number, ips: readonly string[], hosts: readonly PodHost[], options: FleetOptions) {
    this.port = port;
    this.ips = ips;
    this.#hosts = hosts;
    this.#options = { ...options.behaviour, ...(options.server ? { server: options.server } : {}) };
  }

  /** Those that run, in the order of their addresses. */
  get pods(): readonly RemotePod[] {
    return this.ips.flatMap((ip) => this.#pods.get(ip) ?? []);
  }

  pod(ip: string): RemotePod {
    const pod = this.#pods.get(ip);
    if (!pod) throw new Error(`no pod runs at ${ip}:${this.port}`);
    return pod;
  }

  /** Starts the pod of an address, unless it runs. A pod's name is its address. */
  async restart(ip: string): Promise<void> {
    if (this.#pods.has(ip)) return;
    const host = this.#hosts[this.ips.indexOf(ip) % this.#hosts.length];
    if (!host) throw new Error(`${ip} is none of this fleet's addresses`);
    this.#pods.set(ip, await host.start(ip, this.port, this.#options));
  }

  /** As a well-behaved server at SIGTERM: GOAWAY, calls in flight finish. */
  async stop(ip: string): Promise<void> {
    await this.#take(ip)?.stop();
  }

  /** RST on every connection. */
  async kill(ip: string): Promise<void> {
    await this.#take(ip)?.kill();
  }

  /** Ends the processes. */
  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.close()));
  }

  #take(ip: string): RemotePod | undefined {
    const pod = this.#pods.get(ip);
    this.#pods.delete(ip);
    return pod;
  }
}

/** One that no fleet of this process has had. */
export function freshSubnet(): string {
  return `127.${220 + (process.pid % 30)}.${++subnets % 256}`;
}
