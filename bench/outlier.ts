/**
 * What is outlier ejection worth? One pod fails every call, or never answers. The same load without ejection, with grpc-js's
 * `outlier_detection` over its round_robin, and with the option `outlier`.
 *
 *     npm run bench:outlier
 */
import { type ChannelOptions, credentials, status } from '@grpc/grpc-js';
import { createHeadlessClient, type HeadlessOptions } from '../lib/index.js';
import { createFakeDns } from '../lib/testing.js';
import { Cluster } from '../test/support/cluster.js';
import { unary } from '../test/support/hello-calls.js';
import { HelloClient } from '../test/support/hello-service.js';
import { OpenLoop } from '../test/support/load-generator.js';
import { count, percent } from '../test/support/number-format.js';
import type { RemotePod } from '../test/support/pod-host.js';
import { SharedProcesses } from '../test/support/pods-in-processes.js';
import { type Benchmark, type Context, type Outcome, runIfMain } from './harness/benchmark.js';
import type { Mode } from './harness/options.js';
import { Recording, type Result } from './harness/result.js';
import { formatTable } from './harness/table.js';

const RIVALS = ['no ejection', 'grpc-js outlier_detection', 'outlier'] as const;
type Rival = (typeof RIVALS)[number];

const TROUBLES = { fails: 'fails every call', hangs: 'never answers' } as const;
type Trouble = keyof typeof TROUBLES;

export interface OutlierCell {
  readonly trouble: Trouble;
  readonly rival: Rival;
  readonly calls: number;
  readonly failed: number;
  /** Of the calls that were due later than `SETTLED_MS`. */
  readonly settledCalls: number;
  readonly settledFailed: number;
}

const PODS = 3;
const CALLS_PER_SECOND = 100;
const DEADLINE_MS = 1_000;
const SETTLED_MS = 10_000;
const ROUND_MS: Record<Mode, number> = { short: 13_000, default: 25_000, full: 60_000 };

/** gRFC A50's, as near to ours as it goes. */
const OUTLIER_DETECTION = {
  interval: { seconds: 10, nanos: 0 },
  base_ejection_time: { seconds: 10, nanos: 0 },
  max_ejection_time: { seconds: 300, nanos: 0 },
  max_ejection_percent: 50,
  failure_percentage_ejection: { threshold: 50, enforcement_percentage: 100, minimum_hosts: 2, request_volume: 10 },
  child_policy: [{ round_robin: {} }],
};

export const outlier: Benchmark<OutlierCell> = {
  name: 'outlier',
  plan: ({ mode }) => [
    { name: 'outlier: start pods', ms: 3_000 },
    ...Object.values(TROUBLES).map((trouble) => ({ name: stepOf(trouble), ms: ROUND_MS[mode] + DEADLINE_MS })),
  ],
  run,
  show,
};

function stepOf(trouble: string): string {
  return `outlier: one pod of ${PODS} ${trouble}`;
}

async function run({ options, progress, random }: Context): Promise<Outcome<OutlierCell>> {
  const recording = new Recording('outlier', options);
  const roundMs = ROUND_MS[options.mode];
  const cells: OutlierCell[] = [];
  progress.begin('outlier: start pods');
  const cluster = new Cluster(await SharedProcesses.create({ suite: 'bench' }), {});
  try {
    const pods = await cluster.scaleUp(PODS);
    for (const trouble of Object.keys(TROUBLES) as Trouble[]) {
      progress.begin(stepOf(TROUBLES[trouble]));
      await pods[0]?.behave(trouble === 'fails' ? { failWith: status.UNAVAILABLE } : { failWith: null, hang: true });
      // The load is light, so that all can have it at the same time, and the same machine.
      cells.push(...(await Promise.all(RIVALS.map((rival) => measure(trouble, rival, pods, roundMs, random)))));
    }
  } finally {
    await cluster.close();
  }
  const parameters = {
    pods: PODS,
    callsPerSecond: CALLS_PER_SECOND,
    deadlineMs: DEADLINE_MS,
    settledMs: SETTLED_MS,
    roundMs,
  };
  return { result: recording.finish(parameters, cells) };
}

async function measure(
  trouble: Trouble,
  rival: Rival,
  pods: readonly RemotePod[],
  roundMs: number,
  random: Context['random'],
): Promise<OutlierCell> {
  const client = connect(rival, pods);
  await new Promise<void>((resolve, reject) =>
    client.waitForReady(Date.now() + 20_000, (error) => (error ? reject(error) : resolve())),
  );
  let [settledCalls, settledFailed] = [0, 0];
  const loop = new OpenLoop(unary(client, { deadlineMs: DEADLINE_MS }), { callsPerSecond: CALLS_PER_SECOND, random });
  const startedAt = performance.now();
  loop.recorder.subscribe(({ code, dueAt }) => {
    if (dueAt - startedAt < SETTLED_MS) return;
    settledCalls += 1;
    if (code !== status.OK) settledFailed += 1;
  });
  loop.start();
  await new Promise((resolve) => setTimeout(resolve, roundMs));
  await loop.stop();
  client.close();
  const { answered, failed } = loop.recorder;
  return { trouble, rival, calls: answered + failed, failed, settledCalls, settledFailed };
}

function connect(rival: Rival, pods: readonly RemotePod[]): HelloClient {
  if (rival === 'grpc-js outlier_detection')
    return new HelloClient(`ipv4:${pods.map(({ address }) => address).join(',')}`, credentials.createInsecure(), {
      'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ outlier_detection: OUTLIER_DETECTION }] }),
    } satisfies ChannelOptions);
  const dns = createFakeDns({ 'fixed.list': pods.map(({ ip }) => ip) });
  const headless: HeadlessOptions = { dns: { lookup: dns.lookup }, outlier: rival === 'outlier' };
  return createHeadlessClient(HelloClient, `fixed.list:${pods[0]?.port}`, credentials.createInsecure(), { headless });
}

function show({ cells }: Result<OutlierCell>): string {
  return formatTable<OutlierCell>(
    [
      { head: 'one pod of three', align: 'left', cell: ({ trouble }) => TROUBLES[trouble] },
      { head: 'with', align: 'left', cell: ({ rival }) => rival },
      { head: 'calls', cell: ({ calls }) => count(calls) },
      { head: 'failed', cell: ({ failed }) => count(failed) },
      { head: 'share', cell: ({ calls, failed }) => percent(failed / calls) },
      { head: 'after 10 s:\ncalls', cell: ({ settledCalls }) => count(settledCalls) },
      { head: 'failed', cell: ({ settledFailed }) => count(settledFailed) },
      { head: 'share', cell: ({ settledCalls, settledFailed }) => percent(settledFailed / settledCalls) },
    ],
    cells.flatMap((cell, index) => (index > 0 && cell.rival === RIVALS[0] ? [null, cell] : [cell])),
  );
}

await runIfMain(import.meta.url, outlier);
