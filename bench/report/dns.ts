/** Charts of the question of polls: what one costs, and how many a process sends. */

import * as Plot from '@observablehq/plot';
import { count, duration, significant } from '../../test/support/number-format.js';
import { type DnsCell, dns } from '../dns.js';
import type { Result } from '../harness/result.js';
import { chart, type Figure, facetNames, OURS } from './chart.js';
import type { Section } from './page.js';

/** `1, 10 and 100`. */
const SERIES = new Intl.ListFormat('en-GB');

export function dnsSection(result: Result<DnsCell>): Section {
  return {
    title: 'What does a poll cost?',
    answer: answer(result.cells),
    figures: [polls(result.cells)],
    table: dns.show(result),
  };
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

function polls(cells: readonly DnsCell[]): Figure {
  const rows = cells.flatMap((cell) => {
    if (cell.kind !== 'poll') return [];
    const { resolver, records } = cell;
    const bar = { resolver, records: `${records} records`, bar: `${records} ${resolver}` };
    return [
      { figure: 'CPU of one poll', ...bar, us: cell.cpuUs },
      { figure: 'median latency', ...bar, us: cell.p50Ms * 1_000 },
    ];
  });
  const facets = [...new Set(rows.map(({ figure }) => figure))];
  return {
    title: 'One poll: ours and c-ares',
    caption:
      'Ours opens a fresh UDP socket for each question, with an unpredictable port and id, and reads the answer in ' +
      'JavaScript; c-ares is C, behind dns.resolve4. 300 records come over TCP.',
    svg: chart({
      height: 320,
      fx: { domain: facets, axis: null },
      // In the order of the cells; Plot's own would be the alphabet's.
      x: { label: null, axis: null, domain: [...new Set(rows.map(({ bar }) => bar))] },
      y: { label: '↑ µs', grid: true, domain: [0, 1.15 * Math.max(...rows.map(({ us }) => us))] },
      color: { domain: ['ours', 'dns.resolve4'], range: [OURS, '#8c8c8c'], legend: true },
      marks: [
        facetNames(facets),
        Plot.barY(rows, { fx: 'figure', x: 'bar', y: 'us', fill: 'resolver' }),
        Plot.text(rows, {
          fx: 'figure',
          x: 'bar',
          y: 'us',
          text: (row: { us: number; records: string }) => `${row.records}\n${duration(row.us / 1_000)}`,
          dy: -16,
        }),
      ],
    }),
  };
}
