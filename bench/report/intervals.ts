/** Charts of the question of intervals: how old a client's view is, and what a fresher one costs. */

import * as Plot from '@observablehq/plot';
import { count, duration, percent } from '../../test/support/number-format.js';
import { type Point, steps } from '../harness/distribution.js';
import type { Result } from '../harness/result.js';
import type { CellResult } from '../intervals/analysis.js';
import { type IntervalsParameters, showIntervals } from '../intervals/show.js';
import { firstAndLastCalls, loadShare } from './baselines.js';
import {
  chart,
  type Figure,
  facets,
  HALO,
  type Layout,
  logDomain,
  ORDERED,
  OURS,
  ours,
  scaled,
  shortDuration,
  ticksWithin,
} from './chart.js';
import { placeLabels } from './labels.js';
import type { Section } from './page.js';

/** Few, so that they stand side by side in a facet. */
const FACET_TICKS = [100, 1_000, 10_000, 60_000];
const LOG_TICKS = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000];
const QUERY_TICKS = [1, 2, 5, 10, 20, 50, 100, 200, 500];
/** Left of it a logarithmic axis would have room for differences that make none to a user. */
const FAST_MS = 50;
const INK = '#17202b';
/** Of the chart of cost, for text of 13 pixels. */
const HEIGHT = 460;
const MARGIN = { left: 70, right: 60, top: 40, bottom: 46 };

export function intervalsSection({ cells, parameters }: Result<CellResult>): Section {
  const own = cells.filter(isPureInterval);
  const known = parameters as unknown as IntervalsParameters;
  return {
    title: 'Which refresh interval?',
    answer: answer(cells),
    figures: [
      staleness(own),
      heat(own),
      ...(cells.some(({ plan }) => plan.client.kind === 'grpc-js') ? [loadShare(cells), firstAndLastCalls(cells)] : []),
      cost(own),
    ],
    table: showIntervals(cells, known),
  };
}

/** A cell without bursts or broken connections: the ones that theory speaks of. */
function isPureInterval(cell: CellResult): boolean {
  return cell.theory !== null && cell.seen.summary !== null;
}

function answer(cells: readonly CellResult[]): string[] {
  const find = (label: string): CellResult | undefined =>
    cells.find(({ plan }) => plan.label === label && plan.cacheTtl === 0);
  const five = find('5 s');
  const plain = find('grpc-js');
  const sentences: string[] = [];
  if (five?.seen.summary)
    sentences.push(
      `Asking every 5 s without a cache, a change of DNS was seen after ${duration(five.seen.summary.mean)} on average and ` +
        `${duration(five.seen.summary.max)} at most, over ${count(five.seen.summary.count)} scale events. That cost ` +
        `${count(five.queriesPerMinute)} DNS queries a minute and ${percent(five.pollingCpuShare)} of one core.`,
    );
  if (plain)
    sentences.push(
      `grpc-js with dns:/// and round_robin, beside it and with no connection breaking, never called ` +
        `${count(plain.firstCall.never)} of the ${count(plain.adds)} pods that came.`,
    );
  sentences.push(
    'A cache in front of DNS sets a floor that no interval can go below. "adaptive" asks once more when the cache’s entry ' +
      'expires, and "phased" reads the cache’s four entries in turn.',
  );
  return sentences;
}

