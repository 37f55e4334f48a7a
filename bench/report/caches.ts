/** Charts of reading caches: the rules beside each other and beside the goals, and clients that share a cache. */

import * as Plot from '@observablehq/plot';
import { count, duration } from '../../test/support/number-format.js';
import type { Result } from '../harness/result.js';
import type { CellResult } from '../intervals/analysis.js';
import { RULES } from '../intervals/cold-start.js';
import type { SharedCell } from '../intervals/sharing.js';
import { cacheName, type IntervalsParameters, showIntervals } from '../intervals/show.js';
import { chart, type Figure, facets, HALO, OURS, ours, scaled, shortDuration, ticksWithin } from './chart.js';
import type { Section } from './page.js';

const COLOURS = { domain: ['phased', 'adaptive', 'ignore'].map(ours), range: [OURS, '#c065a8', '#8c8c8c'] };
const TICKS = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000];
const ROW_HEIGHT = 64;

export function cachesSection({ cells, parameters }: Result<CellResult>): Section {
  const known = parameters as unknown as IntervalsParameters;
  const { sharing = [] } = known;
  return {
    title: 'Behind a DNS cache',
    answer: answer(cells, known),
    figures: [agesBehindCaches(cells), ...(sharing.length > 0 ? [sharedCache(sharing)] : [])],
    table: showIntervals(cells, known),
  };
}

function answer(
  cells: readonly CellResult[],
  { cacheProgram = 'model', coldStarts = [] }: IntervalsParameters,
): string[] {
  const sentences: string[] = [];
  for (const { plan, seen, goal, queriesPerMinute } of cells)
    if (goal && seen.summary)
      sentences.push(
        `"${plan.label}" behind a cache of ${plan.cacheTtl} s (${cacheName(cacheProgram)}): a mean of ` +
          `${duration(seen.summary.mean)} (goal: ${duration(goal.meanMs)}) and at most ${duration(seen.summary.max)} ` +
          `(goal: ${duration(goal.maxMs)}), with ${count(queriesPerMinute)} queries a minute.`,
      );
  for (const { goalMs, trials, withinGoal, maxMs, never } of coldStarts)
    if (goalMs !== null)
      sentences.push(
        `After a cold start behind a cached denial, ${count(withinGoal ?? 0)} of ${count(trials)} first calls were answered ` +
          `within ${duration(goalMs)} of the record (the goal), ${never > 0 ? `${count(never)} never` : `the last after ${duration(maxMs)}`}.`,
      );
  return sentences;
}

