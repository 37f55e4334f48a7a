/**
 * Draws `bench/results/*.json` (the last runs, or the published ones) into one page, `bench/results/report.html`, that
 * a browser shows offline; each chart also as an SVG file under `bench/results/charts/`. A question that was never run is
 * left out.
 *
 *     npm run bench:report
 *     npm run bench:report -- --publish    also puts these results, and the charts that the documentation shows, into
 *                                          bench/results/published/, and the tables of docs/fleet.md into their place
 *     npm run bench:publish                measures everything first, at full length
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withTables } from './fleet/document.js';
import type { FleetCell } from './fleet/show.js';
import { PUBLISHED, publish, readResult } from './harness/result.js';
import { chaptersOf } from './report/chapters.js';
import { page } from './report/page.js';
import { standalone } from './report/standalone.js';

const REPORT = new URL('./results/report.html', import.meta.url);
const CHARTS = new URL('./results/charts/', import.meta.url);
const FLEET_PAGE = new URL('../docs/fleet.md', import.meta.url);
/** Their figures stand in a page of docs/, which this writes: the JSON would say them twice. */
const CHART_ONLY: ReadonlySet<string> = new Set(['fleet']);
const PUBLISHED_CHARTS = ['intervals-1.svg', 'intervals-3.svg', 'caches-1.svg', 'fleet-1.svg'];

function draw(): string | null {
  const chapters = chaptersOf(readResult);
  if (chapters.length === 0) return null;
  mkdirSync(new URL('.', REPORT), { recursive: true });
  writeFileSync(REPORT, page(chapters));
  mkdirSync(CHARTS, { recursive: true });
  const drawn = new Set<string>();
  for (const { result, section } of chapters)
    for (const [index, figure] of section.figures.entries()) {
      const name = `${result.question}-${index + 1}.svg`;
      writeFileSync(new URL(name, CHARTS), standalone(figure));
      drawn.add(name);
    }
  if (process.argv.includes('--publish')) {
    for (const { result } of chapters) if (!CHART_ONLY.has(result.question)) publish(result);
    // A chart without a result, of the fleets, stays as it was published.
    for (const chart of PUBLISHED_CHARTS.filter((name) => drawn.has(name)))
      copyFileSync(new URL(chart, CHARTS), new URL(chart, PUBLISHED));
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
