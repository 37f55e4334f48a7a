/**
 * What does one bad pod do to the latency of all calls? Four pods, an open loop of calls at about half of their capacity, and
 * the same fault for each balancer in turn. A call that runs into its deadline counts as slow as the deadline.
 *
 *     npm run bench:tail
 */

import { status } from '@grpc/grpc-js';
import { Cluster } from '../test/support/cluster.js';
import { type CallEnd, unary } from '../test/support/hello-calls.js';
import type { HelloClient } from '../test/support/hello-service.js';
import { OpenLoop } from '../test/support/load-generator.js';
import { count, duration, percent, ratioWithInterval } from '../test/support/number-format.js';
import { type PodProcess, ProcessPerPod } from '../test/support/pods-in-processes.js';
import { type Benchmark, type Context, type Outcome, runIfMain } from './harness/benchmark.js';
import type { Mode } from './harness/options.js';
import { Recording, type Result } from './harness/result.js';
import { mean, quantile, type Ratio, ratioOfPairs, sorted } from './harness/statistics.js';
import { formatTable } from './harness/table.js';
import { type Balancer, connect, connectGrowing, isOurs, type OurBalancer, WARM_UP_MS } from './overhead/baselines.js';
import {
  begin,
  DESCRIPTIONS,
  HANG_MS,
  SCENARIOS,
  type Scenario,
  SERVICE_MS,
  SLOWNESS,
  STREAMS,
} from './tail/scenarios.js';

const FIXED = [
  'grpc-js round_robin',
  'ours round_robin',
  'ours least_request',
  'ours least_request, 4 choices',
  'ours peak_ewma',
  'ours peak_ewma, 4 choices',
] as const satisfies Balancer[];

/** In `streams` and `cold` the set of pods grows, which grpc-js's list of addresses cannot. */
const GROWING = ['ours round_robin', 'ours least_request', 'ours peak_ewma'] as const satisfies OurBalancer[];
const SLOW_START = [
  'ours round_robin, slow start',
  'ours least_request, slow start',
  'ours peak_ewma, slow start',
] as const satisfies OurBalancer[];

const BALANCERS_OF: Record<Scenario, readonly Balancer[]> = {
  slow: FIXED,
  hang: FIXED,
  uneven: FIXED,
  failing: FIXED,
  streams: GROWING,
  cold: [...GROWING, ...SLOW_START],
};

/** What a balancer's p99 is compared to; null where it is the baseline itself. */
function baselineOf(balancer: Balancer, scenario: Scenario): Balancer | null {
  const withoutSlowStart = balancer.replace(', slow start', '') as Balancer;
  if (withoutSlowStart !== balancer) return withoutSlowStart;
  const [first] = BALANCERS_OF[scenario];
  return scenario === 'cold' || first === balancer ? null : (first ?? null);
}

export interface TailCell {
  readonly scenario: Scenario;
  readonly rival: Balancer;
  readonly calls: number;
  readonly failed: number;
  /** Of the failed ones, those that no pod was picked for: they count for no pod's share. */
  readonly unsent: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Of p99 to that of round_robin, or to that without slow start, round by round; null for the baselines. */
  readonly p99Ratio: Ratio | null;
  /** Of the calls that were due in each quarter of a second, the share sent to the bad pod, mean of the rounds. */
  readonly victimShare: readonly { readonly atMs: number; readonly share: number }[];
}

interface Round {
  readonly latencies: readonly number[];
  readonly failed: number;
  readonly unsent: number;
  /** [sent to the victim, sent to any pod] for each bucket of the moments when calls were due. */
  readonly buckets: readonly (readonly [number, number])[];
}

const PODS = 4;
const CALLS_PER_SECOND = 200;
const ROUND_MS = 6_000;
const DEADLINE_MS = 4_000;
const BUCKET_MS = 250;
/** So long after its start a scenario's pod has joined and warmed up. */
const COLD_ROUND_MS = WARM_UP_MS + 1_000;
const ROUNDS: Record<Mode, number> = { short: 1, default: 5, full: 15 };

