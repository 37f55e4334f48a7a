/**
 * How old is a client's view of the Service, by refresh interval and DNS cache, and what does asking more often cost?
 *
 *     npm run bench:intervals                  real pods, all intervals and caches, baselines; under 10 minutes
 *     npm run bench:intervals -- --short       fewer, in about 2 minutes;  --full: everything, some 45 minutes
 *     npm run bench:intervals -- --cache 30    the rules for caches alone, behind one of 30 s; some 5 minutes
 *     npm run bench:intervals -- --simulate    the last run's cells again on a fake clock, and whether they agree;
 *                                              1 to 1,000 clients on one cache
 *
 * The caches are CoreDNS's, built where Go is; without Go they are a model of it, and the result says so. The baselines
 * HAProxy (where it is installed) and grpc-go with kuberesolver (built where Go is) are left out where they are missing.
 *
 * All cells run at the same time, on the same pods and the same scale events; cells of one setting share a client
 * process. A real run ends with the simulations too; with `--simulate` a disagreement is exit code 1.
 */

import type { Random } from '../lib/runtime.js';
import { coredns } from '../test/e2e/coredns/program.js';
import { kuberesolver } from '../test/e2e/kuberesolver/program.js';
import { whatIsMissing } from '../test/support/go-program.js';
import { missingHaProxy } from '../test/support/haproxy.js';
import { type Benchmark, type Context, type Outcome, runIfMain } from './harness/benchmark.js';
import type { Mode, Options } from './harness/options.js';
import type { Progress } from './harness/progress.js';
import { Recording, readResult } from './harness/result.js';
import { SIGMAS, simulateCells } from './intervals/agreement.js';
import { analyse, type CellResult, costOf } from './intervals/analysis.js';
import { type CacheTtl, cacheGridFor, type Grid, gridFor, type Rivals } from './intervals/grid.js';
import { measure, planOf } from './intervals/measure.js';
import type { CacheProgram } from './intervals/service.js';
import { type SharedCell, simulateSharing } from './intervals/sharing.js';
import { agreementText, disagreeing, type IntervalsParameters, pollCostText, showIntervals } from './intervals/show.js';

type Own = 'rate' | 'runs' | 'cache';

export type IntervalsCell = CellResult;

const SIMULATE = 'intervals: simulating';
const SHARE = 'intervals: simulating clients on one cache';
const SHARE_MS = 75_000;
const SIMULATED_MS: Readonly<Record<Mode, number>> = { short: 8_000, default: 40_000, full: 150_000 };

export const intervals: Benchmark<CellResult, Own> = {
  name: 'intervals',
  simulates: true,
  flags: {
    rate: { default: 25, min: 1, max: 1000, help: 'calls a second of each client' },
    cache: { default: 0, min: 0, max: 30, help: 'only behind a cache of 5 or 30 s; 0: all caches, and none' },
    runs: { default: 60, min: 10, max: 1000, help: 'simulated runs of each cell' },
  },

  plan(options) {
    const simulations = [
      { name: SIMULATE, ms: SIMULATED_MS[options.mode] },
      ...(options.mode === 'short' && !options.simulate ? [] : [{ name: SHARE, ms: SHARE_MS }]),
    ];
    return options.simulate && lastRun(options) ? simulations : [...planOf(gridOf(options)), ...simulations];
  },

  async run(context) {
    const last = context.options.simulate ? lastRun(context.options) : null;
    return last ? simulateAgain(last, context) : runForReal(context);
  },

  show(result) {
    const parameters = result.parameters as unknown as IntervalsParameters;
    return `${showIntervals(result.cells, parameters)}\n\n${pollCostText(parameters.cost)}`;
  },
};

