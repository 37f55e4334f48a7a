/**
 * What does one poll cost, and how many does a process send? Our DNS client beside c-ares (`dns.resolve4`) and
 * getaddrinfo (`dns.lookup`); getaddrinfo with slow look-ups beside it in the thread pool; the queries on the wire with
 * 1, 10 and 100 channels to one name; and the queries of a client whose servers close their connections again and again.
 *
 *     npm run bench:dns
 */

import { credentials } from '@grpc/grpc-js';
import { HeadlessChannel } from '../lib/index.js';
import { unclaimedLoopback } from '../test/support/loopback.js';
import { count, duration, ratio, ratioWithInterval, significant } from '../test/support/number-format.js';
import { PodHost, type RemoteDns } from '../test/support/pod-host.js';
import { type Benchmark, type Context, type Outcome, runIfMain } from './harness/benchmark.js';
import type { Mode } from './harness/options.js';
import { Recording, type Result } from './harness/result.js';
import { quantile, type Ratio, ratioOfPairs, sorted } from './harness/statistics.js';
import { formatTable } from './harness/table.js';
import { type Closing, type ClosingPlan, SETTLE_MS, watchClosing } from './polling/closing.js';
import { POOL_THREADS, withPoolBlocked } from './polling/pool.js';
import { cares, getaddrinfo, ours, type Resolve, type ResolverName } from './polling/resolvers.js';

export interface PollCell {
  readonly kind: 'poll';
  readonly resolver: ResolverName;
  readonly records: number;
  /** Of the client's process, medians of the rounds. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** To c-ares, round by round; null for c-ares itself. */
  readonly cpuRatio: Ratio | null;
}

export interface PoolCell {
  readonly kind: 'pool';
  readonly resolver: ResolverName;
  /** One look-up while every thread of the pool hangs. */
  readonly blockedMs: number;
}

export interface WireCell {
  readonly kind: 'wire';
  readonly channels: number;
  readonly queriesPerMinute: number;
}

export interface ClosingCell extends Closing {
  readonly kind: 'closing';
}

export type DnsCell = PollCell | PoolCell | WireCell | ClosingCell;

/** 3 and 70 pods come over UDP, 300 over TCP. */
const RECORDS = [3, 70, 300];
const CHANNELS = [1, 10, 100];
const POLLS = 200;
/** Of each resolver before the first round: c-ares needs no compiler to warm up, we do. */
const WARM_UP_POLLS = 1_000;
/** About what one takes, for the progress bar. */
const POLL_MS = 1.5;
const HANG_MS = 1_000;
const INTERVAL_MS = 500;
const CLOSING: readonly ClosingPlan[] = [
  { pods: 4, closeAfterMs: 500 },
  { pods: 50, closeAfterMs: 30_000 },
];
/** Of the plain interval's queries. */
const CLOSING_GOAL = 2;
const ROUNDS: Record<Mode, number> = { short: 3, default: 9, full: 15 };
const CLOSING_MS: Record<Mode, number> = { short: 20_000, default: 120_000, full: 300_000 };
const WATCH_MS: Record<Mode, number> = { short: 2_500, default: 10_000, full: 30_000 };

export const dns: Benchmark<DnsCell> = {
  name: 'dns',
  plan: ({ mode }) => [
    { name: 'dns: start the server', ms: 2_000 },
    ...RECORDS.map((records) => ({
      name: `dns: polls of ${records} records`,
      ms: (2 * WARM_UP_POLLS + 2 * ROUNDS[mode] * POLLS) * POLL_MS,
    })),
    { name: 'dns: look up while the pool hangs', ms: 3 * HANG_MS },
    ...CHANNELS.map((channels) => ({ name: `dns: ${channels} channels to one name`, ms: WATCH_MS[mode] + 200 })),
    ...CLOSING.map((plan) => ({
      name: closingName(plan),
      ms: plan.closeAfterMs + SETTLE_MS + CLOSING_MS[mode] + 5_000,
    })),
  ],
  run,
  show,
};

