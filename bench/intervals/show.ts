/** The result on a terminal. Every figure comes from the result. */
import { count, duration, percent, significant } from '../../test/support/number-format.js';
import { formatTable } from '../harness/table.js';
import type { CellResult, CostResult, Stage } from './analysis.js';

export interface IntervalsParameters {
  readonly callsPerSecond: number;
  readonly maxConnectionAgeMs: number;
  readonly graceMs: number;
  readonly cost: CostResult;
}

type Row = CellResult | null;

export function showIntervals(cells: readonly CellResult[], parameters: IntervalsParameters): string {
  const { callsPerSecond, cost, graceMs } = parameters;
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
    'What that costs',
    '',
    costs,
    '',
    `One poll costs ${significant(cost.perPollUs)} µs of CPU (95 %: ${significant(cost.interval.low)} to ${significant(cost.interval.high)}) ` +
      `with ${cost.pods} pods in the answer.`,
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
