/**
 * Giving a balancer its sets, on fake subchannels: what the balancer itself costs, without sockets and pool. Ours is
 * charged with all that follows an answer; grpc-js's is handed lists that are made already.
 */
import { applyResolution, EMPTY_MEMBERSHIP } from '../../lib/discovery/membership.js';
import { unclaimedLoopback } from '../../test/support/loopback.js';
import { answerOf, BalancerHarness } from '../harness/balancer-harness.js';
import { quantile, sorted } from '../harness/statistics.js';

export interface ApplyCell {
  readonly kind: 'apply';
  readonly rival: 'ours' | 'grpc-js round_robin';
  readonly pods: number;
  /** The first set, until a picker over all of them is out. */
  readonly firstSetMs: number;
  /** One pod goes, another comes: the synchronous work until the picker is out, median. */
  readonly oneChangeUs: number;
  /** Of that, finding out that it was this pod: every address of an answer must be looked at. 0 for grpc-js. */
  readonly compareUs: number;
  /** One connection breaks and comes back: two pickers, median for one. */
  readonly pickerUs: number;
  /** JavaScript heap a pod, fake subchannels included; null for sets too small to tell. */
  readonly heapBytes: number | null;
}

const CHANGES = 31;
const WARM_UP_TO = 1_000;
const HEAP_FROM = 1_000;

export async function measureApplying(balancer: ApplyCell['rival'], pods: number): Promise<ApplyCell> {
  const name = balancer === 'ours' ? 'headless' : 'round_robin';
  const ips = unclaimedLoopback(pods + CHANGES);
  // Once in vain, so that the code is warm; a huge set warms it by itself.
  if (pods <= WARM_UP_TO) await measureOnce(balancer, name, ips, pods);
  return await measureOnce(balancer, name, ips, pods);
}

async function measureOnce(
  balancer: ApplyCell['rival'],
  name: string,
  ips: readonly string[],
  pods: number,
): Promise<ApplyCell> {
  const heapBefore = await usedHeap();
  const harness = new BalancerHarness(name);
  let firstSetMs = timeOf(() => harness.update(ips.slice(0, pods)));
  // Ours makes subchannels a few in each turn; only its own work counts, not the wait between.
  while (harness.made < pods) firstSetMs += await nextTurn();
  firstSetMs += timeOf(() => harness.connect());
  harness.forget();
  const heapBytes = pods < HEAP_FROM ? null : ((await usedHeap()) - heapBefore) / pods;

  // A pod that comes has a pooled connection: the change is complete when it was applied.
  harness.pooled();
  const changes: number[] = [];
  for (let change = 1; change <= CHANGES; change++) {
    changes.push(timeOf(harness.prepare(ips.slice(change, pods + change))) * 1_000);
    harness.forget();
  }
  const compareUs = balancer === 'ours' ? median(timesToCompare(ips, pods)) : 0;
  const pickers: number[] = [];
  for (let change = 0; change < CHANGES; change++) {
    pickers.push((timeOf(() => harness.flap()) * 1_000) / 2);
    harness.forget();
  }
  harness.destroy();
  const oneChangeUs = median(changes);
  return {
    kind: 'apply',
    rival: balancer,
    pods,
    firstSetMs,
    oneChangeUs,
    compareUs,
    pickerUs: median(pickers),
    heapBytes,
  };
}

function timesToCompare(ips: readonly string[], pods: number): number[] {
  let membership = EMPTY_MEMBERSHIP;
  return Array.from({ length: CHANGES }, (_, change) => {
    const answer = answerOf(ips.slice(change, pods + change));
    return (
      timeOf(() => {
        membership = applyResolution(membership, answer, 'keep').membership;
      }) * 1_000
    );
  });
}

function median(values: readonly number[]): number {
  return quantile(sorted(values), 0.5);
}

/** Milliseconds. */
function timeOf(work: () => void): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

/** Milliseconds that the loop was busy until a timer of ours came round. */
async function nextTurn(): Promise<number> {
  const before = performance.eventLoopUtilization();
  await new Promise((resolve) => setTimeout(resolve, 1));
  return performance.eventLoopUtilization(before).active;
}

async function usedHeap(): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