function staleness(cells: readonly CellResult[]): Figure {
  const settings = labelsOf(cells);
  const points = cells.flatMap((cell) => [
    { ...names(cell), share: 0, ms: smallest(cell) },
    ...seenBy(cell).map(({ x, share: part }) => ({
      ...names(cell),
      ms: Math.max(FAST_MS, x),
      share: part,
    })),
  ]);
  const simulated = cells.flatMap((cell) =>
    (cell.simulated?.quantiles ?? []).map((ms, index, all) => ({
      ...names(cell),
      ms: Math.max(FAST_MS, ms),
      share: index / (all.length - 1),
    })),
  );
  const domain: [number, number] = [
    FAST_MS,
    Math.max(...points.map(({ ms }) => ms), ...simulated.map(({ ms }) => ms)) * 1.1,
  ];
  return {
    title: 'How long until a client sees a change, by interval and cache',
    caption:
      'Thin lines: real pods, real DNS messages. Wide pale lines: the same code on a virtual clock, over thousands of events; ' +
      'where the two lie on each other, the simulation may be trusted. Without a cache each interval has its own curve, ' +
      'and a cache pushes all of them together: behind it, asking more often gains little.',
    draw(layout) {
      const { options, names, by } = facets(layout, cachesOf(cells), 380);
      return chart(layout, {
        ...options,
        color: { legend: true, domain: settings.map(ours), range: orderedFor(settings) },
        x: { type: 'log', domain },
        y: {
          label: '↑ changes seen by then',
          tickFormat: (part: number) => `${Math.round(part * 100)} %`,
          ticks: [0, 0.25, 0.5, 0.75, 1],
          grid: true,
        },
        marks: [
          names,
          // As a mark, because a logarithmic scale's own axis leaves labels out.
          Plot.axisX(ticksWithin(domain, FACET_TICKS), { text: shortDuration, label: 'time since DNS changed →' }),
          Plot.gridX(ticksWithin(domain, FACET_TICKS)),
          Plot.line(simulated, {
            ...by('cache'),
            x: 'ms',
            y: 'share',
            stroke: 'whose',
            strokeWidth: 5,
            strokeOpacity: 0.25,
            z: 'setting',
          }),
          Plot.line(points, {
            ...by('cache'),
            x: 'ms',
            y: 'share',
            stroke: 'whose',
            curve: 'step-after',
            strokeWidth: 1.6,
            z: 'setting',
          }),
        ],
      });
    },
  };
}

function heat(cells: readonly CellResult[]): Figure {
  const rows = cells.map((cell) => ({
    ...names(cell),
    mean: cell.seen.summary?.mean ?? Number.NaN,
    measured: duration(cell.seen.summary?.mean),
    expected: `theory ${duration(cell.theory?.meanMs)}`,
  }));
  const settings = labelsOf(cells);
  return {
    title: 'Mean staleness over interval and cache, with theory beside',
    caption:
      'Large: measured, from the change of DNS to the client’s seeing it. Small: what arithmetic gives, half the interval ' +
      '(with its jitter) plus half the cache’s TTL; behind a cache half the TTL for "adaptive", and an eighth for "phased". Darker is staler.',
    draw(layout) {
      const isNarrow = layout.facets === 'down';
      const cell = { x: 'cache', y: 'setting', fill: INK } as const;
      return chart(layout, {
        height: 60 + settings.length * scaled(layout, 56),
        marginLeft: scaled(layout, 100),
        marginRight: 8,
        marginBottom: 10,
        x: {
          axis: 'top',
          label: null,
          domain: cachesOf(cells),
          padding: 0.04,
          tickSize: 0,
          // Names of three cells' width side by side: in two lines where that is narrow.
          tickFormat: (cache: string) => (isNarrow ? cache.replace(' cache', '\ncache') : cache),
        },
        y: { label: null, domain: settings, padding: 0.06, tickSize: 0 },
        // The light half of the scheme, on which dark text can be read.
        color: { type: 'log', scheme: 'blues', range: [0, 0.55] },
        marks: [
          Plot.cell(rows, { x: 'cache', y: 'setting', fill: 'mean', rx: 4 }),
          Plot.text(rows, { ...cell, text: 'measured', dy: -8, fontSize: layout.fontSize + 4, fontWeight: 600 }),
          Plot.text(rows, { ...cell, text: 'expected', dy: scaled(layout, 13), fontSize: layout.fontSize - 1 }),
        ],
      });
    },
  };
}

