/**
 * What is compared: settings × caches, and the baselines; and the delays that arithmetic predicts.
 *
 * Cells for the pure interval have `burstMs: 0`: with pods coming and going every few seconds a client in its default
 * settings would poll in bursts nearly always, at `minIntervalMs`, and its interval would not show. The default
 * settings are measured on waves with long rests between (see scaling.ts), where bursts begin and end.
 */
import type { RefreshSettings } from '../../lib/discovery/schedule.js';
import type { Mode } from '../harness/options.js';
import type { ScalePlan } from './scaling.js';

/** 0: none. In seconds, as DNS has it. */
export type CacheTtl = 0 | 5 | 30;

/**
 * Three clusters on the same addresses, so that one scale event is one for all; each has its port.
 * - `lasting`: a pod that left DNS serves on for the whole run, so no connection ever breaks.
 * - `ending`: it says GOAWAY some seconds after it left, as Kubernetes has it.
 * - `aged`: lasting, and every connection is closed at a maximum age.
 */
export type FleetName = 'lasting' | 'ending' | 'aged';

export type ServiceName = 'steady' | 'waves';

export type Client =
  | { readonly kind: 'headless'; readonly refresh: RefreshSettings }
  /** Ours, by a watch of EndpointSlices. */
  | { readonly kind: 'watch' }
  | {
      readonly kind: 'grpc-js';
      /** `grpc.dns_min_time_between_resolutions_ms`. */
      readonly dnsFloorMs: number;
    }
  /** grpc-js without a balancer of its own, and HAProxy beside it, which asks DNS each second (its default). */
  | { readonly kind: 'haproxy' }
  /** grpc-go, by kuberesolver's watch of EndpointSlices. */
  | { readonly kind: 'kuberesolver' };

/** What is compared with ours. It tells nothing of what it sees. */
export function isBaseline({ kind }: Client): boolean {
  return kind === 'kuberesolver' || isCountedByDns({ kind });
}

/** Asks DNS, and does not count how often. */
export function isCountedByDns({ kind }: Pick<Client, 'kind'>): boolean {
  return kind === 'grpc-js' || kind === 'haproxy';
}

/** Programs beside Node.js that can be measured: those that are there. */
export interface Rivals {
  readonly proxy?: boolean;
  readonly kuberesolver?: boolean;
}

export interface CellPlan {
  readonly id: string;
  /** What stands in the table. */
  readonly label: string;
  /** Cells of one group share a client process. */
  readonly group: string;
  readonly client: Client;
  readonly cacheTtl: CacheTtl;
  readonly fleet: FleetName;
  readonly service: ServiceName;
}

export interface Grid {
  readonly cells: readonly CellPlan[];
  readonly caches: readonly CacheTtl[];
  readonly steady: ScalePlan;
  /** Null where no cell is measured on it. */
  readonly waves: ScalePlan | null;
  /** After the last event, until the slowest client has heard of it. */
  readonly tailMs: number;
  readonly maxConnectionAgeMs: number;
  /** From leaving DNS to GOAWAY, in the `ending` cluster. */
  readonly graceMs: number;
  /** CPU a poll: pairs of measurements, and how long each half takes. */
  readonly cost: { readonly pairs: number; readonly ms: number };
  readonly coldStarts: ColdStartPlan;
}

/** Clients that start behind a cache which denies the name, and the record that is published after that. */
export interface ColdStartPlan {
  /** Of each rule. */
  readonly trials: number;
  readonly cacheTtl: CacheTtl;
  readonly refresh: Omit<RefreshSettings, 'ttl'>;
}

const JITTER = 0.1;
const MIN_INTERVAL_MS = 1_000;
const DEFAULTS: RefreshSettings = {
  intervalMs: 5_000,
  jitter: JITTER,
  minIntervalMs: MIN_INTERVAL_MS,
  burstMs: 30_000,
  ttl: 'phased',
};
/** grpc-js's own default; the other value is in its favour. */
const GRPC_DNS_FLOOR_MS = 30_000;

interface Size {
  readonly intervals: readonly number[];
  readonly adaptive: readonly number[];
  readonly phased: readonly number[];
  readonly caches: readonly CacheTtl[];
  readonly pods: number;
  readonly gapMs: number;
  readonly durationMs: number;
  readonly waves: boolean;
  readonly maxConnectionAgeMs: number;
  readonly cost: Grid['cost'];
  readonly coldStarts: number;
}

