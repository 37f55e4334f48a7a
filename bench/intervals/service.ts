/**
 * The Service that all cells look at: its pods in their processes, one DNS server for each cache, which is a CoreDNS
 * before that server (or the server's own cache, where there is no CoreDNS), and other clients' queries that keep a cache filled (one that only a single client asks is refilled at that client's own queries, and
 * delays nothing but that client's repeats). Publishes the scale events, in DNS and as EndpointSlices, and records when.
 */
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import packet from 'dns-packet';
import { corednsCache } from '../../test/e2e/real-dns/coredns.js';
import { RealDnsServer } from '../../test/e2e/real-dns/server.js';
import { MARKER, ZONES } from '../../test/e2e/real-dns/zone.js';
import { Cluster } from '../../test/support/cluster.js';
import { DnsServer } from '../../test/support/dns-server.js';
import { FakeApiServer } from '../../test/support/fake-api-server.js';
import { claimLoopback, type LoopbackRange } from '../../test/support/loopback.js';
import type { PodOptions } from '../../test/support/pod.js';
import type { RemotePod } from '../../test/support/pod-host.js';
import { SharedProcesses } from '../../test/support/pods-in-processes.js';
import { machineMs } from './clock.js';
import type { CacheTtl, FleetName, Grid, ServiceName } from './grid.js';
import { podsIn, type ScaleEvent, type ScalePlan } from './scaling.js';

export interface Published {
  readonly service: ServiceName;
  readonly kind: ScaleEvent['kind'];
  readonly ip: string;
  /** `machineMs()`. */
  readonly at: number;
  /** In DNS from this moment on. */
  readonly pods: number;
}

export interface PlannedService {
  readonly plan: ScalePlan;
  readonly events: readonly ScaleEvent[];
}

/** Kubeadm's Corefile has 30 s; a cache of 5 s caps it. */
export const ZONE_TTL = 30;
export const NEIGHBOUR_GAP_MS = 100;

/** Where clients ask: the server itself, or the cache before it. */
interface Front {
  /** `"ip:port"`. */
  readonly address: string;
  readonly port: number;
}

/** What the cells are measured behind. */
export type CacheProgram = 'CoreDNS' | 'model';

/** What a client has to be told. */
interface Where {
  /** `"ip:port"`. */
  readonly dns: string;
  /** `name:port`. */
  readonly target: string;
  /** URL of the API server. */
  readonly api: string;
}

const NAMESPACE = 'bench';

type BenchCluster = Cluster<RemotePod, DnsServer>;

export class Service {
  readonly published: Published[] = [];
  readonly #plans: Readonly<Partial<Record<ServiceName, PlannedService>>>;
  readonly #range: LoopbackRange;
  readonly #clusters: Readonly<Record<FleetName, BenchCluster>>;
  readonly #servers: ReadonlyMap<CacheTtl, DnsServer>;
  readonly #fronts: ReadonlyMap<CacheTtl, Front>;
  readonly #cleanUps: readonly (() => unknown)[];
  readonly #graceMs: number;
  readonly #inDns = new Map<ServiceName, number[]>();
  /** Names with the same addresses for one client alone, and where it asks for them. */
  readonly #aliases = new Map<string, { readonly service: ServiceName; readonly cacheTtl: CacheTtl }>();
  readonly #stopping: Promise<void>[] = [];
  readonly #api: FakeApiServer;
  readonly #neighbours: NodeJS.Timeout;
  readonly #socket = createSocket('udp4');

