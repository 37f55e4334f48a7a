/** The result on a terminal. Every figure comes from the result. */
import { count, counted, duration, percent, significant } from '../../test/support/number-format.js';
import { formatTable } from '../harness/table.js';
import type { CellResult, CostResult, Stage } from './analysis.js';
import type { ColdStart } from './cold-start.js';
import type { ColdStartPlan } from './grid.js';
import type { CacheProgram } from './service.js';
import type { SharedCell } from './sharing.js';

export interface IntervalsParameters {
  readonly callsPerSecond: number;
  readonly maxConnectionAgeMs: number;
  readonly graceMs: number;
  readonly cost: CostResult;
  /** Of what follows, results of older runs have nothing. */
  readonly cacheProgram?: CacheProgram;
  readonly coldStartPlan?: ColdStartPlan;
  readonly coldStarts?: readonly ColdStart[];
  /** Empty where it was not simulated. */
  readonly sharing?: readonly SharedCell[];
}

type Row = CellResult | null;

export function showIntervals(cells: readonly CellResult[], parameters: IntervalsParameters): string {
  const { callsPerSecond, cacheProgram = 'model', coldStartPlan, coldStarts = [], graceMs, sharing = [] } = parameters;
  const rows = spaced(cells);
  const label = { head: 'setting', align: 'left', cell: ({ plan }: CellResult) => plan.label } as const;
  const cache = { head: 'DNS\ncache', cell: ({ plan }: CellResult) => (plan.cacheTtl ? `${plan.cacheTtl} s` : 'none') };
  const times = formatTable(
    [
      label,
      cache,
      { head: 'events', cell: ({ adds, removes }) => count(adds + removes) },
      { head: 'seen\nmean', cell: ({ seen }) => duration(seen.summary?.mean) },
      { head: 'theory\nmean', cell: ({ theory }) => duration(theory?.meanMs) },
      { head: 'seen\nmax', cell: ({ seen }) => duration(seen.summary?.max) },
      { head: 'theory\nmax', cell: ({ theory }) => duration(theory?.maxMs) },
      { head: 'connected\nmean', cell: ({ connected }) => duration(connected.summary?.mean) },
      { head: 'first call\nmedian', cell: ({ firstCall }) => medianOf(firstCall) },
      { head: 'never\ncalled', cell: ({ firstCall }) => count(firstCall.never) },
      { head: 'fair share\nfrom', cell: ({ fairShareMs }) => (fairShareMs === null ? 'never' : duration(fairShareMs)) },
      { head: 'last call\nmedian', cell: ({ lastCall }) => medianOf(lastCall) },
      {
        head: 'last call\nmax',
        cell: ({ lastCall }) => duration(lastCall.never > 0 ? Infinity : lastCall.summary?.max),
      },
    ],
    rows,
  );
  const costs = formatTable(
    [
      label,
      cache,
      { head: 'DNS queries\na minute', cell: ({ queriesPerMinute }) => count(queriesPerMinute) },
      { head: 'CPU of polling,\nof one core', cell: ({ pollingCpuShare }) => percent(pollingCpuShare) },
      { head: 'event-loop delay\np99', cell: ({ eventLoopDelayP99Ms }) => duration(eventLoopDelayP99Ms) },
      { head: 'calls', cell: ({ calls }) => count(calls) },
      { head: 'call\np99', cell: ({ callP99Ms }) => duration(callP99Ms) },
      { head: 'failed', align: 'left', cell: ({ failedByStatus }) => failures(failedByStatus) },
    ],
    rows,
  );
  const compared = cells.filter((cell) => cell.simulated !== null);
  return [
    'From the change of DNS until a client acts on it',
    '',
    times,
    '',
    `"first call" and "fair share" are at ${callsPerSecond} calls/s a client; "pods end": ${duration(graceMs)} after leaving DNS.`,
    '',
    `Behind a cache (${cacheName(cacheProgram)}), beside the goals of "phased": a mean of T/6 and at most T/3`,
    '',
    behindCaches(cells),
    '',
    ...(coldStartPlan
      ? [
          `Cold starts behind a denial that the cache keeps for up to ${coldStartPlan.cacheTtl} s: from the record to the first call`,
          '',
          coldStartTable(coldStarts),
          '',
        ]
      : []),
    'What that costs',
    '',
    costs,
    ...(sharing.length > 0
      ? ['', 'Simulated: clients in their default settings that share one cache', '', sharingTable(sharing)]
      : []),
    ...(compared.length > 0
      ? [
          '',
          'Real cells beside simulated ones: from the change of DNS to its being seen',
          '',
          simulated(compared),
          '',
          agreementText(compared),
        ]
      : []),
  ].join('\n');
}

/** What the column of the polls' CPU is reckoned with. */
export function pollCostText({ perPollUs, interval, pods }: CostResult): string {
  const { low, high } = interval;
  return (
    `One poll costs ${significant(perPollUs)} µs of CPU (95 %: ${significant(low)} to ${significant(high)}) ` +
    `with ${counted(pods, 'pod')} in the answer.`
  );
}

export function cacheName(program: CacheProgram): string {
  return program === 'CoreDNS' ? 'CoreDNS with its cache plugin' : 'a model of CoreDNS, which is missing here';
}