function cost(cells: readonly CellResult[]): Figure {
  const points = cells.map((cell) => ({
    ...names(cell),
    queries: cell.queriesPerMinute ?? Number.NaN,
    ms: cell.seen.summary?.mean ?? Number.NaN,
  }));
  const caches = cachesOf(cells);
  const plain = points.filter(({ setting }) => !readsTtls(setting));
  // Without a cache they are the plain ones, and would lie on them.
  const ofRule = (rule: string): typeof points =>
    points.filter(({ setting, cache }) => setting.startsWith(rule) && cache !== caches[0]);
  const [adaptive, phased] = [ofRule('adaptive'), ofRule('phased')];
  const uncached = plain.filter(({ cache }) => cache === caches[0]);
  const labelled = new Set([...uncached, ...adaptive, ...phased]);
  const shown = [...plain, ...adaptive, ...phased];
  const xDomain = logDomain(points.map(({ queries }) => queries));
  const yDomain = logDomain(points.map(({ ms }) => ms));
  const labels = (layout: Layout): Plot.Markish[] => {
    const unit = scaled(layout, 1_000) / 1_000;
    const [width, height] = [layout.width / unit, HEIGHT];
    const [right, bottom] = [width - MARGIN.right, height - MARGIN.bottom];
    const places = placeLabels(
      shown.map((point) => ({
        x: pixel(point.queries, xDomain, MARGIN.left, right),
        y: pixel(point.ms, yDomain, bottom, MARGIN.top),
        label: labelled.has(point) ? point.setting : '',
      })),
      { left: MARGIN.left, right: width, top: MARGIN.top, bottom },
    );
    return shown.flatMap((point, index) => {
      const place = places[index];
      if (!place) return [];
      const { dx, dy, textAnchor } = place;
      return [
        Plot.text([point], {
          ...HALO,
          x: 'queries',
          y: 'ms',
          text: 'setting',
          textAnchor,
          dx: dx * unit,
          dy: dy * unit,
        }),
      ];
    });
  };
  return {
    title: 'What freshness costs',
    caption:
      'Each dot is an interval behind one cache (dots above each other are the same interval); diamonds are "adaptive", stars "phased". To the lower left is better: fewer queries and ' +
      'fresher. Without a cache, twice the queries buy half the staleness; behind one, the line is flat long before.',
    draw: (layout) =>
      chart(layout, {
        height: scaled(layout, HEIGHT),
        marginLeft: scaled(layout, MARGIN.left),
        marginRight: scaled(layout, MARGIN.right),
        marginTop: scaled(layout, MARGIN.top),
        marginBottom: scaled(layout, MARGIN.bottom),
        color: { legend: true, domain: caches.map(ours), range: [OURS, '#35a05a', '#dd6a3a'] },
        x: { type: 'log', domain: xDomain },
        y: { type: 'log', domain: yDomain },
        marks: [
          Plot.gridY(ticksWithin(yDomain, LOG_TICKS)),
          Plot.axisX(ticksWithin(xDomain, QUERY_TICKS), {
            text: count,
            label: 'DNS queries a minute, one client process →',
          }),
          Plot.axisY(ticksWithin(yDomain, LOG_TICKS), { text: shortDuration, label: '↑ mean staleness' }),
          Plot.line(plain, { x: 'queries', y: 'ms', stroke: 'behind', z: 'cache', sort: 'queries' }),
          Plot.dot(plain, { x: 'queries', y: 'ms', fill: 'behind', r: 5 }),
          Plot.dot(phased, { x: 'queries', y: 'ms', fill: 'behind', r: 7, symbol: 'star' }),
          Plot.dot(adaptive, { x: 'queries', y: 'ms', fill: 'behind', r: 6, symbol: 'diamond' }),
          ...labels(layout),
        ],
      }),
  };
}

/** On a logarithmic scale. */
function pixel(value: number, [low, high]: readonly [number, number], from: number, to: number): number {
  return from + (Math.log(value / low) / Math.log(high / low)) * (to - from);
}

/** The setting is not the plain interval. */
function readsTtls(setting: string): boolean {
  return setting.startsWith('adaptive') || setting.startsWith('phased');
}

function names({ plan }: CellResult): { setting: string; whose: string; cache: string; behind: string } {
  const cache = cacheName(plan.cacheTtl);
  return { setting: plan.label, whose: ours(plan.label), cache, behind: ours(cache) };
}

function cacheName(ttl: number): string {
  return ttl === 0 ? 'DNS without a cache' : `behind a cache of ${ttl} s`;
}

function labelsOf(cells: readonly CellResult[]): string[] {
  return [...new Set(cells.map(({ plan }) => plan.label))];
}

function cachesOf(cells: readonly CellResult[]): string[] {
  return [...new Set(cells.map(({ plan }) => plan.cacheTtl))].sort((a, b) => a - b).map(cacheName);
}

/** Of the changes that were seen at all. */
function seenBy({ seen }: CellResult): Point[] {
  const happened = seen.summary?.count ?? 0;
  return steps(seen.values ?? [], happened, happened);
}

function smallest({ seen }: CellResult): number {
  return Math.max(FAST_MS, Math.min(...(seen.values ?? [])));
}

/** Plain intervals from fast to slow; the others in the colours left over. */
function orderedFor(settings: readonly string[]): string[] {
  const extra = ['#c065a8', '#8c8c8c', '#d0466b', '#7a6a2a'];
  const plain = settings.filter((setting) => !readsTtls(setting));
  return settings.map((_, index) => {
    const colour = index < plain.length ? ORDERED[index] : extra[(index - plain.length) % extra.length];
    return colour ?? '#888';
  });
}