const SIZES: Readonly<Record<Mode, Size>> = {
  short: {
    intervals: [0.5, 1, 2, 5],
    adaptive: [5],
    phased: [5],
    caches: [0, 5],
    pods: 6,
    gapMs: 1_600,
    durationMs: 50_000,
    waves: false,
    maxConnectionAgeMs: 10_000,
    cost: { pairs: 2, ms: 1_500 },
    coldStarts: 6,
  },
  default: {
    intervals: [0.5, 1, 2, 5, 10, 30],
    adaptive: [5, 30],
    phased: [5, 30],
    caches: [0, 5, 30],
    pods: 8,
    gapMs: 5_000,
    durationMs: 345_000,
    waves: true,
    maxConnectionAgeMs: 30_000,
    cost: { pairs: 4, ms: 2_000 },
    coldStarts: 20,
  },
  full: {
    intervals: [0.5, 1, 2, 5, 10, 30],
    adaptive: [0.5, 1, 2, 5, 10, 30],
    phased: [0.5, 1, 2, 5, 10, 30],
    caches: [0, 5, 30],
    pods: 8,
    gapMs: 5_000,
    durationMs: 2_350_000,
    waves: true,
    maxConnectionAgeMs: 30_000,
    cost: { pairs: 10, ms: 3_000 },
    coldStarts: 40,
  },
};

export function gridFor(mode: Mode, { proxy = false, kuberesolver = false }: Rivals = {}): Grid {
  const size = SIZES[mode];
  const { caches, durationMs } = size;
  const cells: CellPlan[] = [];
  const add = (cell: Omit<CellPlan, 'id'>): void =>
    void cells.push({ ...cell, id: `${cell.label} | ${cell.cacheTtl} | ${cell.fleet}` });
  const intervalSettings = [
    ...size.intervals.map((seconds) => ({ seconds, ttl: 'ignore' as const, label: `${seconds} s` })),
    ...size.adaptive.map((seconds) => ({ seconds, ttl: 'adaptive' as const, label: `adaptive ${seconds} s` })),
    ...size.phased.map((seconds) => ({ seconds, ttl: 'phased' as const, label: `phased ${seconds} s` })),
  ];
  for (const { seconds, ttl, label } of intervalSettings) {
    const refresh: RefreshSettings = { ...DEFAULTS, intervalMs: seconds * 1000, burstMs: 0, ttl };
    for (const cacheTtl of caches)
      add({
        label,
        group: label,
        client: { kind: 'headless', refresh },
        cacheTtl,
        fleet: 'lasting',
        service: 'steady',
      });
  }
  const ours: Client = { kind: 'headless', refresh: DEFAULTS };
  if (size.waves)
    for (const cacheTtl of caches)
      add({
        label: 'defaults, in waves',
        group: 'defaults',
        client: ours,
        cacheTtl,
        fleet: 'lasting',
        service: 'waves',
      });
  const uncached = { cacheTtl: 0, service: 'steady' } as const;
  add({ label: 'defaults, pods end', group: 'defaults', client: ours, fleet: 'ending', ...uncached });
  // The limit of all polling: the API tells of each change.
  add({ label: 'watch', group: 'watch', client: { kind: 'watch' }, fleet: 'lasting', ...uncached });
  if (kuberesolver)
    add({
      label: 'kuberesolver (grpc-go)',
      group: 'kuberesolver',
      client: { kind: 'kuberesolver' },
      fleet: 'lasting',
      ...uncached,
    });
  const plain = (dnsFloorMs: number): Client => ({ kind: 'grpc-js', dnsFloorMs });
  const age = `max age ${size.maxConnectionAgeMs / 1000} s`;
  const baselines: [label: string, client: Client, fleet: FleetName][] = [
    ['grpc-js', plain(MIN_INTERVAL_MS), 'lasting'],
    ['grpc-js, pods end', plain(MIN_INTERVAL_MS), 'ending'],
    [`grpc-js, ${age}`, plain(MIN_INTERVAL_MS), 'aged'],
    [`grpc-js, ${age}, DNS floor 30 s`, plain(GRPC_DNS_FLOOR_MS), 'aged'],
  ];
  for (const [label, client, fleet] of baselines) add({ label, group: 'grpc-js', client, fleet, ...uncached });
  if (proxy) {
    const haproxy = { client: { kind: 'haproxy' }, group: 'HAProxy', ...uncached } as const;
    add({ label: 'HAProxy', fleet: 'lasting', ...haproxy });
    add({ label: 'HAProxy, pods end', fleet: 'ending', ...haproxy });
  }
  const slowest = Math.max(...cells.map((cell) => theory(cell)?.maxMs ?? 0));
  return {
    cells,
    caches,
    steady: { kind: 'steady', pods: size.pods, gapMs: size.gapMs, durationMs },
    waves: size.waves ? { kind: 'waves', pods: 4, size: 5, gapMs: 2_500, restMs: 60_000, durationMs } : null,
    tailMs: slowest + 2_000,
    maxConnectionAgeMs: size.maxConnectionAgeMs,
    graceMs: 10_000,
    cost: size.cost,
    coldStarts: { trials: size.coldStarts, cacheTtl: Math.max(...caches) as CacheTtl, refresh: DEFAULTS },
  };
}

