/** The figures of the simulated fleets as tables, and the limits that they must keep. */
import { count, duration, percent, ratio } from '../../test/support/number-format.js';
import { formatTable } from '../harness/table.js';
import { type FleetPlan, PLAIN } from './grid.js';
import { DESCRIPTIONS } from './scenarios.js';
import type { FleetFigures } from './simulation.js';

export type FleetCell = Omit<FleetPlan, 'kind'> &
  Omit<FleetFigures, 'queriesPerSecond'> &
  Partial<Pick<FleetFigures, 'queriesPerSecond'>> & {
    /** The kind's label. */
    readonly client: string;
  };

/**
 * When DNS restarts, no second may have more than so many times the mean queries of a calm one. Behind a cache the limit
 * is not promised: its entries expire at one moment for all clients, and a calm client asks seldom.
 */
export const MAX_OUTAGE_RATIO = 3;
/** Fewer would not survive the loss of a node, whatever the load. */
const LEAST_REPLICAS = 2;

export function showFleet(cells: readonly FleetCell[], replicaQps: number): string {
  return `${figures(cells)}\n\n${descriptions(cells)}\n\n${sizing(cells, replicaQps)}`;
}

/** One sentence for each limit that is not kept. The baseline has none. */
export function brokenLimits(cells: readonly FleetCell[]): string[] {
  return cells
    .filter(({ client, scenario, cacheTtl }) => client !== PLAIN && scenario === 'restart' && cacheTtl === 0)
    .filter(({ worst, calmMean }) => worst > MAX_OUTAGE_RATIO * calmMean)
    .map(
      ({ scenario, clients, cacheTtl, client, worst, worstAnswered, calmMean }) =>
        `${scenario}, ${count(clients)} clients (${client}), ${cacheName(cacheTtl)}: the worst second has ` +
        `${ratio(worst / calmMean)} of the mean queries (${ratio(worstAnswered / calmMean)} once DNS answers again), ` +
        `and the limit is ${ratio(MAX_OUTAGE_RATIO)}.`,
    );
}

/** What a cluster's DNS needs for so many clients, without a cache. */
export interface Sizing {
  readonly clients: number;
  readonly client: string;
  /** While nothing happens. */
  readonly meanQps: number;
  /** Of all scenarios. */
  readonly worstQps: number;
  readonly replicas: number;
  /** Share of those replicas' capacity that the worst second takes. */
  readonly worstShare: number;
}

export function sizingOf(cells: readonly FleetCell[], replicaQps: number): Sizing[] {
  const uncached = cells.filter(({ cacheTtl }) => cacheTtl === 0);
  const keys = [...new Set(uncached.map(keyOf))];
  return keys.flatMap((key) => {
    const group = uncached.filter((cell) => keyOf(cell) === key);
    const [first] = group;
    if (first === undefined) return [];
    // Under loss the mean has repeated queries, so it is taken from a scenario without.
    const { calmMean: meanQps } = group.find(({ scenario }) => scenario === 'rollout') ?? first;
    const worstQps = Math.max(...group.map(({ worst }) => worst));
    const replicas = Math.max(LEAST_REPLICAS, Math.ceil(worstQps / replicaQps));
    const worstShare = worstQps / (replicas * replicaQps);
    return [{ clients: first.clients, client: first.client, meanQps, worstQps, replicas, worstShare }];
  });
}

function figures(cells: readonly FleetCell[]): string {
  const rows = cells.flatMap((cell, index) => {
    const before = cells[index - 1];
    const sameGroup = before?.scenario === cell.scenario && before.clients === cell.clients;
    return before === undefined || sameGroup ? [cell] : [null, cell];
  });
  return formatTable<FleetCell>(
    [
      { head: 'clients', cell: ({ clients }) => count(clients) },
      { head: 'pods', cell: ({ pods }) => count(pods) },
      { head: 'DNS', align: 'left', cell: ({ replicas, cacheTtl }) => `${replicas}, ${cacheName(cacheTtl)}` },
      { head: 'event', align: 'left', cell: ({ scenario }) => scenario },
      { head: 'client', align: 'left', cell: ({ client }) => client },
      { head: 'queries/s\nmean', cell: ({ calmMean }) => count(Math.round(calmMean)) },
      { head: 'worst second\nbefore', cell: ({ calmWorst, calmMean }) => ratio(calmWorst / calmMean) },
      { head: 'from the\nevent on', cell: ({ worst, calmMean }) => ratio(worst / calmMean) },
      { head: 'while DNS\nanswers', cell: ({ worstAnswered, calmMean }) => ratio(worstAnswered / calmMean) },
      { head: 'when all\nis over', cell: ({ settledWorst, calmMean }) => ratio(settledWorst / calmMean) },
      { head: 'age of news\nmean', cell: ({ news }) => duration(news?.meanMs) },
      { head: '\np99', cell: ({ news }) => duration(news?.p99Ms) },
      { head: '\nworst', cell: ({ news }) => duration(news?.maxMs) },
      { head: 'last client\nhas the news', cell: ({ news, lastBackMs }) => duration(news?.lastKnowsMs ?? lastBackMs) },
      { head: 'times\ntaken back', cell: ({ news }) => count(news?.takenBack) },
    ],
    rows,
  );
}

function descriptions(cells: readonly FleetCell[]): string {
  return [...new Set(cells.map(({ scenario }) => scenario))]
    .map((scenario) => `${scenario}: ${DESCRIPTIONS[scenario]}`)
    .join('\n');
}

function sizing(cells: readonly FleetCell[], replicaQps: number): string {
  const table = formatTable<Sizing>(
    [
      { head: 'clients', cell: ({ clients }) => count(clients) },
      { head: 'client', align: 'left', cell: ({ client }) => client },
      { head: 'queries/s\nmean', cell: ({ meanQps }) => count(Math.round(meanQps)) },
      { head: 'worst\nsecond', cell: ({ worstQps }) => count(worstQps) },
      { head: 'DNS\nreplicas', cell: ({ replicas }) => count(replicas) },
      { head: 'their load in the\nworst second', cell: ({ worstShare }) => percent(worstShare) },
    ],
    sizingOf(cells, replicaQps),
  );
  return `Without a cache, at ${count(replicaQps)} queries a second for one replica:\n\n${table}`;
}

function keyOf({ clients, client }: FleetCell): string {
  return `${clients} ${client}`;
}

function cacheName(cacheTtl: number): string {
  return cacheTtl === 0 ? 'no cache' : `cache ${cacheTtl} s`;
}
