/** Charts of the question of tails: what one bad pod does to everyone. */

import * as Plot from '@observablehq/plot';
import { duration, percent, ratio } from '../../test/support/number-format.js';
import type { Result } from '../harness/result.js';
import { DESCRIPTIONS } from '../tail/scenarios.js';
import { type TailCell, tail } from '../tail.js';
import { chart, type Figure, facets, logDomain, OURS, shortDuration } from './chart.js';
import type { Section } from './page.js';

/** The colour of each balancer, in the order of the legend. */
const COLOURS: Readonly<Record<string, string>> = {
  'grpc-js round_robin': '#8c8c8c',
  'ours round_robin': '#1a9aaa',
  'ours least_request': OURS,
  'ours least_request, 4 choices': '#35a05a',
  'ours peak_ewma': '#8a63d2',
  'ours peak_ewma, 4 choices': '#c065a8',
  'ours round_robin, slow start': '#b58a14',
  'ours least_request, slow start': '#dd6a3a',
  'ours peak_ewma, slow start': '#d0466b',
};
const BASELINE = 'grpc-js round_robin';

/** Of the balancers that the result has. */
function coloursOf(cells: readonly TailCell[]): { domain: string[]; range: string[]; legend: true } {
  const domain = Object.keys(COLOURS).filter((balancer) => cells.some(({ rival }) => rival === balancer));
  return { domain, range: domain.map((balancer) => COLOURS[balancer] as string), legend: true };
}

export function tailSection(result: Result<TailCell>): Section {
  const { cells } = result;
  return {
    title: 'What does one bad pod do to everyone?',
    answer: cells.flatMap(({ scenario, rival, p99Ms, p99Ratio }) =>
      rival === 'ours least_request' && p99Ratio && scenario !== 'streams'
        ? [
            `Where ${DESCRIPTIONS[scenario]}, least_request has a p99 of ${duration(p99Ms)}: ${ratio(p99Ratio.value)} of ` +
              "that of grpc-js's round_robin.",
          ]
        : [],
    ),
    figures: [percentiles(cells), shares(cells)],
    table: tail.show(result),
  };
}

function percentiles(cells: readonly TailCell[]): Figure {
  const rows = cells.flatMap(({ scenario, rival, p50Ms, p99Ms, p999Ms }) =>
    [
      { at: 'p50', ms: p50Ms },
      { at: 'p99', ms: p99Ms },
      { at: 'p99.9', ms: p999Ms },
    ].map((point) => ({ trouble: DESCRIPTIONS[scenario], rival, ...point })),
  );
  const troubles = [...new Set(rows.map(({ trouble }) => trouble))];
  return {
    title: 'Latency with a bad pod among four',
    caption:
      'Open loop: latency counts from the moment a call was due. A call past its deadline counts as slow as the deadline, ' +
      'so the worst columns are lower bounds.',
    draw(layout) {
      const { options, names, by } = facets(layout, troubles, 380);
      return chart(layout, {
        ...options,
        x: { domain: ['p50', 'p99', 'p99.9'], label: null },
        y: {
          type: 'log',
          label: '↑ latency',
          // Wider than the figures, or the wide line would run into the names of the facets.
          domain: logDomain(rows.map(({ ms }) => ms)),
          tickFormat: shortDuration,
          ticks: [10, 100, 1_000],
          grid: true,
        },
        color: coloursOf(cells),
        r: { type: 'identity' },
        marks: [
          names,
          Plot.line(rows, { ...by('trouble'), x: 'at', y: 'ms', stroke: 'rival', strokeWidth: widthOf(7, 2) }),
          Plot.dot(rows, { ...by('trouble'), x: 'at', y: 'ms', fill: 'rival', r: widthOf(7, 4) }),
        ],
      });
    },
  };
}

/** Of lines and dots. The rival's are wide and below, because our round_robin lies on it. */
function widthOf(rivals: number, own: number): (row: { rival: string }) => number {
  return ({ rival }) => (rival === BASELINE ? rivals : own);
}

function shares(cells: readonly TailCell[]): Figure {
  const rows = cells.flatMap(({ scenario, rival, victimShare }) =>
    victimShare.map(({ atMs, share }) => ({
      trouble: DESCRIPTIONS[scenario],
      rival,
      s: atMs / 1_000,
      share: share * 100,
    })),
  );
  const troubles = [...new Set(rows.map(({ trouble }) => trouble))];
  const slow = cells.find(({ scenario, rival }) => scenario === 'slow' && rival === 'ours least_request');
  const sent = slow && slow.victimShare.reduce((sum, { share }) => sum + share, 0) / slow.victimShare.length;
  return {
    title: 'Share of the calls that are sent to the bad pod',
    caption:
      'By the moment when a call was due; a call counts for the pod that it was sent to, whether it was answered or not. ' +
      'A quarter is the equal share (dashed). least_request sees the calls that pile up and sends the next ones to other ' +
      `pods${sent === undefined ? '' : `: the slow pod gets ${percent(sent)}`}.`,
    draw(layout) {
      const { options, names, by } = facets(layout, troubles, 340);
      return chart(layout, {
        ...options,
        x: { label: 'seconds →', ticks: 6 },
        y: { label: '↑ share (%)', domain: [0, 50], ticks: 5, clamp: true, grid: true },
        color: coloursOf(cells),
        marks: [
          names,
          Plot.ruleY([25], { strokeDasharray: '3 4' }),
          Plot.line(rows, { ...by('trouble'), x: 's', y: 'share', stroke: 'rival', strokeWidth: widthOf(5, 1.8) }),
        ],
      });
    },
  };
}