  static async start(grid: Grid, plans: Service['plans'], cache: CacheProgram): Promise<Service> {
    const pods = Object.values(plans).reduce((sum, { plan, events }) => sum + podsIn(plan, events), 0);
    const range = await claimLoopback('bench', pods);
    const ageing = {
      'grpc.max_connection_age_ms': grid.maxConnectionAgeMs,
      'grpc.max_connection_age_grace_ms': 5_000,
    };
    // One after the other: two clusters that look for a port on the same addresses could both find the same.
    // Nearly every client calls this one.
    const lasting = await startPods(range, pods, 2);
    const ending = await startPods(range, pods, 1);
    const aged = await startPods(range, pods, 1, { server: ageing });
    const servers = new Map<CacheTtl, DnsServer>();
    const fronts = new Map<CacheTtl, Front>();
    const cleanUps: (() => unknown)[] = [];
    for (const ttl of grid.caches) {
      const server = await DnsServer.start({ shuffle: true, denialTtl: ZONE_TTL });
      servers.set(ttl, server);
      if (ttl === 0 || cache === 'model') {
        server.cache(ttl);
        fronts.set(ttl, server);
      } else {
        // It is ready when it answers for these.
        for (const zone of ZONES) server.set(`${MARKER}.${zone}`, ['10.255.0.0']);
        fronts.set(ttl, await RealDnsServer.start((end) => cleanUps.unshift(end), corednsCache(server.port, ttl)));
      }
    }
    const api = await FakeApiServer.start();
    return new Service(plans, range, { lasting, ending, aged }, { servers, fronts, cleanUps, api }, grid.graceMs);
  }

  get plans(): Readonly<Partial<Record<ServiceName, PlannedService>>> {
    return this.#plans;
  }

