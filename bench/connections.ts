/**
 * What are several connections to one pod worth? The same calls with one connection to each pod and with up to four, in
 * turn: to two pods that allow 100 streams on a connection; to one address whose connections go to four pods, as those of a
 * cluster IP do; and to two pods without a limit, where only the work on a connection could be shared out.
 *
 *     npm run bench:connections
 */
import { credentials } from '@grpc/grpc-js';
import { HeadlessChannel } from '../lib/index.js';
import { createFakeDns } from '../lib/testing.js';
import { Cluster } from '../test/support/cluster.js';
import { ConnectionBalancer } from '../test/support/connection-balancer.js';
import { eventually } from '../test/support/eventually.js';
import { unary } from '../test/support/hello-calls.js';
import { HelloClient } from '../test/support/hello-service.js';
import { ClosedLoop } from '../test/support/load-generator.js';
import { count, duration, percent } from '../test/support/number-format.js';
import type { PodOptions } from '../test/support/pod.js';
import { SharedProcesses } from '../test/support/pods-in-processes.js';
import { Recorder } from '../test/support/recorder.js';
import { type Benchmark, type Context, type Outcome, runIfMain } from './harness/benchmark.js';
import type { Mode } from './harness/options.js';
import { Recording, type Result } from './harness/result.js';
import { formatTable } from './harness/table.js';

interface Scenario {
  readonly name: string;
  readonly pods: number;
  readonly pod: PodOptions;
  readonly inFlight: number;
  /** The client has one address, whose connections go to the pods in turn. */
  readonly oneAddress?: boolean;
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: '2 pods, 100 streams, calls of 50 ms',
    pods: 2,
    pod: { delayMs: 50, server: { 'grpc.max_concurrent_streams': 100 } },
    inFlight: 400,
  },
  { name: '4 pods behind one address', pods: 4, pod: { delayMs: 5 }, inFlight: 8, oneAddress: true },
  { name: '2 pods, no limit, calls at once', pods: 2, pod: {}, inFlight: 400 },
];

const RIVALS = [1, 4] as const;

export interface ConnectionsCell {
  readonly scenario: string;
  /** The option. */
  readonly connections: number;
  /** To the pods, by the end of a round. */
  readonly opened: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Calls of the busiest pod over all. */
  readonly busiestShare: number;
}

const ROUND_MS = 2_000;
const ROUNDS: Record<Mode, number> = { short: 1, default: 4, full: 10 };

export const connections: Benchmark<ConnectionsCell> = {
  name: 'connections',
  plan: ({ mode }) =>
    SCENARIOS.map(({ name }) => ({
      name: `connections: ${name}`,
      ms: 1_000 + RIVALS.length * ROUNDS[mode] * (ROUND_MS + 300),
    })),
  run,
  show,
};

async function run({ options, progress }: Context): Promise<Outcome<ConnectionsCell>> {
  const recording = new Recording('connections', options);
  const rounds = ROUNDS[options.mode];
  const cells: ConnectionsCell[] = [];
  for (const scenario of SCENARIOS) {
    progress.begin(`connections: ${scenario.name}`);
    cells.push(...(await measure(scenario, rounds, (note) => progress.setNote(note))));
  }
  return { result: recording.finish({ roundMs: ROUND_MS, rounds }, cells) };
}

async function measure(scenario: Scenario, rounds: number, note: (text: string) => void): Promise<ConnectionsCell[]> {
  const closings: (() => unknown)[] = [];
  const cluster = new Cluster(await SharedProcesses.create({ suite: 'bench' }), { pod: scenario.pod });
  try {
    // The last one only lends its address.
    await cluster.scaleUp(scenario.pods + 1);
    const pods = cluster.pods.slice(0, scenario.pods);
    const front = cluster.pods[scenario.pods]?.ip as string;
    const totals = RIVALS.map((rival) => ({ rival, recorder: new Recorder(), opened: 0, calls: pods.map(() => 0) }));
    for (let round = 0; round < rounds; round++)
      for (const total of round % 2 === 0 ? totals : totals.toReversed()) {
        note(`${total.rival}, round ${round + 1} of ${rounds}`);
        const address = scenario.oneAddress
          ? (await ConnectionBalancer.start((close) => closings.push(close), front, pods)).address
          : null;
        const client = await connect(address ?? pods.map(({ ip }) => ip), cluster.port, total.rival);
        const before = await Promise.all(pods.map((pod) => pod.stats()));
        const loop = new ClosedLoop(unary(client), { inFlight: scenario.inFlight, recorder: total.recorder });
        loop.start();
        await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
        await loop.stop();
        const after = await Promise.all(pods.map((pod) => pod.stats()));
        total.opened = after.reduce((sum, { connections: open }) => sum + open, 0);
        after.forEach(({ calls }, index) => {
          total.calls[index] = (total.calls[index] ?? 0) + calls - (before[index]?.calls ?? 0);
        });
        client.close();
        await eventually(
          async () => (await Promise.all(pods.map((pod) => pod.stats()))).every((pod) => pod.connections === 0),
          {
            timeoutMs: 30_000,
            intervalMs: 50,
          },
        );
      }
    return totals.map(({ rival, recorder, opened, calls }) => {
      const { answered, latency } = recorder.report();
      return {
        scenario: scenario.name,
        connections: rival,
        opened,
        callsPerSecond: answered / ((rounds * ROUND_MS) / 1_000),
        p50Ms: latency.p50Ms,
        p99Ms: latency.p99Ms,
        busiestShare: Math.max(...calls) / calls.reduce((sum, each) => sum + each, 0),
      };
    });
  } finally {
    for (const close of closings) await close();
    await cluster.close();
  }
}

/** A client that is connected to all of these pods, or at once as often as it may be to the one address. */
async function connect(to: string | readonly string[], port: number, most: number): Promise<HelloClient> {
  const balance = { connections: most };
  // Each client has connections of its own: shared ones would be left from the round before.
  const own = { 'grpc.use_local_subchannel_pool': 1 };
  const channel =
    typeof to === 'string'
      ? new HeadlessChannel(to, credentials.createInsecure(), { ...own, headless: { balance } })
      : new HeadlessChannel(`fixed.list:${port}`, credentials.createInsecure(), {
          ...own,
          headless: { dns: { lookup: createFakeDns({ 'fixed.list': to }).lookup }, balance },
        });
  channel.getConnectivityState(true);
  await eventually(() => {
    const { endpoints } = channel.snapshot();
    const ready = endpoints.filter(({ state }) => state === 'ready');
    if (typeof to !== 'string') return ready.length === to.length;
    return (ready[0]?.connections ?? ready.length) === most;
  });
  return new HelloClient('fixed.list', credentials.createInsecure(), { channelOverride: channel });
}

function show({ cells }: Result<ConnectionsCell>): string {
  return formatTable<ConnectionsCell>(
    [
      { head: 'calls to', align: 'left', cell: ({ scenario }) => scenario },
      { head: 'balance.\nconnections', cell: ({ connections: option }) => count(option) },
      { head: 'connections\nopen', cell: ({ opened }) => count(opened) },
      { head: 'calls/s', cell: ({ callsPerSecond }) => count(Math.round(callsPerSecond)) },
      { head: 'p50', cell: ({ p50Ms }) => duration(p50Ms) },
      { head: 'p99', cell: ({ p99Ms }) => duration(p99Ms) },
      { head: 'busiest\npod', cell: ({ busiestShare }) => percent(busiestShare) },
    ],
    cells.flatMap((cell, index) => (index > 0 && cell.connections === RIVALS[0] ? [null, cell] : [cell])),
  );
}

await runIfMain(import.meta.url, connections);
