/**
 * The cost of metrics: one client, with metrics and without in turn, second by second. With them its channel is registered
 * with the SDK of OpenTelemetry, and Prometheus's page is made twice in each second.
 */
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { registerMetrics } from '../../lib/opentelemetry.js';
import type { Random } from '../../lib/runtime.js';
import { count, duration, ratioWithInterval } from '../../test/support/number-format.js';
import { Recorder } from '../../test/support/recorder.js';
import { quantile, type Ratio, ratioOfPairs, sorted } from '../harness/statistics.js';
import { formatTable } from '../harness/table.js';
import { connect } from './baselines.js';
import { SLICE_MS, type Slice, slice } from './slice.js';

export interface MetricsSetting {
  readonly pods: number;
  /** The option `addresses`: series for each pod. */
  readonly addresses: boolean;
}

export const METRICS_SETTINGS: readonly MetricsSetting[] = [
  { pods: 4, addresses: false },
  { pods: 50, addresses: true },
];

export interface MetricsCell extends MetricsSetting {
  readonly kind: 'metrics';
  /** Of a unary call with metrics, median of the rounds. */
  readonly cpuUs: number;
  /** To the same without metrics, pair by pair. */
  readonly cpu: Ratio;
  /** CPU of one collection, while no calls are made. */
  readonly collectionUs: number;
}

/** Services are scraped each 15 to 60 seconds. */
const COLLECT_EVERY_MS = SLICE_MS / 2;
const COLLECTIONS = 200;

export async function withMetrics(
  setting: MetricsSetting,
  ips: readonly string[],
  port: number,
  inFlight: number,
  rounds: number,
  random: Random,
): Promise<{ cell: MetricsCell; raw: unknown }> {
  const connection = await connect('ours least_request', ips, port);
  const measure = (): Promise<Slice> => slice('unary', connection, inFlight, setting.pods, new Recorder());
  const measureWith = async (): Promise<Slice> => {
    const metrics = startMetrics(setting.addresses);
    const timer = setInterval(metrics.collect, COLLECT_EVERY_MS);
    try {
      return await measure();
    } finally {
      clearInterval(timer);
      await metrics.stop();
    }
  };
  let collectionUs: number;
  const pairs: { without: Slice; with: Slice }[] = [];
  try {
    await measure();
    await measureWith();
    for (let round = 0; round < rounds; round++) {
      if (round % 2 === 0) pairs.push({ without: await measure(), with: await measureWith() });
      else pairs.push({ with: await measureWith(), without: await measure() });
    }
    collectionUs = await collectionAlone(setting.addresses);
  } finally {
    await connection.close();
  }
  const cpuUs = quantile(sorted(pairs.map((pair) => pair.with.cpuUs)), 0.5);
  const cpu = ratioOfPairs(
    pairs.map((pair) => [pair.with.cpuUs, pair.without.cpuUs] as const),
    random,
  );
  return { cell: { kind: 'metrics', ...setting, cpuUs, cpu, collectionUs }, raw: { ...setting, pairs } };
}

async function collectionAlone(addresses: boolean): Promise<number> {
  const { collect, stop } = startMetrics(addresses);
  await collect();
  const before = process.cpuUsage();
  for (let number = 0; number < COLLECTIONS; number++) await collect();
  const { user, system } = process.cpuUsage(before);
  await stop();
  return (user + system) / COLLECTIONS;
}

function startMetrics(addresses: boolean): { collect(): Promise<void>; stop(): Promise<void> } {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [reader] });
  const unregister = registerMetrics(provider, { addresses });
  const serializer = new PrometheusSerializer();
  return {
    collect: async () => {
      const { resourceMetrics } = await reader.collect();
      serializer.serialize(resourceMetrics);
    },
    stop: async () => {
      unregister();
      await provider.shutdown();
    },
  };
}

export function metricsTable(cells: readonly MetricsCell[]): string {
  return formatTable<MetricsCell>(
    [
      { head: 'metrics', align: 'left', cell: ({ addresses }) => (addresses ? 'with addresses' : 'as they are') },
      { head: 'pods', cell: ({ pods }) => count(pods) },
      { head: 'CPU\na call', cell: ({ cpuUs }) => duration(cpuUs / 1000) },
      { head: 'to none', cell: ({ cpu }) => ratioWithInterval(cpu) },
      { head: 'CPU of a\ncollection', cell: ({ collectionUs }) => duration(collectionUs / 1000) },
    ],
    cells,
  );
}
