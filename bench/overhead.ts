/**
 * What does balancing cost, and what do metrics? The same calls over the same pods, by our two policies, by ours with options
 * that cost something for each call, by grpc-js's, and by HAProxy beside the client where it is installed, in turn: each
 * round measures every balancer for a second, the next round in the opposite order, and figures are ratios within a round. Then, for what starts often, what a fresh process takes
 * to load the package and to make its first call.
 *
 *     npm run bench:overhead            all kinds of calls over 1, 4, 50 and 100 pods, 9 rounds
 *     npm run bench:overhead -- --short unary calls over 4 and 50 pods, 3 rounds
 */

import { Cluster } from '../test/support/cluster.js';
import type { DnsServer } from '../test/support/dns-server.js';
import { missingHaProxy } from '../test/support/haproxy.js';
import type { Latency } from '../test/support/latency.js';
import { count, counted, duration, kibibytes, ratioWithInterval } from '../test/support/number-format.js';
import type { RemotePod } from '../test/support/pod-host.js';
import { SharedProcesses } from '../test/support/pods-in-processes.js';
import { Recorder } from '../test/support/recorder.js';
import { type Benchmark, type Context, type Outcome, runIfMain } from './harness/benchmark.js';
import type { Mode } from './harness/options.js';
import { Recording, type Result } from './harness/result.js';
import { mean, quantile, type Ratio, ratioOfPairs, sorted } from './harness/statistics.js';
import { formatTable } from './harness/table.js';
import { allocatedBytes } from './overhead/allocation.js';
import { BALANCERS, BASELINE, type Balancer, type Connection, connect } from './overhead/baselines.js';
import { COLD_STARTS, type ColdStartCell, coldStarts, coldStartTable } from './overhead/cold-start.js';
import {
  METRICS_SETTINGS,
  type MetricsCell,
  type MetricsSetting,
  metricsTable,
  withMetrics,
} from './overhead/metrics.js';
import { PICKS, type PickCell, pickAlone } from './overhead/pick.js';
import { SLICE_MS, type Slice, slice } from './overhead/slice.js';
import { LARGE_OCTETS, STREAM_LENGTH, WORKLOADS, type Workload } from './overhead/workloads.js';

export interface CallsCell {
  readonly kind: 'calls';
  readonly workload: Workload;
  readonly pods: number;
  readonly rival: Balancer;
  /** Medians over the rounds. */
  readonly callsPerSecond: number;
  /** User and system time of the client's process, all of it: the loop that calls included; and of the proxy beside it. */
  readonly cpuUs: number;
  readonly systemUs: number;
  readonly latency: Latency;
  readonly allocatedBytes: number;
  /** Calls of the busiest pod over those of the mean pod, in one second. */
  readonly imbalance: number;
  /** To the baseline, pair by pair; null for the baseline itself. */
  readonly ratios: { readonly throughput: Ratio; readonly cpu: Ratio; readonly p99: Ratio } | null;
}

export type OverheadCell = CallsCell | PickCell | MetricsCell | ColdStartCell;

interface Setting {
  readonly workload: Workload;
  readonly pods: number;
}

/** The difference that metrics make is small, so it takes more rounds to be seen. */
const METRICS_ROUNDS: Record<Mode, number> = { short: 3, default: 30, full: 60 };

const ROUNDS: Record<Mode, number> = { short: 3, default: 9, full: 15 };

function settings(mode: Mode): Setting[] {
  if (mode === 'short') return [4, 50].map((pods) => ({ workload: 'unary', pods }));
  return WORKLOADS.flatMap((workload) => [1, 4, 50, 100].map((pods) => ({ workload, pods })));
}

function stepOf({ workload, pods }: Setting): string {
  return `overhead: ${workload} calls over ${counted(pods, 'pod')}`;
}

function metricsStepOf({ pods, addresses }: MetricsSetting): string {
  return `overhead: metrics${addresses ? ' with addresses' : ''}, ${pods} pods`;
}