export const tail: Benchmark<TailCell> = {
  name: 'tail',
  plan: ({ mode }) => [
    { name: 'tail: start pods', ms: 5_000 },
    ...SCENARIOS.map((scenario) => ({
      name: `tail: ${DESCRIPTIONS[scenario]}`,
      ms: ROUNDS[mode] * BALANCERS_OF[scenario].length * (roundMsOf(scenario) + DEADLINE_MS / 4),
    })),
  ],
  run,
  show,
};

async function run({ options, progress, random }: Context): Promise<Outcome<TailCell>> {
  const recording = new Recording('tail', options);
  const rounds = ROUNDS[options.mode];
  const cells: TailCell[] = [];
  const raw: unknown[] = [];
  progress.begin('tail: start pods');
  // A process for each pod: one that hangs must not stop the others.
  const cluster = new Cluster(await ProcessPerPod.create({ suite: 'bench' }), { pod: { workers: 1 } });
  try {
    const pods = await cluster.scaleUp(PODS);
    for (const scenario of SCENARIOS) {
      progress.begin(`tail: ${DESCRIPTIONS[scenario]}`);
      const balancers = BALANCERS_OF[scenario];
      const measured = new Map<Balancer, Round[]>(balancers.map((balancer) => [balancer, []]));
      for (let round = 0; round < rounds; round++)
        for (const balancer of round % 2 === 0 ? balancers : balancers.toReversed()) {
          progress.setNote(`${balancer}, round ${round + 1} of ${rounds}`);
          measured.get(balancer)?.push(await measure(scenario, balancer, cluster, pods, random));
        }
      const p99s = (balancer: Balancer): number[] =>
        (measured.get(balancer) ?? []).map(({ latencies }) => quantile(sorted(latencies), 0.99));
      for (const [balancer, list] of measured) {
        const all = sorted(list.flatMap(({ latencies }) => latencies));
        const baseline = baselineOf(balancer, scenario);
        raw.push({ scenario, rival: balancer, rounds: list });
        cells.push({
          scenario,
          rival: balancer,
          calls: all.length,
          failed: list.reduce((sum, { failed }) => sum + failed, 0),
          unsent: list.reduce((sum, { unsent }) => sum + unsent, 0),
          p50Ms: quantile(all, 0.5),
          p99Ms: quantile(all, 0.99),
          p999Ms: quantile(all, 0.999),
          p99Ratio:
            baseline === null
              ? null
              : ratioOfPairs(
                  p99s(balancer).map((p99, index) => [p99, p99s(baseline)[index] as number] as const),
                  random,
                ),
          victimShare: sharesOf(list),
        });
      }
    }
  } finally {
    await cluster.close();
  }
  const parameters = {
    pods: PODS,
    workersPerPod: 1,
    serviceMs: SERVICE_MS,
    slowness: SLOWNESS,
    hangMs: HANG_MS,
    callsPerSecond: CALLS_PER_SECOND,
    arrivals: 'poisson',
    roundMs: ROUND_MS,
    deadlineMs: DEADLINE_MS,
    rounds,
  };
  return { result: recording.finish(parameters, cells), raw };
}

function roundMsOf(scenario: Scenario): number {
  return scenario === 'cold' ? COLD_ROUND_MS : ROUND_MS;
}

/** A client over all pods; in `streams` the first pod has the streams, and in `cold` it joins when the round begins. */
async function connectFor(
  scenario: Scenario,
  balancer: Balancer,
  { ips, port }: Pick<Cluster, 'ips' | 'port'>,
): Promise<{ readonly client: HelloClient; begin(): void }> {
  if (!isOurs(balancer) || (scenario !== 'streams' && scenario !== 'cold')) {
    const { client } = await connect(balancer, ips, port);
    return { client, begin() {} };
  }
  const { client, setPods } = await connectGrowing(
    balancer,
    scenario === 'streams' ? ips.slice(0, 1) : ips.slice(1),
    port,
  );
  if (scenario === 'cold') return { client, begin: () => void setPods(ips.toReversed()) };
  for (let count = 0; count < STREAMS; count++) {
    const stream = client.HiChat();
    stream.on('error', () => {});
    stream.write({ to_who: 'pod', message: 'hi' });
    await new Promise((resolve) => stream.once('data', resolve));
  }
  await setPods(ips);
  return { client, begin() {} };
}

