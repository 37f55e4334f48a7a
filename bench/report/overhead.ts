/** Charts of the question of overhead: what balancing adds to a call. */

import * as Plot from '@observablehq/plot';
import { counted, percent, ratio } from '../../test/support/number-format.js';
import type { Result } from '../harness/result.js';
import { BALANCERS } from '../overhead/baselines.js';
import { type CallsCell, type OverheadCell, overhead } from '../overhead.js';
import { chart, type Figure, OURS, RIVALS, scaled } from './chart.js';
import type { Section } from './page.js';

/** In the order of `BALANCERS`. */
const COLOURS = [
  '#8c8c8c',
  RIVALS[2] as string,
  OURS,
  '#1a9aaa',
  '#c05a8a',
  '#8a6fc4',
  '#b5883c',
  '#6f8f3a',
  '#7a5a46',
  '#5b9e4d',
  '#b0413e',
];

export function overheadSection(result: Result<OverheadCell>): Section {
  const calls = result.cells.filter((cell): cell is CallsCell => cell.kind === 'calls');
  const unary = calls.filter(({ workload }) => workload === 'unary');
  return {
    title: 'What does balancing cost?',
    answer: answer(unary),
    figures: [cpu(unary), ratios(calls)],
    table: overhead.show(result),
  };
}

function answer(unary: readonly CallsCell[]): string[] {
  const ours = unary.filter(({ rival }) => rival === 'ours least_request');
  return ours.flatMap(({ pods, ratios: own, imbalance }) =>
    own
      ? [
          `Over ${counted(pods, 'pod')} our default balancer makes ${ratio(own.throughput.value)} of the calls a second that ` +
            `grpc-js's round_robin makes, at ${ratio(own.cpu.value)} of its CPU a call` +
            (pods === 1
              ? '.'
              : `; the busiest pod gets ${percent(imbalance - 1)} more than the mean one, second by second.`),
        ]
      : [],
  );
}

/** Of the balancers that were measured: older results may lack some. */
function coloursOf(rows: readonly { readonly rival: string }[]): { domain: string[]; range: string[] } {
  const measured = BALANCERS.map((rival, index) => ({ rival, colour: COLOURS[index] as string })).filter(({ rival }) =>
    rows.some((row) => row.rival === rival),
  );
  return { domain: measured.map(({ rival }) => rival), range: measured.map(({ colour }) => colour) };
}

function cpu(unary: readonly CallsCell[]): Figure {
  return {
    title: 'CPU a unary call, by the number of pods',
    caption:
      'Medians of the rounds. Spread one by one over many pods, calls no longer share a system call: round_robin grows ' +
      'dearer. Ours lets the calls of one turn of the event loop follow each other for a few steps.',
    draw: (layout) =>
      chart(layout, {
        height: scaled(layout, 360),
        x: { type: 'point', label: 'pods →', domain: [...new Set(unary.map(({ pods }) => pods))] },
        y: { label: '↑ CPU a call (µs)', zero: true, grid: true },
        color: { ...coloursOf(unary), legend: true },
        marks: [
          Plot.line(unary, { x: 'pods', y: 'cpuUs', stroke: 'rival', strokeWidth: 2 }),
          Plot.dot(unary, { x: 'pods', y: 'cpuUs', fill: 'rival', r: 4 }),
        ],
      }),
  };
}

function ratios(calls: readonly CallsCell[]): Figure {
  const rows = calls.flatMap(({ workload, pods, rival, ratios: own }) =>
    own ? [{ setting: `${workload}, ${counted(pods, 'pod')}`, rival, ...own.cpu }] : [],
  );
  return {
    title: "CPU a call, against grpc-js's round_robin",
    caption:
      'Ratios of pairs measured one after the other, with their 95 % intervals. Left of the line: cheaper than ' +
      'round_robin over the same fixed list.',
    draw: (layout) =>
      chart(layout, {
        height: 90 + scaled(layout, 48) * new Set(rows.map(({ setting }) => setting)).size,
        marginLeft: scaled(layout, 125),
        x: { label: 'CPU a call / that of grpc-js round_robin →', grid: true },
        y: { axis: null, domain: coloursOf(rows).domain },
        // A row for each balancer, or their intervals would hide each other.
        fy: { axis: 'left', label: null, domain: [...new Set(rows.map(({ setting }) => setting))], padding: 0.2 },
        color: { ...coloursOf(rows), legend: true },
        marks: [
          Plot.ruleX([1], { strokeWidth: 1.5 }),
          Plot.ruleY(rows, { x1: 'low', x2: 'high', y: 'rival', fy: 'setting', stroke: 'rival', strokeWidth: 1.5 }),
          Plot.dot(rows, { x: 'value', y: 'rival', fy: 'setting', fill: 'rival', r: 4 }),
        ],
      }),
  };
}