  private constructor(
    plans: Service['plans'],
    range: LoopbackRange,
    clusters: Readonly<Record<FleetName, BenchCluster>>,
    dns: {
      readonly servers: ReadonlyMap<CacheTtl, DnsServer>;
      readonly fronts: ReadonlyMap<CacheTtl, Front>;
      readonly cleanUps: readonly (() => unknown)[];
      readonly api: FakeApiServer;
    },
    graceMs: number,
  ) {
    this.#plans = plans;
    this.#range = range;
    this.#clusters = clusters;
    this.#servers = dns.servers;
    this.#fronts = dns.fronts;
    this.#cleanUps = dns.cleanUps;
    this.#api = dns.api;
    this.#graceMs = graceMs;
    for (const service of this.#names) {
      const { plan } = plans[service] as PlannedService;
      this.#inDns.set(
        service,
        Array.from({ length: plan.pods }, (_, index) => index),
      );
      this.#publishInDns(service);
      this.#publishSlice(service);
    }
    this.#neighbours = setInterval(() => this.#askAsNeighbour(), NEIGHBOUR_GAP_MS);
  }

  /** `alias`: a name of its own for the client that asks, with the same addresses. */
  where(service: ServiceName, cacheTtl: CacheTtl, fleet: FleetName, alias?: string): Where {
    const host = alias === undefined ? nameOf(service) : `${alias}.${nameOf(service)}`;
    if (alias !== undefined && !this.#aliases.has(host)) {
      this.#aliases.set(host, { service, cacheTtl });
      this.#publishInDns(service);
    }
    return { dns: this.#front(cacheTtl).address, target: `${host}:${this.#clusters[fleet].port}`, api: this.#api.url };
  }

  /** Queries for the name of a target, so far. */
  asked(target: string): number {
    return this.#server(0).asked(target.slice(0, target.lastIndexOf(':')));
  }

  /** Where a client asks for a name that does not exist yet. Another client asks at once, so that the cache denies it. */
  absent(host: string, cacheTtl: CacheTtl): { dns: string; target: string } {
    const front = this.#front(cacheTtl);
    this.#askAsOther(host, front);
    return { dns: front.address, target: `${host}:${this.#clusters.lasting.port}` };
  }

  /** The name gets its record, of one pod. Returns when: `machineMs()`. */
  appear(host: string, cacheTtl: CacheTtl): number {
    const [pod] = this.#clusters.lasting.pods;
    if (!pod) throw new Error('there are no pods');
    this.#server(cacheTtl).set(host, [pod.ip], { ttl: ZONE_TTL });
    return machineMs();
  }

  podsNow(service: ServiceName): number {
    return this.#inDns.get(service)?.length ?? 0;
  }

  /** Lets all events happen at their times, counted from now. */
  async play(onEvent: (done: number, of: number) => void): Promise<void> {
    const all = this.#names
      .flatMap((service) => (this.#plans[service]?.events ?? []).map((event) => ({ service, event })))
      .sort((a, b) => a.event.atMs - b.event.atMs);
    const startedAt = machineMs();
    for (const [index, { service, event }] of all.entries()) {
      await sleep(Math.max(0, startedAt + event.atMs - machineMs()));
      this.#happen(service, event);
      onEvent(index + 1, all.length);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#neighbours);
    this.#socket.close();
    await Promise.allSettled(this.#stopping);
    for (const cleanUp of this.#cleanUps) await cleanUp();
    await Promise.all([
      this.#api.close(),
      ...Object.values(this.#clusters).map((cluster) => cluster.close()),
      ...[...this.#servers.values()].map((server) => server.close()),
    ]);
    await this.#range.release();
  }

  #happen(service: ServiceName, { kind, pod }: ScaleEvent): void {
    const pods = this.#inDns.get(service) ?? [];
    this.#inDns.set(service, kind === 'add' ? [...pods, pod] : pods.filter((other) => other !== pod));
    const ip = this.#ip(service, pod);
    this.#publishInDns(service);
    this.published.push({ service, kind, ip, at: machineMs(), pods: this.podsNow(service) });
    // After the time was taken: a watch is told at once, while other names are still to be set in DNS.
    this.#publishSlice(service);
    if (kind === 'remove') this.#stopping.push(this.#endPod(ip));
  }

  /** GOAWAY after the grace, in the cluster whose pods end. */
  async #endPod(ip: string): Promise<void> {
    await sleep(this.#graceMs, undefined, { ref: false });
    const { ending } = this.#clusters;
    const pod = ending.pods.find((pod) => pod.ip === ip);
    if (pod === undefined) return;
    ending.unpublish(pod);
    await pod.stop();
  }

  #publishSlice(service: ServiceName): void {
    this.#api.set(service, {
      namespace: NAMESPACE,
      service,
      endpoints: this.#addresses(service).map((ip) => ({ ip })),
    });
  }

  #publishInDns(service: ServiceName): void {
    const addresses = this.#addresses(service);
    for (const [cacheTtl, server] of this.#servers) {
      server.set(nameOf(service), addresses, { ttl: ZONE_TTL });
      for (const [alias, owner] of this.#aliases)
        if (owner.service === service && owner.cacheTtl === cacheTtl) server.set(alias, addresses, { ttl: ZONE_TTL });
    }
  }

  #addresses(service: ServiceName): string[] {
    return (this.#inDns.get(service) ?? []).map((pod) => this.#ip(service, pod));
  }

  /** The services share the clusters' addresses, one after the other. */
  #ip(service: ServiceName, pod: number): string {
    const { steady } = this.#plans;
    const offset = service === 'waves' && steady ? podsIn(steady.plan, steady.events) : 0;
    return this.#range.ip(offset + pod);
  }

  #askAsNeighbour(): void {
    for (const [cacheTtl, front] of this.#fronts) {
      if (cacheTtl === 0) continue;
      for (const service of this.#names) this.#askAsOther(nameOf(service), front);
      for (const [alias, owner] of this.#aliases) if (owner.cacheTtl === cacheTtl) this.#askAsOther(alias, front);
    }
  }

  #askAsOther(name: string, { address, port }: Front): void {
    const query = packet.encode({ type: 'query', id: 1, questions: [{ type: 'A', name }] });
    this.#socket.send(query, port, address.slice(0, address.lastIndexOf(':')));
  }

  #front(cacheTtl: CacheTtl): Front {
    const front = this.#fronts.get(cacheTtl);
    if (!front) throw new Error(`no DNS server with a cache of ${cacheTtl} s in this run`);
    return front;
  }

  #server(cacheTtl: CacheTtl): DnsServer {
    const server = this.#servers.get(cacheTtl);
    if (!server) throw new Error(`no DNS server with a cache of ${cacheTtl} s in this run`);
    return server;
  }

  get #names(): ServiceName[] {
    return Object.keys(this.#plans) as ServiceName[];
  }
}

/** Pods that run from the start; which of them are in DNS is the Service's decision. */
async function startPods(range: LoopbackRange, pods: number, processes: number, pod: PodOptions = {}) {
  const cluster = new Cluster(await SharedProcesses.create({ suite: 'bench', range, processes }), { pod });
  await cluster.scaleUp(pods);
  return cluster;
}

function nameOf(service: ServiceName): string {
  return `${service}.${NAMESPACE}.svc.cluster.local`;
}
