/** Charts of the question of polls: what one costs, and how many a process sends. */

import * as Plot from '@observablehq/plot';
import { resolveOptions } from '../../lib/options.js';
import { count, counted, duration, percent, ratio, significant } from '../../test/support/number-format.js';
import { type DnsCell, dns } from '../dns.js';
import type { Result } from '../harness/result.js';
import type { CostResult } from '../intervals/analysis.js';
import { chart, type Figure, facets, HALO, OURS, scaled } from './chart.js';
import type { Section } from './page.js';

const DEFAULT_INTERVAL_MS = resolveOptions({}).refresh.intervalMs;
/** `1, 10 and 100`. */
const SERIES = new Intl.ListFormat('en-GB');

/** @param cost of one poll in a client, which is measured beside the intervals; null where it was not measured. */
export function dnsSection(result: Result<DnsCell>, cost: CostResult | null): Section {
  return {
    title: 'What does a poll cost?',
    answer: [...(cost ? [costText(cost)] : []), ...answer(result.cells)],
    figures: [polls(result.cells)],
    table: dns.show(result),
  };
}

/** The one figure for a poll's cost. The chart has ratios, because polls in a tight loop are cheaper than a client's. */
function costText({ perPollUs, interval, pods }: CostResult): string {
  const ms = (us: number): string => duration(us / 1_000);
  return (
    `One poll costs ${ms(perPollUs)} of CPU (95 %: ${ms(interval.low)} to ${ms(interval.high)}) with ${counted(pods, 'pod')} in ` +
    'the answer. That is the CPU of a client process that polls, less that of the same process while it does not poll, divided by ' +
    'the number of polls: the timer, the socket, the query, reading the answer, and comparing it with the pods before. ' +
    `At the default interval of ${duration(DEFAULT_INTERVAL_MS)} that makes ${percent((perPollUs * 1e-3) / DEFAULT_INTERVAL_MS)} of one core.`
  );
}

function answer(cells: readonly DnsCell[]): string[] {
  const wires = cells.filter((cell) => cell.kind === 'wire');
  const pool = cells.filter((cell) => cell.kind === 'pool');
  const blocked = (name: string): string => duration(pool.find(({ resolver }) => resolver === name)?.blockedMs);
  const channels = SERIES.format(wires.map((wire) => count(wire.channels)));
  const queries = SERIES.format(wires.map(({ queriesPerMinute }) => count(Math.round(queriesPerMinute))));
  return [
    `Channels to one name share their polls: ${channels} of them send ${queries} queries a minute.`,
    ...cells.flatMap((cell) =>
      cell.kind === 'closing'
        ? [
            `${count(cell.pods)} pods that close connections after ${duration(cell.closeAfterMs)}: ` +
              `${significant(cell.queriesPerMinute)} queries a minute, and ${significant(cell.plainQueriesPerMinute)} where ` +
              'connections last (goal: at most twice as many).',
          ]
        : [],
    ),
    `While other look-ups hold the thread pool, ours takes ${blocked('ours')}, and dns.lookup ${blocked('dns.lookup')}.`,
  ];
}

/** Ours to c-ares, whose CPU and latency are 1. */
function polls(cells: readonly DnsCell[]): Figure {
  const all = cells.filter((cell) => cell.kind === 'poll');
  const rows = all.flatMap(({ resolver, records, cpuRatio, p50Ms }) => {
    const rival = all.find((cell) => cell.resolver !== resolver && cell.records === records);
    if (resolver !== 'ours' || !cpuRatio || !rival) return [];
    const row = `${records} records`;
    return [
      { figure: 'CPU', row, value: cpuRatio.value },
      { figure: 'median latency', row, value: p50Ms / rival.p50Ms },
    ];
  });
  const figures = [...new Set(rows.map(({ figure }) => figure))];
  return {
    title: 'The resolver alone: ours beside c-ares',
    caption:
      'Left of the line ours is cheaper or faster than dns.resolve4, which is c-ares and written in C. Ours opens a fresh ' +
      'UDP socket for each question, with an unpredictable port and id, and reads the answer in JavaScript. 300 records ' +
      'come over TCP.',
    draw(layout) {
      const { options, names, by } = facets(layout, figures, 240);
      return chart(layout, {
        ...options,
        marginLeft: scaled(layout, 90),
        x: {
          label: 'ours / dns.resolve4 →',
          grid: true,
          domain: [0, 1.25 * Math.max(1, ...rows.map(({ value }) => value))],
        },
        y: { label: null, domain: [...new Set(rows.map(({ row }) => row))] },
        color: { domain: ['ours', 'dns.resolve4 = 1'], range: [OURS, '#dd6a3a'], legend: true },
        marks: [
          names,
          Plot.barX(rows, { ...by('figure'), x: 'value', y: 'row', fill: () => 'ours', insetTop: 6, insetBottom: 6 }),
          Plot.ruleX([1], { stroke: '#dd6a3a', strokeWidth: 2 }),
          Plot.text(rows, {
            ...by('figure'),
            ...HALO,
            x: 'value',
            y: 'row',
            text: ({ value }: { value: number }) => ratio(value),
            textAnchor: 'start',
            dx: 8,
          }),
        ],
      });
    },
  };
}