/** Intervals that are measured with each of the rules, behind each cache. */
function agesBehindCaches(cells: readonly CellResult[]): Figure {
  const rows = cells
    .flatMap(({ plan, theory, goal, seen, queriesPerMinute }) => {
      const { client, cacheTtl } = plan;
      if (client.kind !== 'headless' || cacheTtl === 0 || theory === null || seen.summary === null) return [];
      const { intervalMs, ttl: rule } = client.refresh;
      const { mean, max } = seen.summary;
      const row = `${rule} ${shortDuration(intervalMs)}, cache of ${cacheTtl} s`;
      const figures = `mean ${duration(mean)}, at most ${duration(max)}, ${count(queriesPerMinute)} queries a minute`;
      return [{ row, rule, whose: ours(rule), intervalMs, cacheTtl, mean, max, figures, goal }];
    })
    .filter(({ intervalMs }, _, all) => all.some((other) => other.rule === 'phased' && other.intervalMs === intervalMs))
    .sort(
      (a, b) => b.cacheTtl - a.cacheTtl || a.intervalMs - b.intervalMs || RULES.indexOf(a.rule) - RULES.indexOf(b.rule),
    );
  const goals = rows.flatMap(({ row, goal }) => (goal ? [goal.meanMs, goal.maxMs].map((ms) => ({ row, ms })) : []));
  const ages = [...rows.flatMap(({ mean, max }) => [mean, max]), ...goals.map(({ ms }) => ms)];
  const domain: [number, number] = [Math.min(...ages) / 1.5, Math.max(...ages) * 1.2];
  return {
    title: 'Behind a cache: the age of news with each rule',
    caption:
      'Filled: the mean; hollow: the oldest. Orange: the goals of "phased", a sixth and a third of the cache’s TTL. ' +
      '"ignore" is the plain interval. Other clients keep the cache’s plain entry filled.',
    draw(layout) {
      const words = { y: 'row', frameAnchor: 'left', textAnchor: 'start', dx: 4 } as const;
      const inset = scaled(layout, ROW_HEIGHT / 2 - 8);
      return chart(layout, {
        height: scaled(layout, 70 + rows.length * ROW_HEIGHT),
        marginLeft: 16,
        marginTop: 10,
        color: { ...COLOURS, legend: true },
        x: { type: 'log', domain },
        y: { axis: null, domain: rows.map(({ row }) => row) },
        marks: [
          Plot.axisX(ticksWithin(domain, TICKS), { text: shortDuration, label: 'age of news →' }),
          Plot.gridX(ticksWithin(domain, TICKS)),
          Plot.link(rows, { x1: 'mean', x2: 'max', y1: 'row', y2: 'row', stroke: 'whose', strokeWidth: 2 }),
          Plot.dot(rows, { x: 'mean', y: 'row', fill: 'whose', r: 5 }),
          Plot.dot(rows, { x: 'max', y: 'row', stroke: 'whose', r: 5, strokeWidth: 2 }),
          Plot.tickX(goals, {
            x: 'ms',
            y: 'row',
            stroke: '#dd6a3a',
            strokeWidth: 2,
            insetTop: inset,
            insetBottom: inset,
          }),
          // Above the marks of their row, where neither can hide the other.
          Plot.text(rows, { ...words, ...HALO, text: 'row', fontWeight: 600, dy: -scaled(layout, 32) }),
          Plot.text(rows, { ...words, ...HALO, text: 'figures', dy: -scaled(layout, 16) }),
        ],
      });
    },
  };
}

function sharedCache(sharing: readonly SharedCell[]): Figure {
  const [mean, max] = ['mean age of news', 'oldest news'] as const;
  const ttlMs = (sharing[0]?.cacheTtl ?? 0) * 1000;
  const points = sharing.flatMap(({ clients, rule, meanMs, maxMs }) => [
    { figure: mean, clients, rule: ours(rule), s: meanMs / 1000 },
    { figure: max, clients, rule: ours(rule), s: maxMs / 1000 },
  ]);
  const goals = [
    { figure: mean, s: ttlMs / 6_000 },
    { figure: max, s: ttlMs / 3_000 },
  ];
  const clients = [...new Set(sharing.map((cell) => cell.clients))];
  return {
    title: 'Simulated: clients that share one cache',
    caption:
      `The poller of the library with its default settings, on a virtual clock, before a model of CoreDNS’s cache of ` +
      `${duration(ttlMs)}. All clients follow the same rule. Dashed: the goals of "phased".`,
    draw(layout) {
      const { options, names, by } = facets(layout, [mean, max], 340);
      return chart(layout, {
        ...options,
        color: { ...COLOURS, legend: true },
        x: { type: 'log', domain: [0.8, 1.2 * Math.max(...clients)] },
        y: { label: '↑ seconds', grid: true, ticks: 5, domain: [0, 1.05 * Math.max(...points.map(({ s }) => s))] },
        marks: [
          names,
          Plot.axisX(clients, { text: (value: number) => value.toLocaleString('en-US'), label: 'clients →' }),
          Plot.ruleY(goals, { ...by('figure'), y: 's', stroke: '#dd6a3a', strokeDasharray: '4 3', strokeWidth: 1.5 }),
          Plot.line(points, { ...by('figure'), x: 'clients', y: 's', stroke: 'rule', z: 'rule', strokeWidth: 2 }),
          Plot.dot(points, { ...by('figure'), x: 'clients', y: 's', fill: 'rule', r: 4 }),
        ],
      });
    },
  };
}
