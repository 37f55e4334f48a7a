/** Memory, handles and sockets of this process, sampled throughout a run; and whether they stayed flat. */
import { readdirSync, readlinkSync } from 'node:fs';

export interface Sample {
  /** From the start of the run, 0 to 1. */
  readonly progress: number;
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** That hold the event loop. */
  readonly handles: number;
  /** Beyond one for each connection to a pod. */
  readonly sockets: number;
}

export type Measure = 'heapBytes' | 'rssBytes' | 'handles' | 'sockets';

/** How much each may grow: calls, connections and code vary with the scenario. */
const ALLOWANCE: Readonly<Record<Measure, (first: number) => number>> = {
  heapBytes: (first) => first * 0.15 + 4 * 2 ** 20,
  rssBytes: (first) => first * 0.2 + 32 * 2 ** 20,
  handles: (first) => first * 0.25 + 15,
  sockets: () => 12,
};

export interface Comparison {
  readonly measure: Measure;
  readonly first: number;
  readonly last: number;
  readonly flat: boolean;
}

/** Compares the means of the first and the last tenth. Only growth counts. */
export function compare(samples: readonly Sample[]): Comparison[] {
  const first = samples.filter(({ progress }) => progress <= 0.1);
  const last = samples.filter(({ progress }) => progress >= 0.9);
  if (first.length === 0 || last.length === 0) throw new Error('no sample in the first or in the last tenth');
  return (Object.keys(ALLOWANCE) as Measure[]).map((measure) => {
    const [before, after] = [mean(first, measure), mean(last, measure)];
    return { measure, first: before, last: after, flat: after <= before + ALLOWANCE[measure](before) };
  });
}

function mean(samples: readonly Sample[], measure: Measure): number {
  return samples.reduce((sum, sample) => sum + sample[measure], 0) / samples.length;
}

/** Collects garbage first. @param connections to pods, as the channels have them. */
export function takeSample(progress: number, connections: number): Sample {
  const collect = globalThis.gc;
  if (!collect) throw new Error('the soak measures memory: run it with node --expose-gc');
  // The second collection frees what finalizers of the first released.
  collect();
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  return {
    progress,
    heapBytes: heapUsed,
    rssBytes: rss,
    handles: process.getActiveResourcesInfo().filter((name) => name !== 'Timeout' && name !== 'Immediate').length,
    sockets: countSockets() - connections,
  };
}

function countSockets(): number {
  const folder = '/proc/self/fd';
  return readdirSync(folder).filter((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`).startsWith('socket:');
    } catch {
      return false; // Closed since; the folder's own handle is among them.
    }
  }).length;
}
