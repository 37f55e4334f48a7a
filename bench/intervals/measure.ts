/** The real run: pods, DNS servers and clients in processes, scale events at their times, and what everyone saw. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../lib/runtime.js';
import { HaProxy } from '../../test/support/haproxy.js';
import { RpcProcess } from '../../test/support/rpc.js';
import type { Progress, Step } from '../harness/progress.js';
import { sorted } from '../harness/statistics.js';
import type { ClientProgram, ProcessReport } from './client-main.js';
import { machineMs } from './clock.js';
import { type ColdStart, measureColdStarts } from './cold-start.js';
import { type CellPlan, type Grid, isCountedByDns, type ServiceName } from './grid.js';
import type { ClientSettings } from './observer.js';
import { type ScalePlan, scaleEvents } from './scaling.js';
import { type CacheProgram, type PlannedService, type Published, Service } from './service.js';

/** Everything observed, before any arithmetic. */
export interface Observations {
  readonly published: readonly Published[];
  /** By service: pods in DNS when the measurement began. */
  readonly podsAtStart: Readonly<Partial<Record<ServiceName, number>>>;
  readonly beganAt: number;
  readonly endedAt: number;
  /** By group. */
  readonly processes: ReadonlyMap<string, ProcessReport>;
  /** By cell, where the server had to count because the client does not. */
  readonly asked: ReadonlyMap<string, number>;
  readonly cost: Cost;
  readonly coldStarts: readonly ColdStart[];
}

/** CPU a poll: polling 100 times a second against hardly ever, with connected pods and no calls. */
export interface Cost {
  /** Microseconds of CPU, user and system, of each pair. */
  readonly perPollUs: readonly number[];
  readonly pods: number;
}

const STEPS = {
  start: 'intervals: starting pods and clients',
  cost: 'intervals: CPU a poll',
  connect: 'intervals: connecting clients',
  events: 'intervals: scale events',
  tail: 'intervals: cold starts, and the slowest client',
} as const;

const PROGRAM = new URL('./client-main.ts', import.meta.url);
/** Two polls a turn would not be two polls of a real client. */
const FAST_POLL_MS = 10;
const NEVER_MS = 3_600_000;
const SETTLE_MS = 3_000;
/** Places for servers in HAProxy's backend: more than pods are in DNS at a time. */
const PROXY_SERVERS = 40;

export function planOf(grid: Grid): Step[] {
  return [
    { name: STEPS.start, ms: 25_000 },
    { name: STEPS.cost, ms: grid.cost.pairs * (2 * grid.cost.ms + 1_000) },
    { name: STEPS.connect, ms: 8_000 + SETTLE_MS },
    { name: STEPS.events, ms: grid.steady.durationMs },
    { name: STEPS.tail, ms: Math.max(grid.tailMs, 15_000 + 1_000 * grid.coldStarts.cacheTtl) },
  ];
}