export const overhead: Benchmark<OverheadCell, 'inFlight'> = {
  name: 'overhead',
  flags: { inFlight: { default: 40, min: 1, max: 1_000, help: 'calls in flight at all times' } },
  plan: ({ mode }) => [
    { name: 'overhead: start pods', ms: 4_000 },
    ...settings(mode).map((setting) => ({
      name: stepOf(setting),
      ms: BALANCERS.length * (ROUNDS[mode] + 2) * (SLICE_MS + 100) + 1_000,
    })),
    ...METRICS_SETTINGS.map((setting) => ({
      name: metricsStepOf(setting),
      ms: (2 * METRICS_ROUNDS[mode] + 2) * (SLICE_MS + 100),
    })),
    { name: 'overhead: the pick alone', ms: 3_000 },
    { name: 'overhead: cold start', ms: 6_000 + COLD_STARTS[mode] * 600 },
  ],
  run,
  show,
};

async function run({ options, progress, random }: Context<'inFlight'>): Promise<Outcome<OverheadCell>> {
  const recording = new Recording('overhead', options);
  const missing = missingHaProxy();
  if (missing !== null) process.stderr.write(`${missing}\nThis run is without it.\n`);
  const balancers = BALANCERS.filter((balancer) => balancer !== 'HAProxy sidecar' || missing === null);
  const rounds = ROUNDS[options.mode];
  const wanted = settings(options.mode);
  const cells: OverheadCell[] = [];
  const raw: unknown[] = [];
  progress.begin('overhead: start pods');
  const cluster = new Cluster(await SharedProcesses.create({ suite: 'bench' }), {});
  try {
    await cluster.scaleUp(Math.max(...wanted.map(({ pods }) => pods)));
    for (const setting of wanted) {
      progress.begin(stepOf(setting));
      const measured = await measure(balancers, setting, cluster, options.own.inFlight, rounds, (note) =>
        progress.setNote(note),
      );
      const baseline = measured.get(BASELINE)?.slices ?? [];
      for (const [balancer, { slices, recorder, bytes }] of measured) {
        raw.push({ ...setting, rival: balancer, slices });
        const pairs = (figure: (slice: Slice) => number): Ratio =>
          ratioOfPairs(
            slices.map((slice, round) => [figure(slice), figure(baseline[round] as Slice)] as const),
            random,
          );
        const median = (figure: (slice: Slice) => number): number => quantile(sorted(slices.map(figure)), 0.5);
        cells.push({
          kind: 'calls',
          ...setting,
          rival: balancer,
          callsPerSecond: median((slice) => slice.callsPerSecond),
          cpuUs: median((slice) => slice.cpuUs),
          systemUs: median((slice) => slice.systemUs),
          latency: recorder.latency.report,
          allocatedBytes: bytes,
          imbalance: median((slice) => slice.imbalance),
          ratios:
            balancer === BASELINE
              ? null
              : {
                  throughput: pairs((slice) => slice.callsPerSecond),
                  cpu: pairs((slice) => slice.cpuUs),
                  p99: pairs((slice) => slice.p99Ms),
                },
        });
      }
    }
    for (const setting of METRICS_SETTINGS) {
      progress.begin(metricsStepOf(setting));
      const metricsRounds = METRICS_ROUNDS[options.mode];
      const ips = cluster.ips.slice(0, setting.pods);
      const measured = await withMetrics(setting, ips, cluster.port, options.own.inFlight, metricsRounds, random);
      cells.push(measured.cell);
      raw.push(measured.raw);
    }
    progress.begin('overhead: the pick alone');
    cells.push(...(await pickAlone(rounds)));
    progress.begin('overhead: cold start');
    cells.push(...(await coldStarts(COLD_STARTS[options.mode])));
  } finally {
    await cluster.close();
  }
  const parameters = {
    inFlight: options.own.inFlight,
    rounds,
    metricsRounds: METRICS_ROUNDS[options.mode],
    sliceMs: SLICE_MS,
    streamLength: STREAM_LENGTH,
    largeOctets: LARGE_OCTETS,
    picks: PICKS,
    coldStarts: COLD_STARTS[options.mode],
  };
  return { result: recording.finish(parameters, cells), raw };
}

interface Measured {
  readonly slices: Slice[];
  /** Of all rounds. */
  readonly recorder: Recorder;
  /** A call. */
  readonly bytes: number;
}

