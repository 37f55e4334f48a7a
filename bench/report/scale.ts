/** Charts of the question of scale: how costs grow with the number of pods. */

import * as Plot from '@observablehq/plot';
import { count, duration, ratio } from '../../test/support/number-format.js';
import type { Result } from '../harness/result.js';
import { type ScaleCell, scale } from '../scale.js';
import { chart, type Figure, facets, logDomain, OURS, RIVALS } from './chart.js';
import type { Section } from './page.js';

interface Point {
  readonly cost: string;
  readonly who: string;
  readonly pods: number;
  readonly us: number;
}

const OTHERS = ['dns-packet', 'grpc-js round_robin'];

export function scaleSection(result: Result<ScaleCell>): Section {
  return {
    title: 'How do costs grow with the number of pods?',
    answer: answer(result.cells),
    figures: [costs(result.cells)],
    table: scale.show(result),
  };
}

function answer(cells: readonly ScaleCell[]): string[] {
  const sentences: string[] = [];
  const decoded = cells.filter((cell) => cell.kind === 'decode').at(-1);
  if (decoded)
    sentences.push(
      `The largest answer that a DNS message holds, ${count(decoded.records)} addresses, is read in ` +
        `${duration(decoded.oursUs / 1_000)}: ${ratio(decoded.ratio)} of dns-packet's time.`,
    );
  const applied = cells.filter((cell) => cell.kind === 'apply' && cell.pods === 1_000);
  const [ours, theirs] = applied;
  if (ours?.kind === 'apply' && theirs?.kind === 'apply')
    sentences.push(
      `Where one of 1,000 pods changes, the balancer is done in ${duration(ours.oneChangeUs / 1_000)}: ` +
        `${ratio(ours.oneChangeUs / theirs.oneChangeUs)} of round_robin's time.`,
    );
  const stalled = cells.filter((cell) => cell.kind === 'stall').at(-1);
  if (stalled)
    sentences.push(
      `A first set of ${count(stalled.pods)} pods is connected in ${duration(stalled.readyMs)}, meanwhile the event loop is ` +
        `late by ${duration(stalled.p99Ms)} at the 99th percentile and by ${duration(stalled.maxMs)} at most; the longest stop of ` +
        `the garbage collector, among these, took ${duration(stalled.collectorMs)}.`,
    );
  return sentences;
}

function costs(cells: readonly ScaleCell[]): Figure {
  const points: Point[] = cells.flatMap((cell): Point[] => {
    if (cell.kind === 'decode')
      return [
        { cost: 'read an answer', who: 'ours', pods: cell.records, us: cell.oursUs },
        { cost: 'read an answer', who: 'dns-packet', pods: cell.records, us: cell.dnsPacketUs },
      ];
    if (cell.kind === 'apply')
      return [
        { cost: 'apply a first set', who: cell.rival, pods: cell.pods, us: cell.firstSetMs * 1_000 },
        { cost: 'apply a change of one pod', who: cell.rival, pods: cell.pods, us: cell.oneChangeUs },
      ];
    return [];
  });
  const costNames = [...new Set(points.map(({ cost }) => cost))];
  return {
    title: 'Time, by the number of pods',
    caption: 'Both axes are logarithmic. The balancers are driven without sockets: what remains is their own work.',
    draw(layout) {
      const { options, names, by } = facets(layout, costNames, 380);
      return chart(layout, {
        ...options,
        x: {
          type: 'log',
          label: 'pods →',
          ticks: [1, 10, 100, 1_000, 10_000],
          // Short, or the last of one facet would run into the first of the next.
          tickFormat: (pods: number) => (pods < 1_000 ? `${pods}` : `${pods / 1_000}k`),
        },
        y: {
          type: 'log',
          label: '↑ time',
          domain: logDomain(points.map(({ us }) => us)),
          grid: true,
          ticks: [1, 100, 10_000, 1_000_000],
          tickFormat: (us: number) => duration(us / 1_000).replace(/\.0+(?= )/, ''),
        },
        color: { domain: ['ours', ...OTHERS], range: [OURS, RIVALS[2] as string, '#8c8c8c'], legend: true },
        marks: [
          names,
          Plot.line(points, { ...by('cost'), x: 'pods', y: 'us', stroke: 'who', strokeWidth: 2 }),
          Plot.dot(points, { ...by('cost'), x: 'pods', y: 'us', fill: 'who', r: 4 }),
        ],
      });
    },
  };
}