async function measure(
  scenario: Scenario,
  balancer: Balancer,
  cluster: Pick<Cluster, 'ips' | 'port'>,
  pods: readonly PodProcess[],
  random: Context['random'],
): Promise<Round> {
  const roundMs = roundMsOf(scenario);
  const { client, begin: beginRound } = await connectFor(scenario, balancer, cluster);
  try {
    const running = await begin(scenario, pods);
    const latencies: number[] = [];
    const buckets = Array.from({ length: roundMs / BUCKET_MS }, (): [number, number] => [0, 0]);
    const call = unary(client, { deadlineMs: DEADLINE_MS, message: () => running.message(random) });
    const loop = new OpenLoop(call, { callsPerSecond: CALLS_PER_SECOND, arrivals: 'poisson', random });
    let unsent = 0;
    const startedAt = performance.now();
    loop.recorder.subscribe((call) => {
      const { code, dueAt, endedAt } = call;
      // A failure that a pod answers with is as fast or slow as an answer. Every other one counts as slow as the deadline.
      latencies.push(code === status.OK || code === status.UNAVAILABLE ? endedAt - dueAt : DEADLINE_MS);
      const to = sentTo(call, pods);
      if (!to) unsent += 1;
      const bucket = buckets[Math.floor((dueAt - startedAt) / BUCKET_MS)];
      if (!bucket || !to) return;
      bucket[1] += 1;
      if (to === pods[0]) bucket[0] += 1;
    });
    beginRound();
    loop.start();
    await new Promise((resolve) => setTimeout(resolve, roundMs));
    await loop.stop();
    await running.end();
    return { latencies, failed: loop.recorder.failed, unsent, buckets };
  } finally {
    client.close();
  }
}

/** The pod that a call was sent to, answered or not; undefined for a call that was never sent. */
export function sentTo(
  { pod, peer }: Pick<CallEnd, 'pod' | 'peer'>,
  pods: readonly Pick<PodProcess, 'name' | 'ip'>[],
): (typeof pods)[number] | undefined {
  return pods.find(({ name, ip }) => (pod === null ? peer?.startsWith(`${ip}:`) : pod === name));
}

function sharesOf(rounds: readonly Round[]): TailCell['victimShare'] {
  return Array.from({ length: rounds[0]?.buckets.length ?? 0 }, (_, index) => {
    const shares = rounds.flatMap(({ buckets }) => {
      const [victim, all] = buckets[index] ?? [0, 0];
      return all > 0 ? [victim / all] : [];
    });
    return { atMs: (index + 0.5) * BUCKET_MS, share: shares.length > 0 ? mean(shares) : 0 };
  });
}

function show({ cells }: Result<TailCell>): string {
  const rows = SCENARIOS.flatMap((scenario, index) => {
    const own: (TailCell | null)[] = cells.filter((cell) => cell.scenario === scenario);
    return index > 0 ? [null, ...own] : own;
  });
  return formatTable<TailCell>(
    [
      { head: 'trouble', align: 'left', cell: ({ scenario }) => DESCRIPTIONS[scenario] },
      { head: 'balancer', align: 'left', cell: ({ rival }) => rival },
      { head: 'calls', cell: ({ calls }) => count(calls) },
      { head: 'failed or past\ntheir deadline', cell: ({ failed }) => count(failed) },
      { head: 'never\nsent', cell: ({ unsent }) => count(unsent) },
      { head: 'p50', cell: ({ p50Ms }) => duration(p50Ms) },
      { head: 'p99', cell: ({ p99Ms }) => duration(p99Ms) },
      { head: 'p99.9', cell: ({ p999Ms }) => duration(p999Ms) },
      {
        head: 'p99 to round_robin,\nor without slow start',
        cell: ({ p99Ratio }) => (p99Ratio ? ratioWithInterval(p99Ratio) : '1'),
      },
      {
        head: "bad pod's share\nof calls sent",
        cell: ({ victimShare }) => percent(mean(victimShare.map(({ share }) => share))),
      },
    ],
    rows,
  );
}

await runIfMain(import.meta.url, tail);
