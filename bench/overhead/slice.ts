/** A second of calls, as many at a time as are wanted, and what each of them cost. */
import type { HelloClient } from '../../test/support/hello-service.js';
import { ClosedLoop } from '../../test/support/load-generator.js';
import type { Recorder } from '../../test/support/recorder.js';
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
  client: HelloClient,
  inFlight: number,
  pods: number,
  total: Recorder,
): Promise<Slice> {
  const loop = new ClosedLoop(callOf(workload, client), { inFlight });
  const before = process.cpuUsage();
  const startedAt = performance.now();
  loop.start();
  await new Promise((resolve) => setTimeout(resolve, SLICE_MS));
  await loop.stop();
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(before);
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
