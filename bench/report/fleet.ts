/** Charts of the simulated fleets: the load on DNS by the second, and how old news is. */
import * as Plot from '@observablehq/plot';
import { count, duration, ratio } from '../../test/support/number-format.js';
import { PLAIN } from '../fleet/grid.js';
import { DESCRIPTIONS } from '../fleet/scenarios.js';
import { type FleetCell, MAX_OUTAGE_RATIO, showFleet } from '../fleet/show.js';
import type { Result } from '../harness/result.js';
import { chart, type Figure, facets, ORDERED, ours, scaled } from './chart.js';
import type { Section } from './page.js';

const LEAD_S = 10;
const PLAIN_COLOUR = '#8c8c8c';

export function fleetSection({ cells, parameters }: Result<FleetCell>): Section {
  return {
    title: 'What do thousands of clients ask of the cluster’s DNS?',
    answer: answer(cells),
    figures: [load(cells), ages(cells)],
    table: showFleet(cells, Number(parameters['replicaQps'])),
  };
}

function answer(cells: readonly FleetCell[]): string[] {
  const largest = cells.filter(({ clients, client }) => clients === mostClients(cells) && client !== PLAIN);
  const of = (scenario: FleetCell['scenario']): FleetCell | undefined =>
    largest.find((cell) => cell.scenario === scenario && cell.cacheTtl === 0);
  const [rollout, restart] = [of('rollout'), of('restart')];
  return [
    'All figures are a simulation’s: the library’s own poller, schedule and query runner on a virtual clock.',
    ...(rollout === undefined
      ? []
      : [
          `${count(rollout.clients)} clients (${rollout.client}) send ${count(Math.round(rollout.calmMean))} queries a second ` +
            `while nothing happens, and ${count(rollout.worst)} in the worst second of a rolling update. Its news is ` +
            `${duration(rollout.news?.meanMs)} old on average, and the last client has it after ` +
            `${duration(rollout.news?.lastKnowsMs)}.`,
        ]),
    ...(restart === undefined
      ? []
      : [
          `Where DNS refuses all queries for 10 s, the worst second has ${ratio(restart.worst / restart.calmMean)} of the usual ` +
            `queries (the limit is ${ratio(MAX_OUTAGE_RATIO)}), and the last client is back after ${duration(restart.lastBackMs)}.`,
        ]),
  ];
}

function load(cells: readonly FleetCell[]): Figure {
  const shown = cells.filter(({ queriesPerSecond }) => queriesPerSecond !== undefined);
  const points = shown.flatMap(({ scenario, client, queriesPerSecond = [], calmMean }) =>
    queriesPerSecond.map((queries, second) => ({
      scenario,
      client: nameOf(client),
      s: second - LEAD_S,
      load: queries / calmMean,
    })),
  );
  const scenarios = [...new Set(shown.map(({ scenario }) => scenario))];
  const [first] = shown;
  return {
    title: 'Queries of each second, in multiples of the mean',
    caption:
      `${count(first?.clients)} clients, ${count(first?.pods)} pods, ${count(first?.replicas)} DNS replicas without a cache. ` +
      `${scenarios.map((scenario) => `${scenario}: ${DESCRIPTIONS[scenario]}`).join('; ')}. The dashed line is the limit for an ` +
      'outage of DNS. Each attempt and each transport counts.',
    draw(layout) {
      const { options, names, by } = facets(layout, scenarios, 320);
      return chart(layout, {
        ...options,
        color: colours(cells),
        x: { label: 'seconds since the event →', ticks: 4 },
        y: { label: '↑ queries, 1 = mean before', grid: true, zero: true, ticks: 5 },
        marks: [
          names,
          Plot.ruleY([MAX_OUTAGE_RATIO], { strokeDasharray: '4 3', strokeOpacity: 0.6 }),
          // The first rule wide and below: without a cache the others of ours lie on it.
          Plot.line(points, {
            ...by('scenario'),
            x: 's',
            y: 'load',
            stroke: 'client',
            z: 'client',
            strokeWidth: ({ client }: { client: string }) => (client === points[0]?.client ? 5 : 1.6),
          }),
        ],
      });
    },
  };
}

function ages(cells: readonly FleetCell[]): Figure {
  const withNews = cells.filter(({ news }) => news !== undefined);
  const scenariosOf = (clients: number): number =>
    new Set(withNews.filter((cell) => cell.clients === clients).map(({ scenario }) => scenario)).size;
  const sizes = [...new Set(withNews.map(({ clients }) => clients))];
  const clients = sizes.reduce((best, size) => (scenariosOf(size) >= scenariosOf(best) ? size : best), sizes[0] ?? 0);
  const shown = withNews.filter((cell) => cell.clients === clients);
  const caches = [...new Set(shown.map(cacheOf))];
  const rows = shown.map(({ scenario, client, news, ...cell }) => ({
    scenario,
    client: nameOf(client),
    cache: cacheOf(cell),
    mean: (news?.meanMs ?? 0) / 1_000,
    worst: (news?.maxMs ?? 0) / 1_000,
  }));
  return {
    title: 'Age of news, by event',
    caption: `${count(clients)} clients. Bars: mean over all clients and changes. Dots: the worst.`,
    draw(layout) {
      const { options, names, by } = facets(layout, caches, 0);
      const bars = [...new Set(rows.map(barOf))];
      const height = 60 + scaled(layout, 24) * bars.length;
      return chart(layout, {
        ...options,
        height: layout.facets === 'across' ? height : height * caches.length,
        marginLeft: scaled(layout, 180),
        color: colours(cells),
        x: { label: 'seconds since DNS changed →', grid: true },
        y: { label: null, tickFormat: (bar: string) => bar, domain: bars },
        marks: [
          names,
          Plot.barX(rows, { ...by('cache'), x: 'mean', y: barOf, fill: 'client' }),
          Plot.dot(rows, { ...by('cache'), x: 'worst', y: barOf, fill: 'client', r: 4 }),
        ],
      });
    },
  };
}

function barOf({ scenario, client }: Pick<FleetCell, 'scenario' | 'client'>): string {
  return `${scenario}, ${client}`;
}

function cacheOf({ cacheTtl }: Pick<FleetCell, 'cacheTtl'>): string {
  return cacheTtl === 0 ? 'no cache' : `DNS cache of ${cacheTtl} s`;
}

function mostClients(cells: readonly FleetCell[]): number {
  return Math.max(...cells.map(({ clients }) => clients));
}

function nameOf(client: string): string {
  return client === PLAIN ? client : ours(client);
}

function colours(cells: readonly FleetCell[]): Plot.ScaleOptions {
  const domain = [...new Set(cells.map(({ client }) => nameOf(client)))];
  const own = [ORDERED[1], ORDERED[5], ORDERED[3]];
  return {
    legend: true,
    domain,
    range: domain.map((client) => (client === PLAIN ? PLAIN_COLOUR : (own.shift() ?? '#888'))),
  };
}
