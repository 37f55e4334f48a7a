/** A real channel is given a huge set at once, with real sockets: how long is the event loop blocked? */
import { credentials } from '@grpc/grpc-js';
import { HeadlessChannel } from '../../lib/index.js';
import { CollectorPauses, EventLoopDelay } from '../../test/support/event-loop-delay.js';
import { unclaimedLoopback } from '../../test/support/loopback.js';
import { PodHost } from '../../test/support/pod-host.js';

export interface StallCell {
  readonly kind: 'stall';
  readonly pods: number;
  /** From the set's arrival until every pod has accepted a connection. */
  readonly readyMs: number;
  /** Delays of the event loop meanwhile. */
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The longest pause of the garbage collector meanwhile, which is among the delays. */
  readonly collectorMs: number;
  /** Resident memory a pod, connection included; null for sets too small to tell. */
  readonly residentBytes: number | null;
  /** Pods that were READY in the end. */
  readonly ready: number;
}

/** Two sockets a pod, one in each process, and some to spare. */
export function mostPods(): number {
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } };
  const limit = Number(report.userLimits?.open_files?.soft);
  return Number.isFinite(limit) ? Math.floor(limit * 0.8) : Number.POSITIVE_INFINITY;
}

const RESOLUTION_MS = 1;
const GIVE_UP_MS = 120_000;
const POLL_MS = 250;
const MEMORY_FROM = 1_000;

/** One server on 0.0.0.0 is every pod of 127.0.0.0/8, in a process of its own. */
export async function measureStall(pods: number): Promise<StallCell> {
  const host = await PodHost.spawn();
  try {
    const server = await host.start('0.0.0.0', 0);
    const ips = unclaimedLoopback(pods);
    globalThis.gc?.();
    const residentBefore = process.memoryUsage().rss;
    const channel = new HeadlessChannel(`huge.set:${server.port}`, credentials.createInsecure(), {
      headless: { dns: { lookup: async () => ({ addresses: ips, ttlMs: 30_000 }) }, refresh: { intervalMs: 60_000 } },
    });
    const delay = new EventLoopDelay(RESOLUTION_MS);
    const pauses = new CollectorPauses();
    delay.start();
    const startedAt = performance.now();
    channel.getConnectivityState(true);
    let accepted = 0;
    while (accepted < pods && performance.now() - startedAt < GIVE_UP_MS) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      // Asked of the server: a snapshot here would cost time in proportion to the set, and show in the delays.
      accepted = (await server.stats()).accepted;
    }
    const readyMs = performance.now() - startedAt;
    delay.stop();
    await pauses.stop();
    globalThis.gc?.();
    const residentBytes = pods < MEMORY_FROM ? null : (process.memoryUsage().rss - residentBefore) / pods;
    const ready = channel.snapshot().endpoints.filter(({ state }) => state === 'ready').length;
    channel.close();
    return {
      kind: 'stall',
      pods,
      readyMs,
      p99Ms: delay.p99Ms,
      maxMs: delay.maxMs,
      collectorMs: pauses.longestMs,
      residentBytes,
      ready,
    };
  } finally {
    await host.close();
  }
}