async function run({ options, progress, random }: Context): Promise<Outcome<DnsCell>> {
  const recording = new Recording('dns', options);
  const cells: DnsCell[] = [];
  progress.begin('dns: start the server');
  // In a process of its own, so that its CPU is not the clients'.
  const host = await PodHost.spawn();
  try {
    const server = await host.startDns();
    for (const records of RECORDS) server.set(nameOf(records), unclaimedLoopback(records), { ttl: 30 });
    for (const channels of CHANNELS) server.set(wireName(channels), unclaimedLoopback(1), { ttl: 30 });
    const { address } = server;
    for (const records of RECORDS) {
      progress.begin(`dns: polls of ${records} records`);
      cells.push(...(await comparePolls(records, address, ROUNDS[options.mode], random)));
    }
    progress.begin('dns: look up while the pool hangs');
    const blocked: [ResolverName, Resolve][] = [
      ['ours', ours(nameOf(3), address)],
      ['dns.resolve4', cares(nameOf(3), address)],
      ['dns.lookup', getaddrinfo()],
    ];
    for (const [resolver, resolve] of blocked)
      cells.push({ kind: 'pool', resolver, blockedMs: await withPoolBlocked(HANG_MS, () => timeOf(resolve)) });
    for (const channels of CHANNELS) {
      progress.begin(`dns: ${channels} channels to one name`);
      cells.push(await watchWire(channels, server, WATCH_MS[options.mode]));
    }
  } finally {
    await host.close();
  }
  for (const plan of CLOSING) {
    progress.begin(closingName(plan));
    cells.push({ kind: 'closing', ...(await watchClosing(plan, CLOSING_MS[options.mode])) });
  }
  const parameters = {
    rounds: ROUNDS[options.mode],
    pollsPerRound: POLLS,
    poolThreads: POOL_THREADS,
    poolHangsMs: HANG_MS,
    wireIntervalMs: INTERVAL_MS,
    closingWatchedMs: CLOSING_MS[options.mode],
    closingGoal: CLOSING_GOAL,
  };
  return { result: recording.finish(parameters, cells) };
}

function nameOf(records: number): string {
  return `pods-${records}.bench.svc.cluster.local`;
}

function closingName({ pods, closeAfterMs }: ClosingPlan): string {
  return `dns: ${pods} pods that close connections after ${duration(closeAfterMs)}`;
}

function wireName(channels: number): string {
  return `channels-${channels}.bench.svc.cluster.local`;
}

async function comparePolls(
  records: number,
  server: string,
  rounds: number,
  random: Context['random'],
): Promise<PollCell[]> {
  const name = nameOf(records);
  const resolvers = [
    { resolver: 'ours' as const, resolve: ours(name, server) },
    { resolver: 'dns.resolve4' as const, resolve: cares(name, server) },
  ].map((resolver) => ({ ...resolver, cpuUs: [] as number[], latencies: [] as number[] }));
  for (const { resolve } of resolvers) for (let poll = 0; poll < WARM_UP_POLLS; poll++) await timeOf(resolve, records);
  for (let round = 0; round < rounds; round++)
    for (const { resolve, cpuUs, latencies } of round % 2 === 0 ? resolvers : resolvers.toReversed()) {
      const before = process.cpuUsage();
      const times: number[] = [];
      for (let poll = 0; poll < POLLS; poll++) times.push(await timeOf(resolve, records));
      const { user, system } = process.cpuUsage(before);
      cpuUs.push((user + system) / POLLS);
      latencies.push(...times);
    }
  const baseline = resolvers[1]?.cpuUs ?? [];
  return resolvers.map(({ resolver, cpuUs, latencies }) => {
    const ascending = sorted(latencies);
    return {
      kind: 'poll',
      resolver,
      records,
      cpuUs: quantile(sorted(cpuUs), 0.5),
      p50Ms: quantile(ascending, 0.5),
      p99Ms: quantile(ascending, 0.99),
      cpuRatio:
        resolver === 'dns.resolve4'
          ? null
          : ratioOfPairs(
              cpuUs.map((own, index) => [own, baseline[index] as number] as const),
              random,
            ),
    };
  });
}

