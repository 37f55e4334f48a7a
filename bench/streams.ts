/**
 * What becomes of long streams when pods come and go? One client holds streams to two pods; two more pods come, then one of
 * the first two goes. The same with and without what this package offers for it, at the same time on the same pods:
 * `ReopeningStream` after the scale-up, and `drain.timeoutMs` for the pod that goes.
 *
 *     npm run bench:streams
 */
import { type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { HeadlessChannel, type HeadlessOptions, ReopeningStream } from '../lib/index.js';
import { createFakeDns } from '../lib/testing.js';
import { Cluster } from '../test/support/cluster.js';
import { eventually } from '../test/support/eventually.js';
import { HelloClient, type HiRequest, type HiResponse } from '../test/support/hello-service.js';
import { count, duration, percent } from '../test/support/number-format.js';
import { SharedProcesses } from '../test/support/pods-in-processes.js';
import { type Benchmark, type Context, type Outcome, runIfMain } from './harness/benchmark.js';
import type { Mode } from './harness/options.js';
import { Recording, type Result } from './harness/result.js';
import { formatTable } from './harness/table.js';

type Chat = ClientDuplexStream<HiRequest, HiResponse>;

export interface StreamsCell {
  readonly rival: 'streams as they are' | 'ReopeningStream and drain.timeoutMs';
  readonly streams: number;
  /** After the scale-up from 2 to 4 pods: streams of the busiest pod, over the mean. */
  readonly imbalance: readonly { readonly atMs: number; readonly busiest: number }[];
  /** Calls opened beyond the first of each stream, in all that time. */
  readonly reopened: number;
  /** From the removal of a pod to the end of the last call on it; null: some were still open at the end. */
  readonly drainedMs: number | null;
}

const STREAMS: Record<Mode, number> = { short: 40, default: 100, full: 1_000 };
const SCALED_MS: Record<Mode, number> = { short: 26_000, default: 60_000, full: 300_000 };
const SAMPLE_MS = 2_000;
const DRAIN_TIMEOUT_MS = 3_000;
const DRAIN_WATCH_MS = 6_000;

export const streams: Benchmark<StreamsCell> = {
  name: 'streams',
  plan: ({ mode }) => [
    { name: 'streams: open them', ms: 4_000 },
    { name: 'streams: two pods become four', ms: SCALED_MS[mode] },
    { name: 'streams: one pod goes', ms: DRAIN_WATCH_MS },
  ],
  run,
  show,
};

/** A client with streams, and where they are. */
interface Holder {
  readonly rival: StreamsCell['rival'];
  readonly channel: HeadlessChannel;
  calls(): readonly Chat[];
  opened: number;
  close(): void;
}

async function run({ options: { mode, ...options }, progress }: Context): Promise<Outcome<StreamsCell>> {
  const recording = new Recording('streams', { mode, ...options });
  progress.begin('streams: open them');
  const cluster = new Cluster(await SharedProcesses.create({ suite: 'bench' }), {});
  const holders: Holder[] = [];
  try {
    await cluster.scaleUp(2);
    const dns = createFakeDns({ 'some.service': cluster.ips });
    for (const rival of ['streams as they are', 'ReopeningStream and drain.timeoutMs'] as const)
      holders.push(hold(rival, STREAMS[mode], dns.lookup, cluster.port));
    for (const holder of holders)
      await eventually(() => holder.calls().every((call) => call.getPeer().endsWith(`:${cluster.port}`)), {
        timeoutMs: 30_000,
      });

    progress.begin('streams: two pods become four');
    const four = [...cluster.ips];
    four.push(...(await cluster.scaleUp(2)).map(({ ip }) => ip));
    dns.set('some.service', four);
    const scaledAt = performance.now();
    const samples = new Map<Holder, { atMs: number; busiest: number }[]>(holders.map((holder) => [holder, []]));
    while (performance.now() - scaledAt < SCALED_MS[mode]) {
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
      const atMs = performance.now() - scaledAt;
      for (const [holder, list] of samples) list.push({ atMs, busiest: busiestOf(holder, four.length) });
    }
    const reopened = new Map(holders.map((holder) => [holder, holder.opened - STREAMS[mode]]));

    progress.begin('streams: one pod goes');
    const [gone = '', ...stay] = four;
    dns.set('some.service', stay);
    const removedAt = performance.now();
    const drained = new Map<Holder, number>();
    while (performance.now() - removedAt < DRAIN_WATCH_MS) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (const holder of holders)
        if (!drained.has(holder) && inFlightOn(holder, gone) === 0) drained.set(holder, performance.now() - removedAt);
    }
    const cells = holders.map(
      (holder): StreamsCell => ({
        rival: holder.rival,
        streams: STREAMS[mode],
        imbalance: samples.get(holder) ?? [],
        reopened: reopened.get(holder) ?? 0,
        drainedMs: drained.get(holder) ?? null,
      }),
    );
    const parameters = { scaledMs: SCALED_MS[mode], drainTimeoutMs: DRAIN_TIMEOUT_MS, drainWatchMs: DRAIN_WATCH_MS };
    return { result: recording.finish(parameters, cells) };
  } finally {
    for (const holder of holders) holder.close();
    await cluster.close();
  }
}

