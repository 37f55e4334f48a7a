/**
 * The tables of docs/fleet.md as Markdown, between two markers. `npm run bench:report -- --publish` writes them from the
 * last result.
 */
import { count, duration, percent, ratio } from '../../test/support/number-format.js';
import type { Result } from '../harness/result.js';
import { DESCRIPTIONS, SCENARIOS } from './scenarios.js';
import { type FleetCell, sizingOf } from './show.js';

const BEGIN = '<!-- Written by npm run bench:report -- --publish -->';
const END = '<!-- End of the tables -->';

/** @throws RangeError where the text has no markers. */
export function withTables(text: string, result: Result<FleetCell>): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin < 0 || end < begin) throw new RangeError(`the text lacks "${BEGIN}" and "${END}" around its tables`);
  return `${text.slice(0, begin)}${BEGIN}\n\n${tables(result)}\n\n${text.slice(end)}`;
}

function tables({ cells, parameters }: Result<FleetCell>): string {
  const replicaQps = Number(parameters['replicaQps']);
  return [
    ...[0, 30].flatMap((cacheTtl) => {
      const shown = SCENARIOS.flatMap((scenario) => largest(cells, scenario, cacheTtl));
      return shown.length === 0 ? [] : [`${titleOf(cacheTtl)}\n\n${scenarios(shown)}`];
    }),
    `With a replica taken to answer ${count(replicaQps)} queries a second:\n\n${sizing(cells, replicaQps)}`,
  ].join('\n\n');
}

function titleOf(cacheTtl: number): string {
  return cacheTtl === 0
    ? 'Without a cache in DNS, or with one that leaves out the cluster’s zone:'
    : `Behind caches of ${cacheTtl} s, one in each replica:`;
}

/** Of the simulations of one scenario, those with the most clients. */
function largest(cells: readonly FleetCell[], scenario: FleetCell['scenario'], cacheTtl: number): FleetCell[] {
  const all = cells.filter((cell) => cell.scenario === scenario && cell.cacheTtl === cacheTtl);
  const most = Math.max(...all.map(({ clients }) => clients));
  return all.filter(({ clients }) => clients === most);
}

function scenarios(cells: readonly FleetCell[]): string {
  return markdown(
    [
      'event',
      'clients, pods',
      'client',
      'queries a second',
      'worst second',
      'mean age of news',
      'at most',
      'last client',
    ],
    cells.map(({ scenario, client, clients, pods, calmMean, worst, news, lastBackMs }, index) => [
      cells[index - 1]?.scenario === scenario ? '' : DESCRIPTIONS[scenario],
      `${count(clients)}, ${count(pods)}`,
      client,
      count(Math.round(calmMean)),
      ratio(worst / calmMean),
      duration(news?.meanMs),
      duration(news?.maxMs),
      duration(news?.lastKnowsMs ?? lastBackMs),
    ]),
  );
}

function sizing(cells: readonly FleetCell[], replicaQps: number): string {
  return markdown(
    ['client processes', 'client', 'queries a second', 'worst second', 'replicas', 'their load in the worst second'],
    sizingOf(cells, replicaQps).map((row) => [
      count(row.clients),
      row.client,
      count(Math.round(row.meanQps)),
      count(row.worstQps),
      count(row.replicas),
      percent(row.worstShare),
    ]),
  );
}

function markdown(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n');
}