/** Milliseconds; an answer of the wrong size is no answer. */
async function timeOf(resolve: Resolve, expected?: number): Promise<number> {
  const startedAt = performance.now();
  const found = await resolve();
  if (expected !== undefined && found !== expected) throw new Error(`${found} addresses, expected ${expected}`);
  return performance.now() - startedAt;
}

async function watchWire(channels: number, server: RemoteDns, ms: number): Promise<WireCell> {
  const name = wireName(channels);
  const open = Array.from(
    { length: channels },
    () =>
      new HeadlessChannel(`${name}.:50051`, credentials.createInsecure(), {
        // Nothing listens there: without the burst only the interval asks.
        headless: {
          dns: { servers: [server.address] },
          refresh: { intervalMs: INTERVAL_MS, minIntervalMs: INTERVAL_MS, burstMs: 0 },
        },
      }),
  );
  try {
    for (const channel of open) channel.getConnectivityState(true);
    const before = await server.asked(name);
    const startedAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, ms));
    const asked = (await server.asked(name)) - before;
    return { kind: 'wire', channels, queriesPerMinute: (asked * 60_000) / (performance.now() - startedAt) };
  } finally {
    for (const channel of open) channel.close();
  }
}

function show({ cells, parameters }: Result<DnsCell>): string {
  const of = <K extends DnsCell['kind']>(kind: K): Extract<DnsCell, { kind: K }>[] =>
    cells.filter((cell): cell is Extract<DnsCell, { kind: K }> => cell.kind === kind);
  const polls = formatTable<PollCell>(
    [
      { head: 'one poll\nrecords', cell: ({ records }) => count(records) },
      { head: 'resolver', align: 'left', cell: ({ resolver }) => resolver },
      // A ratio alone: polls in a tight loop are cheaper than those of a client, whose cost `bench:intervals` measures.
      {
        head: 'CPU to\ndns.resolve4',
        cell: ({ cpuRatio }) => (cpuRatio ? ratioWithInterval(cpuRatio) : '1'),
      },
      { head: 'p50', cell: ({ p50Ms }) => duration(p50Ms) },
      { head: 'p99', cell: ({ p99Ms }) => duration(p99Ms) },
    ],
    of('poll'),
  );
  const pool = formatTable<PoolCell>(
    [
      {
        head: `${parameters['poolThreads']} slow look-ups in the pool`,
        align: 'left',
        cell: ({ resolver }) => resolver,
      },
      { head: 'one more takes', cell: ({ blockedMs }) => duration(blockedMs) },
    ],
    of('pool'),
  );
  const wire = formatTable<WireCell>(
    [
      { head: 'channels to one name', cell: ({ channels }) => count(channels) },
      { head: 'queries a minute', cell: ({ queriesPerMinute }) => count(Math.round(queriesPerMinute)) },
    ],
    of('wire'),
  );
  const closing = formatTable<ClosingCell>(
    [
      { head: 'pods', cell: ({ pods }) => count(pods) },
      { head: 'close connections\nafter', cell: ({ closeAfterMs }) => duration(closeAfterMs) },
      { head: 'connections\na minute', cell: ({ connectionsPerMinute }) => significant(connectionsPerMinute) },
      { head: 'queries\na minute', cell: ({ queriesPerMinute }) => significant(queriesPerMinute) },
      { head: 'with lasting\nconnections', cell: ({ plainQueriesPerMinute }) => significant(plainQueriesPerMinute) },
      { head: 'ratio', cell: ({ queriesPerMinute, plainQueriesPerMinute: plain }) => ratio(queriesPerMinute / plain) },
      { head: 'goal', cell: () => `at most ${ratio(Number(parameters['closingGoal']))}` },
    ],
    of('closing'),
  );
  return `${polls}\n\n${pool}\n\n${wire}\n\n${closing}`;
}

await runIfMain(import.meta.url, dns);