function hold(
  rival: StreamsCell['rival'],
  streamCount: number,
  lookup: NonNullable<NonNullable<HeadlessOptions['dns']>['lookup']>,
  port: number,
): Holder {
  const plain = rival === 'streams as they are';
  const target = `some.service:${port}`;
  const channel = new HeadlessChannel(target, credentials.createInsecure(), {
    headless: {
      dns: { lookup },
      refresh: { intervalMs: 200, minIntervalMs: 100 },
      ...(plain ? {} : { drain: { timeoutMs: DRAIN_TIMEOUT_MS } }),
    },
  });
  const client = new HelloClient(target, credentials.createInsecure(), { channelOverride: channel });
  const open = (): Chat => {
    holder.opened += 1;
    const call = client.HiChat();
    call.on('data', () => {});
    call.on('error', () => {});
    call.write({ to_who: 'pod', message: 'hello' });
    return call;
  };
  const holder: Holder = {
    rival,
    channel,
    calls: () => [],
    opened: 0,
    close: () => client.close(),
  };
  const ends: (() => void)[] = [];
  if (plain) {
    const calls = Array.from({ length: streamCount }, open);
    holder.calls = () => calls;
    ends.push(() => {
      for (const call of calls) call.cancel();
    });
  } else {
    const moving = Array.from({ length: streamCount }, () => new ReopeningStream(channel, open));
    holder.calls = () => moving.map(({ current }) => current);
    ends.push(() => {
      for (const stream of moving) stream.close();
    });
  }
  holder.close = () => {
    for (const end of ends) end();
    client.close();
  };
  return holder;
}

function busiestOf(holder: Holder, pods: number): number {
  const held = holder.channel.snapshot().endpoints.map(({ inFlight }) => inFlight);
  const all = held.reduce((sum, inFlight) => sum + inFlight, 0);
  return Math.max(...held) / (all / pods);
}

function inFlightOn(holder: Holder, ip: string): number {
  const { endpoints } = holder.channel.snapshot();
  return endpoints.find(({ address }) => address.startsWith(`${ip}:`))?.inFlight ?? 0;
}

function show({ cells }: Result<StreamsCell>): string {
  const at = (cell: StreamsCell, ms: number): string => {
    const sample = cell.imbalance.findLast(({ atMs }) => atMs <= ms);
    return sample ? percent(sample.busiest) : '–';
  };
  const last = Math.max(...cells.flatMap(({ imbalance }) => imbalance.map(({ atMs }) => atMs)));
  return formatTable<StreamsCell>(
    [
      { head: 'client', align: 'left', cell: ({ rival }) => rival },
      { head: 'streams', cell: (cell) => count(cell.streams) },
      ...[10_500, 24_500, last].map((ms) => ({
        head: `busiest pod / mean,\n${duration(ms)} after 2 -> 4 pods`,
        cell: (cell: StreamsCell) => at(cell, ms),
      })),
      { head: 'reopened', cell: ({ reopened }) => count(reopened) },
      {
        head: 'removed pod\nhas no call after',
        cell: ({ drainedMs }) => (drainedMs === null ? 'never ended' : duration(drainedMs)),
      },
    ],
    cells,
  );
}

await runIfMain(import.meta.url, streams);
