/**
 * What are health checks worth? A rolling restart of pods that at SIGTERM turn NOT_SERVING, finish what they have, and end
 * when no call has come for a while, or after a second at the latest. With and without the option `health`.
 *
 *     npm run bench:health
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient } from '../lib/index.js';
import { Cluster } from '../test/support/cluster.js';
import { eventually } from '../test/support/eventually.js';
import { unary } from '../test/support/hello-calls.js';
import { HelloClient } from '../test/support/hello-service.js';
import { ClosedLoop } from '../test/support/load-generator.js';
import { count, duration, percent } from '../test/support/number-format.js';
import type { RemotePod } from '../test/support/pod-host.js';
import type { ClusterDns } from '../test/support/pod-runner.js';
import { SharedProcesses } from '../test/support/pods-in-processes.js';
import { type Benchmark, type Context, type Outcome, runIfMain } from './harness/benchmark.js';
import type { Mode } from './harness/options.js';
import { Recording, type Result } from './harness/result.js';
import { mean } from './harness/statistics.js';
import { formatTable } from './harness/table.js';

const RIVALS = ['no health check', 'health'] as const;
type Rival = (typeof RIVALS)[number];

export interface HealthCell {
  readonly rival: Rival;
  readonly calls: number;
  readonly failed: number;
  /** From SIGTERM to a pod's end, the mean. */
  readonly retirementMs: number;
}

const PODS = 4;
const IN_FLIGHT = 20;
const DELAY_MS = 10;
/** The default. */
const INTERVAL_MS = 5_000;
const QUIET_MS = 300;
/** What a server without a preStop sleep gives its calls. Their work takes a hundredth of that. */
const GRACE_MS = 1_000;
const RESTARTS: Record<Mode, number> = { short: 2, default: 6, full: 20 };

export const health: Benchmark<HealthCell> = {
  name: 'health',
  plan: ({ mode }) => RIVALS.map((rival) => ({ name: `health: ${rival}`, ms: 3_000 + RESTARTS[mode] * GRACE_MS })),
  run,
  show,
};

async function run({ options, progress }: Context): Promise<Outcome<HealthCell>> {
  const recording = new Recording('health', options);
  const restarts = RESTARTS[options.mode];
  const cells: HealthCell[] = [];
  for (const rival of RIVALS) {
    progress.begin(`health: ${rival}`);
    const pod = { delayMs: DELAY_MS, health: 'SERVING' } as const;
    const cluster = new Cluster(await SharedProcesses.create({ suite: 'bench' }), { pod });
    try {
      await cluster.scaleUp(PODS);
      const client = createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), {
        headless: cluster.headless({
          health: rival === 'health',
          refresh: { intervalMs: INTERVAL_MS, minIntervalMs: 1_000, burstMs: 0 },
        }),
      });
      const loop = new ClosedLoop(unary(client, { deadlineMs: 10_000 }), { inFlight: IN_FLIGHT });
      loop.start();
      await eventually(() => loop.recorder.byPod.size === PODS, { timeoutMs: 20_000 });
      const retirements: number[] = [];
      while (retirements.length < restarts) retirements.push(await restartOldest(cluster));
      await loop.stop();
      client.close();
      const { answered, failed } = loop.recorder;
      cells.push({ rival, calls: answered + failed, failed, retirementMs: mean(retirements) });
    } finally {
      await cluster.close();
    }
  }
  const parameters = { pods: PODS, restarts, inFlight: IN_FLIGHT, intervalMs: INTERVAL_MS, graceMs: GRACE_MS };
  return { result: recording.finish(parameters, cells) };
}

/** Resolves with the milliseconds that the old pod took to end. */
async function restartOldest(cluster: Cluster<RemotePod, ClusterDns>): Promise<number> {
  const [leaver] = cluster.pods;
  if (!leaver) throw new Error('the cluster has no pod');
  await cluster.scaleUp(1);
  // A new pod is Ready before the old one is told to end; it need not be in use by then.
  await sleep(200);
  cluster.unpublish(leaver);
  const startedAt = performance.now();
  await leaver.retire({ quietMs: QUIET_MS, mostMs: GRACE_MS });
  return performance.now() - startedAt;
}

function show({ cells }: Result<HealthCell>): string {
  return formatTable<HealthCell>(
    [
      { head: 'rolling restart', align: 'left', cell: ({ rival }) => rival },
      { head: 'calls', cell: ({ calls }) => count(calls) },
      { head: 'failed', cell: ({ failed }) => count(failed) },
      { head: 'share', cell: ({ calls, failed }) => percent(failed / calls) },
      { head: 'a pod ended\nafter', cell: ({ retirementMs }) => duration(retirementMs) },
    ],
    cells,
  );
}

await runIfMain(import.meta.url, health);
