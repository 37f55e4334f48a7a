/**
 * Whether the simulation may stand for the real thing. Each cell is simulated many times over, each time for as many
 * events as the real run had: so the simulated runs tell how far one run's mean, and its distribution, stray by chance
 * alone (events found by the same poll, which make a run's evidence smaller than its count, included).
 *
 * A real cell agrees if its mean lies within `SIGMAS` standard deviations of the simulated runs' mean, plus what a
 * virtual clock lacks (the p99 of the client's event-loop delay, measured), and if the Kolmogorov-Smirnov distance
 * of its distribution from the simulated one is one that simulated runs have too, by the same measure.
 */
import type { Random } from '../../lib/runtime.js';
import type { Progress } from '../harness/progress.js';
import { deviation, ksDistance, mean, quantile, sorted, summarise } from '../harness/statistics.js';
import type { Agreement, CellResult, Measured, Simulated } from './analysis.js';
import type { CellPlan, Grid } from './grid.js';
import { simulateRun } from './simulation.js';

/** Two-sided 1 in 16,000 a figure: with two figures for each of some thirty cells, chance alone hardly ever fails. */
export const SIGMAS = 4;
const QUANTILES = 50;

/** Simulates every cell that the model covers, and compares. */
export async function simulateCells(
  measured: readonly Measured[],
  grid: Pick<Grid, 'steady' | 'waves' | 'tailMs'>,
  runs: number,
  random: Random,
  progress: Progress,
): Promise<CellResult[]> {
  const results: CellResult[] = [];
  for (const [index, { cell, seenMs: real }] of measured.entries()) {
    progress.setNote(`${cell.plan.label}, ${index + 1} of ${measured.length}`);
    const simulation = await simulate(cell.plan, grid, runs, random);
    if (simulation === null || real.length === 0) results.push(cell);
    else
      results.push({
        ...cell,
        simulated: describe(simulation, random),
        agreement: compare(real, simulation, cell.eventLoopDelayP99Ms ?? 0),
      });
  }
  return results;
}

async function simulate(
  { client, cacheTtl, fleet, service }: CellPlan,
  grid: Pick<Grid, 'steady' | 'waves' | 'tailMs'>,
  runs: number,
  random: Random,
): Promise<number[][] | null> {
  const scaling = grid[service];
  // Where connections break, hints hasten the polls.
  if (client.kind !== 'headless' || fleet !== 'lasting' || scaling === null) return null;
  const plan = { refresh: client.refresh, cacheTtl, scaling, tailMs: grid.tailMs };
  const all: number[][] = [];
  for (let run = 0; run < runs; run++) all.push(await simulateRun(plan, random));
  return all.filter((staleness) => staleness.length > 0);
}

function describe(runs: readonly (readonly number[])[], random: Random): Simulated {
  const all = runs.flat();
  const ascending = sorted(all);
  const clusters = runs.flatMap((run, index) => run.map(() => index));
  const summary = summarise(all, random, clusters);
  if (summary === null) throw new Error('a simulation without events');
  return {
    events: all.length,
    runs: runs.length,
    summary,
    quantiles: Array.from({ length: QUANTILES }, (_, index) => quantile(ascending, index / (QUANTILES - 1))),
  };
}

function compare(real: readonly number[], runs: readonly (readonly number[])[], latenessMs: number): Agreement {
  const all = runs.flat();
  const means = runs.map(mean);
  const differenceMs = mean(real) - mean(all);
  const toleranceMs = SIGMAS * deviation(means) + latenessMs;
  const distances = runs.map((run) => ksDistance(run, all));
  const ks = ksDistance(real, all);
  const ksLimit = Math.min(1, mean(distances) + SIGMAS * deviation(distances));
  const agrees = Math.abs(differenceMs) <= toleranceMs && ks <= ksLimit;
  return { agrees, differenceMs, toleranceMs, ks, ksLimit };
}
