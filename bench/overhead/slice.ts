/** A second of calls, as many at a time as are wanted, and what each of them cost. */
import { ClosedLoop } from '../../test/support/load-generator.js';
import type { Recorder } from '../../test/support/recorder.js';
import type { Connection } from './baselines.js';
import { callOf, type Workload } from './workloads.js';

export const SLICE_MS = 1_000;

export interface Slice {
  readonly callsPerSecond: number;
  readonly cpuUs: number;
  readonly systemUs: number;
  readonly p99Ms: number;
  readonly imbalance: number;
}

export async function slice(
  workload: Workload,
  connection: Connection,
  inFlight: number,
  pods: number,
  total: Recorder,
): Promise<Slice> {
  const loop = new ClosedLoop(callOf(workload, connection.client), { inFlight });
  const before = connection.cpuUsage();
  const startedAt = performance.now();
  loop.start();
  await new Promise((resolve) => setTimeout(resolve, SLICE_MS));
  await loop.stop();
  const seconds = (performance.now() - startedAt) / 1000;
  const after = connection.cpuUsage();
  const [user, system] = [after.user - before.user, after.system - before.system];
  const { answered, failed, byPod, latency, failedByStatus } = loop.recorder.report();
  if (failed > 0) throw new Error(`calls failed: ${JSON.stringify(failedByStatus)}`);
  total.add(loop.recorder);
  return {
    callsPerSecond: answered / seconds,
    cpuUs: (user + system) / answered,
    systemUs: system / answered,
    p99Ms: latency.p99Ms,
    imbalance: Math.max(...Object.values(byPod)) / (answered / pods),
  };
}
