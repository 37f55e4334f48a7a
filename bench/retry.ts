/**
 * What is a retry worth that goes to another pod? One pod answers every call with UNAVAILABLE. The same calls without
 * retries, with grpc-js's retry policy over its round_robin, where the next attempt goes to whichever pod is next, and with
 * the option `retry`; in turn, each round in the opposite order.
 *
 *     npm run bench:retry
 */
import { type ChannelOptions, credentials, status } from '@grpc/grpc-js';
import { HeadlessChannel, type HeadlessOptions } from '../lib/index.js';
import { createFakeDns } from '../lib/testing.js';
import { Cluster } from '../test/support/cluster.js';
import { eventually } from '../test/support/eventually.js';
import { unary } from '../test/support/hello-calls.js';
import { HelloClient } from '../test/support/hello-service.js';
import { ClosedLoop } from '../test/support/load-generator.js';
import { count, duration, percent, significant } from '../test/support/number-format.js';
import type { RemotePod } from '../test/support/pod-host.js';
import { SharedProcesses } from '../test/support/pods-in-processes.js';
import { Recorder } from '../test/support/recorder.js';
import { type Benchmark, type Context, type Outcome, runIfMain } from './harness/benchmark.js';
import type { Mode } from './harness/options.js';
import { Recording, type Result } from './harness/result.js';
import { formatTable } from './harness/table.js';

const RIVALS = ['no retry', 'retry by grpc-js round_robin', 'retry on another pod'] as const;

type Rival = (typeof RIVALS)[number];

export interface RetryCell {
  /** One of them fails every call. */
  readonly pods: number;
  readonly rival: Rival;
  readonly calls: number;
  readonly failed: number;
  /** Calls that the pods saw, over calls that were made. */
  readonly attemptsPerCall: number;
  readonly p99Ms: number;
}

const PODS = [2, 4, 10];
const ATTEMPTS = 2;
const IN_FLIGHT = 40;
const ROUND_MS = 1_000;
const ROUNDS: Record<Mode, number> = { short: 1, default: 6, full: 15 };

/** The policy that the option `retry` stands for. */
const POLICY = {
  maxAttempts: ATTEMPTS,
  initialBackoff: '0.02s',
  maxBackoff: '1s',
  backoffMultiplier: 2,
  retryableStatusCodes: ['UNAVAILABLE'],
};

export const retry: Benchmark<RetryCell> = {
  name: 'retry',
  plan: ({ mode }) => [
    { name: 'retry: start pods', ms: 3_000 },
    ...PODS.map((pods) => ({ name: stepOf(pods), ms: RIVALS.length * ROUNDS[mode] * (ROUND_MS + 200) })),
  ],
  run,
  show,
};

function stepOf(pods: number): string {
  return `retry: one pod of ${pods} fails every call`;
}

async function run({ options, progress }: Context): Promise<Outcome<RetryCell>> {
  const recording = new Recording('retry', options);
  const rounds = ROUNDS[options.mode];
  const cells: RetryCell[] = [];
  progress.begin('retry: start pods');
  const cluster = new Cluster(await SharedProcesses.create({ suite: 'bench' }), {});
  try {
    await cluster.scaleUp(Math.max(...PODS));
    await cluster.pods[0]?.behave({ failWith: status.UNAVAILABLE });
    for (const pods of PODS) {
      progress.begin(stepOf(pods));
      const used = cluster.pods.slice(0, pods);
      const totals = new Map(RIVALS.map((rival) => [rival, { recorder: new Recorder(), attempts: 0 }]));
      for (let round = 0; round < rounds; round++)
        for (const [rival, total] of round % 2 === 0 ? totals : [...totals].reverse()) {
          progress.setNote(`${rival}, round ${round + 1} of ${rounds}`);
          const client = await connect(rival, used, cluster.port);
          const before = await attemptsOf(used);
          const loop = new ClosedLoop(unary(client), { inFlight: IN_FLIGHT, recorder: total.recorder });
          loop.start();
          await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
          await loop.stop();
          total.attempts += (await attemptsOf(used)) - before;
          client.close();
        }
      for (const [rival, { recorder, attempts }] of totals) {
        const { answered, failed, latency } = recorder.report();
        const calls = answered + failed;
        cells.push({ pods, rival, calls, failed, attemptsPerCall: attempts / calls, p99Ms: latency.p99Ms });
      }
    }
  } finally {
    await cluster.close();
  }
  return { result: recording.finish({ attempts: ATTEMPTS, inFlight: IN_FLIGHT, roundMs: ROUND_MS, rounds }, cells) };
}

async function attemptsOf(pods: readonly RemotePod[]): Promise<number> {
  const stats = await Promise.all(pods.map((pod) => pod.stats()));
  return stats.reduce((sum, { calls }) => sum + calls, 0);
}

/** A client that is connected to all of these pods. */
async function connect(rival: Rival, pods: readonly RemotePod[], port: number): Promise<HelloClient> {
  if (rival === 'retry by grpc-js round_robin') {
    const target = `ipv4:${pods.map(({ ip }) => `${ip}:${port}`).join(',')}`;
    const client = new HelloClient(target, credentials.createInsecure(), {
      'grpc.service_config': JSON.stringify({
        loadBalancingConfig: [{ round_robin: {} }],
        methodConfig: [{ name: [{}], retryPolicy: POLICY }],
      }),
    } satisfies ChannelOptions);
    await new Promise<void>((resolve, reject) =>
      client.waitForReady(Date.now() + 20_000, (error) => (error ? reject(error) : resolve())),
    );
    return client;
  }
  const dns = createFakeDns({ 'fixed.list': pods.map(({ ip }) => ip) });
  const headless: HeadlessOptions = { dns: { lookup: dns.lookup } };
  if (rival === 'retry on another pod') headless.retry = { attempts: ATTEMPTS };
  const channel = new HeadlessChannel(`fixed.list:${port}`, credentials.createInsecure(), { headless });
  channel.getConnectivityState(true);
  await eventually(() => {
    const { endpoints } = channel.snapshot();
    return endpoints.length === pods.length && endpoints.every(({ state }) => state === 'ready');
  });
  return new HelloClient('fixed.list', credentials.createInsecure(), { channelOverride: channel });
}

function show({ cells }: Result<RetryCell>): string {
  return formatTable<RetryCell>(
    [
      { head: 'pods', cell: ({ pods }) => count(pods) },
      { head: 'one of them fails every call', align: 'left', cell: ({ rival }) => rival },
      { head: 'calls', cell: ({ calls }) => count(calls) },
      { head: 'failed', cell: ({ failed }) => count(failed) },
      { head: 'share', cell: ({ calls, failed }) => percent(failed / calls) },
      { head: 'attempts\na call', cell: ({ attemptsPerCall }) => significant(attemptsPerCall) },
      { head: 'p99', cell: ({ p99Ms }) => duration(p99Ms) },
    ],
    cells.flatMap((cell, index) => (index > 0 && cell.rival === RIVALS[0] ? [null, cell] : [cell])),
  );
}

await runIfMain(import.meta.url, retry);
