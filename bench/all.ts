/**
 * Every benchmark in turn, under one progress bar: each table as soon as it is known, then the report.
 *
 *     npm run bench              short versions of all, some 14 minutes
 *     npm run bench -- --full    each at its default length, some 40 minutes
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../test/support/fake-random.js';
import { connections } from './connections.js';
import { dns } from './dns.js';
import { fleet } from './fleet.js';
import { type Benchmark, report } from './harness/benchmark.js';
import { type Options, readOptions } from './harness/options.js';
import { Progress } from './harness/progress.js';
import { health } from './health.js';
import { intervals } from './intervals.js';
import { outlier } from './outlier.js';
import { overhead } from './overhead.js';
import { retry } from './retry.js';
import { scale } from './scale.js';
import { streams } from './streams.js';
import { subset } from './subset.js';
import { tail } from './tail.js';

/** Those that need a quiet machine first; the intervals wait more than they work. */
const BENCHMARKS = [
  overhead,
  tail,
  scale,
  dns,
  retry,
  outlier,
  health,
  connections,
  subset,
  fleet,
  streams,
  intervals,
] as readonly Benchmark[];

const asked = readOptions('bench');
const optionsOf = (benchmark: Benchmark): Options => ({
  ...asked,
  mode: asked.mode === 'full' ? 'default' : 'short',
  own: Object.fromEntries(Object.entries(benchmark.flags ?? {}).map(([name, flag]) => [name, flag.default])),
});

process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const progress = new Progress(BENCHMARKS.flatMap((benchmark) => benchmark.plan(optionsOf(benchmark))));
for (const benchmark of BENCHMARKS) {
  const options = optionsOf(benchmark);
  const outcome = await benchmark.run({ options, progress, random: seededRandom(options.seed) });
  progress.hide();
  report(benchmark, outcome, options);
}
progress.end();

const drawer = fileURLToPath(new URL('./report.ts', import.meta.url));
execFileSync(process.execPath, [...process.execArgv, drawer], { stdio: 'inherit' });