async function runForReal({ options, progress, random }: Context<Own>): Promise<Outcome<CellResult>> {
  const recording = new Recording(questionOf(options), options);
  const grid = gridOf(options, options.own.cache === 0 ? rivals() : {});
  const missing = whatIsMissing(coredns);
  if (missing !== null) process.stderr.write(`${missing}\nThe caches of this run are a model of it.\n`);
  const cacheProgram: CacheProgram = missing === null ? 'CoreDNS' : 'model';
  const observations = await measure(grid, options.own.rate, cacheProgram, random, progress);
  const cost = costOf(observations, random);
  progress.begin(SIMULATE);
  const cells = await simulateCells(
    analyse(grid, observations, cost, random),
    grid,
    options.own.runs,
    random,
    progress,
  );
  const sharing = options.mode === 'short' && !options.simulate ? [] : await share(grid, random, progress);
  const { cells: _, coldStarts: coldStartPlan, ...fixed } = grid;
  const { coldStarts } = observations;
  const parameters = {
    ...fixed,
    cacheProgram,
    callsPerSecond: options.own.rate,
    sigmas: SIGMAS,
    cost,
    coldStartPlan,
    coldStarts,
    sharing,
  };
  const result = recording.finish(parameters, cells);
  return {
    result,
    raw: { ...observations, asked: [...observations.asked], processes: plain(observations) },
    broken: brokenBy(cells, options),
  };
}

async function simulateAgain(
  last: NonNullable<ReturnType<typeof lastRun>>,
  { options, progress, random }: Context<Own>,
): Promise<Outcome<CellResult>> {
  progress.begin(SIMULATE);
  const grid = last.parameters as unknown as Pick<Grid, 'steady' | 'waves' | 'tailMs'>;
  // Thinned values stand for the whole sample; of at most 100 events they are it.
  const measured = last.cells.map((cell) => ({ cell, seenMs: cell.seen.values ?? [] }));
  const cells = await simulateCells(measured, grid, options.own.runs, random, progress);
  const sharing = await share(gridFor(last.mode), random, progress);
  return { result: { ...last, parameters: { ...last.parameters, sharing }, cells }, broken: brokenBy(cells, options) };
}

function share(grid: Grid, random: Random, progress: Progress): Promise<SharedCell[]> {
  progress.begin(SHARE);
  return simulateSharing(grid.coldStarts.refresh, random, progress);
}

/** Those that are there, or can be built. Says what is not. */
function rivals(): Rivals {
  const isThere = (missing: string | null): boolean => {
    if (missing !== null) process.stderr.write(`${missing}\nThis run is without it.\n`);
    return missing === null;
  };
  return { proxy: isThere(missingHaProxy()), kuberesolver: isThere(whatIsMissing(kuberesolver)) };
}

function brokenBy(cells: readonly CellResult[], options: Options): string[] {
  return options.simulate && disagreeing(cells).length > 0
    ? [agreementText(cells.filter((cell) => cell.agreement))]
    : [];
}

function lastRun(options: Options<Own>) {
  return readResult<CellResult>(questionOf(options));
}

/** The whole grid, and the rules behind one cache, are results of their own. */
function questionOf({ own }: Options<Own>): string {
  return own.cache === 0 ? 'intervals' : 'caches';
}

function gridOf({ mode, own }: Options<Own>, rivals: Rivals = {}): Grid {
  if (own.cache === 0) return gridFor(mode, rivals);
  const cacheTtl = CACHES.find((ttl) => ttl === own.cache);
  if (cacheTtl === undefined) throw new Error(`--cache must be one of ${CACHES.join(', ')}, got ${own.cache}`);
  return cacheGridFor(mode, cacheTtl);
}

const CACHES: readonly CacheTtl[] = [5, 30];

/** Typed arrays and Maps are nothing to JSON. Times to a tenth of a millisecond. */
function plain({ processes }: Awaited<ReturnType<typeof measure>>): unknown {
  const round = (values: Iterable<number>): number[] => Array.from(values, (value) => Math.round(value * 10) / 10);
  return [...processes].map(([group, { logs, ...rest }]) => ({
    group,
    ...rest,
    logs: logs.map((log) => ({
      ...log,
      dueAt: round(log.dueAt),
      latencyMs: round(log.latencyMs),
      pod: [...log.pod],
    })),
  }));
}

await runIfMain(import.meta.url, intervals);