/**
 * The rules beside each other behind one cache: few cells and events close together, so that the run is short and the
 * machine has little to do.
 */
export function cacheGridFor(mode: Mode, cacheTtl: CacheTtl): Grid {
  const whole = gridFor('default');
  const cells = whole.cells.filter((cell) => {
    if (cell.client.kind !== 'headless' || cell.cacheTtl !== cacheTtl || cell.service !== 'steady') return false;
    const { intervalMs, ttl } = cell.client.refresh;
    return intervalMs === DEFAULTS.intervalMs || ttl !== 'ignore';
  });
  const slowest = Math.max(...cells.map((cell) => theory(cell)?.maxMs ?? 0));
  return {
    ...whole,
    cells,
    // The CPU of a poll is measured without a cache.
    caches: [0, cacheTtl],
    steady: { kind: 'steady', pods: 6, gapMs: 2_500, durationMs: CACHE_DURATION_MS[mode] },
    waves: null,
    tailMs: slowest + 2_000,
    cost: { pairs: 2, ms: 1_500 },
    coldStarts: { ...whole.coldStarts, cacheTtl, trials: SIZES[mode].coldStarts },
  };
}

const CACHE_DURATION_MS: Readonly<Record<Mode, number>> = { short: 90_000, default: 180_000, full: 900_000 };

export interface Theory {
  readonly meanMs: number;
  readonly maxMs: number;
}

/**
 * From a change of DNS to its being seen. A wait is the interval times 1 to 1 + jitter; an event falls into a long
 * wait more often than into a short one, hence E[wait²] / 2 E[wait] (the mean residual life of renewal theory).
 * Before that, a cache that others keep busy holds an old answer for up to its TTL. `phased`: the cache's four entries
 * expire evenly spread. Null where bursts or broken connections have a say.
 */
export function theory({ client, cacheTtl, fleet, service }: CellPlan): Theory | null {
  if (client.kind !== 'headless' || fleet !== 'lasting' || service !== 'steady') return null;
  const { intervalMs, jitter, ttl } = client.refresh;
  const ttlMs = cacheTtl * 1000;
  if (ttl === 'phased' && ttlMs > 0) return { meanMs: ttlMs / 8, maxMs: ttlMs / 4 };
  if (ttl === 'adaptive' && ttlMs > 0) return { meanMs: ttlMs / 2, maxMs: ttlMs };
  const residualMs = (intervalMs * (1 + jitter + jitter ** 2 / 3)) / (2 + jitter);
  return { meanMs: residualMs + ttlMs / 2, maxMs: intervalMs * (1 + jitter) + ttlMs };
}

/** What `phased` is to reach behind a cache; null for all else. */
export function goal({ client, cacheTtl }: CellPlan): Theory | null {
  if (client.kind !== 'headless' || client.refresh.ttl !== 'phased' || cacheTtl === 0) return null;
  return { meanMs: (cacheTtl * 1000) / 6, maxMs: (cacheTtl * 1000) / 3 };
}
