/**
 * Draws `bench/results/*.json` (the last runs, or the published ones) into one page, `bench/results/report.html`, that
 * a browser shows offline; each chart also as an SVG file under `bench/results/charts/`. A question that was never run is
 * left out.
 *
 *     npm run bench:report
 *     npm run bench:report -- --publish    also puts these results, and the charts that the documentation shows, into
 *                                          bench/results/published/, and the tables of docs/fleet.md into their place
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DnsCell } from './dns.js';
import { withTables } from './fleet/document.js';
import type { FleetCell } from './fleet/show.js';
import { PUBLISHED, publish, type Result, readResult } from './harness/result.js';
import type { CellResult, CostResult } from './intervals/analysis.js';
import type { IntervalsParameters } from './intervals/show.js';
import type { OverheadCell } from './overhead.js';
import { cachesSection } from './report/caches.js';
import { dnsSection } from './report/dns.js';
import { fleetSection } from './report/fleet.js';
import { intervalsSection } from './report/intervals.js';
import { overheadSection } from './report/overhead.js';
import { type Chapter, page, type Section } from './report/page.js';
import { scaleSection } from './report/scale.js';
import { standalone } from './report/standalone.js';
import { tailSection } from './report/tail.js';
import type { ScaleCell } from './scale.js';
import type { TailCell } from './tail.js';

/** In the order in which a user would ask. Another question's charts: a file in report/, and a line here. */
const QUESTIONS: readonly { readonly name: string; readonly draw: (result: Result<never>) => Section }[] = [
  { name: 'intervals', draw: (result: Result<CellResult>) => intervalsSection(result) },
  { name: 'caches', draw: (result: Result<CellResult>) => cachesSection(result) },
  { name: 'overhead', draw: (result: Result<OverheadCell>) => overheadSection(result) },
  { name: 'tail', draw: (result: Result<TailCell>) => tailSection(result) },
  { name: 'scale', draw: (result: Result<ScaleCell>) => scaleSection(result) },
  { name: 'dns', draw: (result: Result<DnsCell>) => dnsSection(result, pollCost()) },
  { name: 'fleet', draw: (result: Result<FleetCell>) => fleetSection(result) },
];

/** The one cost of a poll, measured in the client processes of the intervals. */
function pollCost(): CostResult | null {
  const parameters = readResult('intervals')?.parameters as unknown as IntervalsParameters | undefined;
  return parameters?.cost ?? null;
}

const REPORT = new URL('./results/report.html', import.meta.url);
const CHARTS = new URL('./results/charts/', import.meta.url);
const FLEET_PAGE = new URL('../docs/fleet.md', import.meta.url);
/** Their figures stand in a page of docs/, which this writes: the JSON would say them twice. */
const CHART_ONLY: ReadonlySet<string> = new Set(['fleet']);
const PUBLISHED_CHARTS = ['intervals-1.svg', 'intervals-3.svg', 'caches-1.svg', 'caches-2.svg', 'fleet-1.svg'];

function draw(): string | null {
  const chapters: Chapter[] = QUESTIONS.flatMap(({ name, draw: section }) => {
    const result = readResult<never>(name);
    return result ? [{ result, section: section(result) }] : [];
  });
  if (chapters.length === 0) return null;
  mkdirSync(new URL('.', REPORT), { recursive: true });
  writeFileSync(REPORT, page(chapters));
  mkdirSync(CHARTS, { recursive: true });
  for (const { result, section } of chapters)
    for (const [index, figure] of section.figures.entries())
      writeFileSync(new URL(`${result.question}-${index + 1}.svg`, CHARTS), standalone(figure));
  if (process.argv.includes('--publish')) {
    for (const { result } of chapters) if (!CHART_ONLY.has(result.question)) publish(result);
    for (const chart of PUBLISHED_CHARTS) copyFileSync(new URL(chart, CHARTS), new URL(chart, PUBLISHED));
    const fleet = readResult<FleetCell>('fleet');
    if (fleet) writeFileSync(FLEET_PAGE, withTables(readFileSync(FLEET_PAGE, 'utf8'), fleet));
  }
  return fileURLToPath(REPORT);
}

const path = draw();
if (path === null) {
  process.stderr.write('There are no results to draw. npm run bench makes some.\n');
  process.exitCode = 1;
} else process.stdout.write(`${path}\n`);