export async function measure(
  grid: Grid,
  callsPerSecond: number,
  cache: CacheProgram,
  random: Random,
  progress: Progress,
): Promise<Observations> {
  const planned = (plan: ScalePlan): PlannedService => ({ plan, events: scaleEvents(plan, random) });
  const plans = { steady: planned(grid.steady), ...(grid.waves ? { waves: planned(grid.waves) } : {}) };
  progress.begin(STEPS.start);
  const groups = grouped(grid.cells);
  const children = new Map<string, RpcProcess<ClientProgram>>();
  const proxies: HaProxy[] = [];
  const service = await Service.start(grid, plans, cache);
  const coldStarter = await RpcProcess.start<ClientProgram>(PROGRAM);
  try {
    for (const group of groups.keys()) {
      progress.setNote(`client ${children.size + 1} of ${groups.size}`);
      children.set(
        group,
        // Without it grpc-js asks the operating system's resolver, which does not ask servers on loopback.
        await RpcProcess.start<ClientProgram>(PROGRAM, { env: { GRPC_NODE_USE_ALTERNATIVE_RESOLVER: 'true' } }),
      );
    }
    const [first] = children.values();
    const cost = await measureCost(first as RpcProcess<ClientProgram>, service, grid, progress);

    progress.begin(STEPS.connect);
    const aliases = new Map<string, string>();
    let names = 0;
    const settingsOf = async (cell: CellPlan): Promise<ClientSettings> => {
      const owned = ownsName(cell);
      const alias = owned ? `client-${++names}` : undefined;
      const where = service.where(cell.service, cell.cacheTtl, cell.fleet, alias);
      if (isCountedByDns(cell.client)) aliases.set(cell.id, where.target);
      const settings = { id: cell.id, client: cell.client, callsPerSecond, ...where };
      if (cell.client.kind !== 'haproxy') return settings;
      const proxy = await HaProxy.start({ kind: 'dns', target: where.target, dns: where.dns, most: PROXY_SERVERS });
      proxies.push(proxy);
      return { ...settings, target: proxy.target };
    };
    await Promise.all(
      [...groups].map(async ([group, cells], index) =>
        children.get(group)?.call.connect({
          cells: await Promise.all(cells.map(settingsOf)),
          seed: Math.floor(random() * 2 ** 31) + index,
        }),
      ),
    );
    await Promise.all([...children.values()].map((child) => child.call.call()));
    await sleep(SETTLE_MS);
    await Promise.all([...children.values()].map((child) => child.call.begin()));
    const askedBefore = new Map([...aliases].map(([id, target]) => [id, service.asked(target)]));
    const podsAtStart = { steady: service.podsNow('steady'), waves: service.podsNow('waves') };
    progress.begin(STEPS.events);
    const beganAt = machineMs();
    await service.play((done, of) => progress.setNote(`${done} of ${of}`));
    await sleep(Math.max(0, beganAt + grid.steady.durationMs - machineMs()));
    progress.begin(STEPS.tail);
    // The clients' last events and the cold starts do not disturb each other: the names are others.
    const coldStarts = measureColdStarts(coldStarter, service, grid.coldStarts, random);
    await sleep(grid.tailMs);
    const endedAt = machineMs();
    const asked = new Map([...aliases].map(([id, target]) => [id, service.asked(target) - (askedBefore.get(id) ?? 0)]));
    const finished = [...children].map(async ([group, child]) => [group, await child.call.finish()] as const);
    const processes = new Map<string, ProcessReport>(await Promise.all(finished));
    return {
      published: service.published,
      podsAtStart,
      beganAt,
      endedAt,
      processes,
      asked,
      cost,
      coldStarts: await coldStarts,
    };
  } finally {
    await Promise.all([coldStarter, ...children.values()].map((child) => child.end()));
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await service.close();
  }
}

async function measureCost(
  child: RpcProcess<ClientProgram>,
  service: Service,
  grid: Grid,
  progress: Progress,
): Promise<Cost> {
  progress.begin(STEPS.cost);
  const where = service.where('steady', 0, 'lasting');
  const half = (intervalMs: number) => child.call.cost({ ...where, intervalMs, ms: grid.cost.ms });
  const perPollUs: number[] = [];
  // The first pair pays for compilation, and is not counted.
  for (let pair = 0; pair <= grid.cost.pairs; pair++) {
    const polling = await half(FAST_POLL_MS);
    const resting = await half(NEVER_MS);
    if (pair > 0) perPollUs.push((polling.cpuUs - resting.cpuUs) / polling.polls);
    progress.setNote(`pair ${pair} of ${grid.cost.pairs}`);
  }
  return { perPollUs: sorted(perPollUs), pods: service.podsNow('steady') };
}

/** Queries of clients that do not count are counted by name. The entries that a client of ours reads in turn must not be another cell's, too. */
function ownsName({ client, cacheTtl }: CellPlan): boolean {
  if (client.kind !== 'headless') return isCountedByDns(client);
  return cacheTtl > 0 && client.refresh.ttl === 'phased';
}

function grouped(cells: readonly CellPlan[]): Map<string, CellPlan[]> {
  const groups = new Map<string, CellPlan[]>();
  for (const cell of cells) groups.set(cell.group, [...(groups.get(cell.group) ?? []), cell]);
  return groups;
}
