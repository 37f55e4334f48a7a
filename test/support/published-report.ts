/**
 * The report of the benchmark as HTML, from the published results. The simulated fleets publish no result, so a small one
 * with made-up figures stands for them.
 */
import type { FleetCell } from '../../bench/fleet/show.js';
import { type Result, readPublished } from '../../bench/harness/result.js';
import { chaptersOf } from '../../bench/report/chapters.js';
import { type Chapter, page } from '../../bench/report/page.js';

const SCENARIOS = ['rollout', 'crash', 'restart'] as const satisfies FleetCell['scenario'][];

export function publishedChapters(): Chapter[] {
  return chaptersOf((question) => (question === 'fleet' ? fleet() : readPublished(question)));
}

export function publishedReport(): string {
  return page(publishedChapters());
}

function fleet(): Result<FleetCell> | null {
  const machine = readPublished('scale')?.machine;
  if (!machine) return null;
  const cells = SCENARIOS.flatMap((scenario) =>
    ['phased', 'adaptive', 'plain poll'].flatMap((client, index) =>
      [0, 30].map(
        (cacheTtl): FleetCell => ({
          scenario,
          clients: 1_000,
          client,
          pods: 100,
          replicas: 2,
          cacheTtl,
          calmMean: 190,
          calmWorst: 220,
          worst: 400 + 100 * index,
          worstAnswered: 400,
          settledWorst: 210,
          ...(cacheTtl === 0
            ? { queriesPerSecond: Array.from({ length: 60 }, (_, second) => (second === 12 ? 400 : 190) + 20 * index) }
            : {}),
          news: { meanMs: 700 + 900 * index, p99Ms: 4_800, maxMs: 5_000, lastKnowsMs: 1_090, unaware: 0, takenBack: 0 },
        }),
      ),
    ),
  );
  return {
    question: 'fleet',
    startedAt: '2026-01-01T00:00:00.000Z',
    seconds: 1,
    mode: 'short',
    seed: 1,
    machine,
    parameters: { replicaQps: 11_000 },
    cells,
  };
}