/** Those without bursts: behind each cache the rules beside each other. */
function behindCaches(cells: readonly CellResult[]): string {
  const rows = cells
    .filter(({ plan, theory }) => plan.cacheTtl > 0 && theory !== null)
    .sort((a, b) => a.plan.cacheTtl - b.plan.cacheTtl);
  return formatTable(
    [
      { head: 'DNS\ncache', cell: ({ plan }) => `${plan.cacheTtl} s` },
      { head: 'setting', align: 'left', cell: ({ plan }) => plan.label },
      { head: 'seen\nmean', cell: ({ seen }) => duration(seen.summary?.mean) },
      { head: 'goal', cell: ({ goal }) => (goal ? duration(goal.meanMs) : '') },
      { head: 'seen\nmax', cell: ({ seen }) => duration(seen.summary?.max) },
      { head: 'goal', cell: ({ goal }) => (goal ? duration(goal.maxMs) : '') },
      { head: 'queries\na minute', cell: ({ queriesPerMinute }) => count(queriesPerMinute) },
    ],
    rows.flatMap((row, index): Row[] => {
      const before = rows[index - 1];
      return before && before.plan.cacheTtl !== row.plan.cacheTtl ? [null, row] : [row];
    }),
  );
}

function coldStartTable(coldStarts: readonly ColdStart[]): string {
  return formatTable<ColdStart>(
    [
      { head: 'ttl', align: 'left', cell: ({ rule }) => rule },
      { head: 'starts', cell: ({ trials }) => count(trials) },
      { head: 'mean', cell: ({ meanMs }) => duration(meanMs) },
      { head: 'max', cell: ({ maxMs, never }) => (never > 0 ? 'never' : duration(maxMs)) },
      { head: 'goal', cell: ({ goalMs }) => (goalMs === null ? '' : duration(goalMs)) },
      { head: 'within', cell: ({ withinGoal }) => (withinGoal === null ? '' : count(withinGoal)) },
    ],
    coldStarts,
  );
}

function sharingTable(sharing: readonly SharedCell[]): string {
  return formatTable<SharedCell>(
    [
      { head: 'clients', cell: ({ clients }) => count(clients) },
      { head: 'ttl', align: 'left', cell: ({ rule }) => rule },
      { head: 'cache', cell: ({ cacheTtl }) => `${cacheTtl} s` },
      { head: 'seen\nmean', cell: ({ meanMs }) => duration(meanMs) },
      { head: 'seen\nmax', cell: ({ maxMs }) => duration(maxMs) },
      { head: 'queries a minute\nat the cache', cell: ({ queriesPerMinute }) => count(Math.round(queriesPerMinute)) },
      { head: 'of one\nclient', cell: ({ clients, queriesPerMinute }) => significant(queriesPerMinute / clients) },
    ],
    sharing.flatMap((row, index): (SharedCell | null)[] =>
      index > 0 && sharing[index - 1]?.clients !== row.clients ? [null, row] : [row],
    ),
  );
}

function simulated(cells: readonly CellResult[]): string {
  return formatTable(
    [
      { head: 'setting', align: 'left', cell: ({ plan }) => plan.label },
      { head: 'DNS\ncache', cell: ({ plan }) => (plan.cacheTtl ? `${plan.cacheTtl} s` : 'none') },
      { head: 'real\nevents', cell: ({ seen }) => count(seen.summary?.count) },
      { head: 'simulated\nevents', cell: (cell) => count(cell.simulated?.events) },
      { head: 'real\nmean', cell: ({ seen }) => duration(seen.summary?.mean) },
      { head: 'simulated\nmean', cell: (cell) => duration(cell.simulated?.summary.mean) },
      { head: 'theory\nmean', cell: ({ theory }) => duration(theory?.meanMs) },
      { head: 'may\ndiffer by', cell: ({ agreement }) => duration(agreement?.toleranceMs) },
      { head: 'real\np90', cell: ({ seen }) => duration(seen.summary?.p90) },
      { head: 'simulated\np90', cell: (cell) => duration(cell.simulated?.summary.p90) },
      { head: 'KS', cell: ({ agreement }) => significant(agreement?.ks ?? Number.NaN) },
      { head: 'limit', cell: ({ agreement }) => significant(agreement?.ksLimit ?? Number.NaN) },
      { head: '', align: 'left', cell: ({ agreement }) => (agreement?.agrees ? 'agrees' : 'DISAGREES') },
    ],
    spaced(cells),
  );
}

export function agreementText(cells: readonly CellResult[]): string {
  const apart = disagreeing(cells);
  if (apart.length === 0) return `Simulated and real agree in all ${cells.length} cells.`;
  const names = apart.map(({ plan }) => `${plan.label} (cache: ${plan.cacheTtl ? `${plan.cacheTtl} s` : 'none'})`);
  return `Simulated and real disagree in ${apart.length} of ${cells.length} cells: ${names.join('; ')}.`;
}

export function disagreeing(cells: readonly CellResult[]): CellResult[] {
  return cells.filter(({ agreement }) => agreement !== null && !agreement.agrees);
}

/** Of all, those included that never came. */
function medianOf({ summary, never }: Stage): string {
  const happened = summary?.count ?? 0;
  // Those that never came are slower than all others: they move the median, or are it.
  return never > 0 && never >= happened ? 'never' : duration(summary?.p50);
}

function failures(byStatus: Readonly<Record<string, number>>): string {
  const kinds = Object.entries(byStatus);
  return kinds.length === 0 ? '0' : kinds.map(([name, calls]) => `${name} ${count(calls)}`).join(', ');
}

/** An empty line before each setting that is measured behind several caches, and before the baselines. */
function spaced(cells: readonly CellResult[]): Row[] {
  return cells.flatMap((cell, index): Row[] => {
    const before = cells[index - 1]?.plan;
    return before && before.group !== cell.plan.group ? [null, cell] : [cell];
  });
}
