/** Charts of the question of tails: what one bad pod does to everyone. */

import * as Plot from '@observablehq/plot';
import { duration, percent, ratio } from '../../test/support/number-format.js';
import type { Result } from '../harness/result.js';
import { DESCRIPTIONS } from '../tail/scenarios.js';
import { type TailCell, tail } from '../tail.js';
import { chart, type Figure, facetNames, OURS, shortDuration } from './chart.js';
import type { Section } from './page.js';

const BALANCERS = ['grpc-js round_robin', 'ours round_robin', 'ours least_request'];
const COLOURS = ['#8c8c8c', '#1a9aaa', OURS];

export function tailSection(result: Result<TailCell>): Section {
  const { cells } = result;
  return {
    title: 'What does one bad pod do to everyone?',
    answer: cells.flatMap(({ scenario, rival, p99Ms, p99Ratio }) =>
      rival === 'ours least_request' && p99Ratio
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
    svg: chart({
      height: 380,
      fx: { domain: troubles, axis: null },
      x: { domain: ['p50', 'p99', 'p99.9'], label: null },
      y: {
        type: 'log',
        label: '↑ latency',
        tickFormat: shortDuration,
        ticks: [10, 30, 100, 300, 1_000, 3_000],
        grid: true,
      },
      color: { domain: BALANCERS, range: COLOURS, legend: true },
      r: { type: 'identity' },
      marks: [
        facetNames(troubles),
        // The rival wide, below: our round_robin lies on it.
        Plot.line(rows, {
          fx: 'trouble',
          x: 'at',
          y: 'ms',
          stroke: 'rival',
          strokeWidth: ({ rival }: { rival: string }) => (rival === BALANCERS[0] ? 7 : 2),
        }),
        Plot.dot(rows, {
          fx: 'trouble',
          x: 'at',
          y: 'ms',
          fill: 'rival',
          r: ({ rival }: { rival: string }) => (rival === BALANCERS[0] ? 7 : 4),
        }),
      ],
    }),
  };
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
  const worst = cells.find(({ scenario, rival }) => scenario === 'slow' && rival === 'ours least_request');
  const mean = worst && worst.victimShare.reduce((sum, { share }) => sum + share, 0) / worst.victimShare.length;
  return {
    title: 'Share of the answered calls that the bad pod had',
    caption:
      'By the moment when the calls began. A quarter would be its equal share; least_request sees the calls that pile up ' +
      `and goes elsewhere${mean === undefined ? '' : `: the slow pod is left with ${percent(mean)}`}.`,
    svg: chart({
      height: 340,
      fx: { domain: troubles, axis: null },
      x: { label: 'seconds →' },
      y: { label: '↑ share (%)', domain: [0, 50], clamp: true, grid: true },
      color: { domain: BALANCERS, range: COLOURS, legend: true },
      marks: [
        facetNames(troubles),
        Plot.ruleY([25], { strokeDasharray: '3 4' }),
        Plot.line(rows, { fx: 'trouble', x: 's', y: 'share', stroke: 'rival', strokeWidth: 1.8 }),
      ],
    }),
  };
}