async function measure(
  balancers: readonly Balancer[],
  { workload, pods }: Setting,
  cluster: Cluster<RemotePod, DnsServer>,
  inFlight: number,
  rounds: number,
  tell: (note: string) => void,
): Promise<Map<Balancer, Measured>> {
  const ips = cluster.ips.slice(0, pods);
  const connections = new Map<Balancer, Connection>();
  const measured = new Map<Balancer, Measured>();
  try {
    for (const balancer of balancers) {
      tell(`warm up ${balancer}`);
      const connection = await connect(balancer, ips, cluster.port);
      connections.set(balancer, connection);
      await slice(workload, connection, inFlight, pods, new Recorder());
      const profiled = new Recorder();
      const allocated = await allocatedBytes(async () => {
        await slice(workload, connection, inFlight, pods, profiled);
      });
      measured.set(balancer, { slices: [], recorder: new Recorder(), bytes: allocated / profiled.answered });
    }
    for (let round = 0; round < rounds; round++) {
      tell(`round ${round + 1} of ${rounds}`);
      // A B C D, D C B A: what drifts with time falls on all alike.
      const order = round % 2 === 0 ? [...measured] : [...measured].reverse();
      for (const [balancer, { slices, recorder }] of order)
        slices.push(await slice(workload, connections.get(balancer) as Connection, inFlight, pods, recorder));
    }
  } finally {
    for (const connection of connections.values()) await connection.close();
  }
  return measured;
}

function show({ cells }: Result<OverheadCell>): string {
  const calls = cells.filter((cell): cell is CallsCell => cell.kind === 'calls');
  const rows: (CallsCell | null)[] = [];
  for (const cell of calls) {
    if (cell.rival === BALANCERS[0] && rows.length > 0) rows.push(null);
    rows.push(cell);
  }
  // The baseline's ratio to itself.
  const between = (figure: Ratio | undefined): string => (figure ? ratioWithInterval(figure) : '1');
  const callsTable = formatTable<CallsCell>(
    [
      { head: 'calls', align: 'left', cell: ({ workload }) => workload },
      { head: 'pods', cell: ({ pods }) => count(pods) },
      { head: 'balancer', align: 'left', cell: ({ rival }) => rival },
      { head: 'calls/s', cell: ({ callsPerSecond }) => count(Math.round(callsPerSecond)) },
      { head: 'to grpc-js\nround_robin', cell: ({ ratios }) => between(ratios?.throughput) },
      { head: 'CPU\na call', cell: ({ cpuUs }) => duration(cpuUs / 1000) },
      { head: 'to grpc-js\nround_robin', cell: ({ ratios }) => between(ratios?.cpu) },
      { head: 'p50', cell: ({ latency }) => duration(latency.p50Ms) },
      { head: 'p99', cell: ({ latency }) => duration(latency.p99Ms) },
      { head: 'p99.9', cell: ({ latency }) => duration(latency.p999Ms) },
      { head: 'allocated\na call', cell: ({ allocatedBytes: octets }) => kibibytes(octets) },
      { head: 'busiest /\nmean pod', cell: ({ imbalance }) => imbalance.toFixed(2) },
    ],
    rows,
  );
  const picks = cells.filter((cell): cell is PickCell => cell.kind === 'pick');
  const pickTable = formatTable<PickCell>(
    [
      { head: 'the pick alone', align: 'left', cell: ({ rival }) => rival },
      { head: 'pods', cell: ({ pods }) => count(pods) },
      { head: 'a pick', cell: ({ nanoseconds }) => duration(nanoseconds / 1e6) },
      {
        head: 'share of a call',
        cell: ({ nanoseconds }) =>
          `${((nanoseconds / 1000 / mean(calls.map(({ cpuUs }) => cpuUs))) * 100).toFixed(2)} %`,
      },
    ],
    picks,
  );
  const metrics = cells.filter((cell): cell is MetricsCell => cell.kind === 'metrics');
  const starts = cells.filter((cell): cell is ColdStartCell => cell.kind === 'cold-start');
  const metricsTables = metrics.length > 0 ? [metricsTable(metrics)] : [];
  return [callsTable, ...metricsTables, pickTable, coldStartTable(starts)].join('\n\n');
}

await runIfMain(import.meta.url, overhead);
