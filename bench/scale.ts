/**
 * How does the cost grow with the number of pods? Reading the answer, applying a set, applying a change of one pod,
 * and a huge set on real sockets.
 *
 *     npm run bench:scale
 */

import { count, duration, kibibytes, ratio } from '../test/support/number-format.js';
import { type Benchmark, type Context, type Outcome, runIfMain } from './harness/benchmark.js';
import type { Mode } from './harness/options.js';
import { Recording, type Result } from './harness/result.js';
import { formatTable } from './harness/table.js';
import { type ApplyCell, measureApplying } from './scale/applying.js';
import { type DecodeCell, MOST_RECORDS, measureDecoding } from './scale/decoding.js';
import { measureStall, mostPods, type StallCell } from './scale/stalling.js';

export type ScaleCell = DecodeCell | ApplyCell | StallCell;

const RECORDS = [1, 10, 70, 300, 1_000, MOST_RECORDS];
const SETS: Record<Mode, readonly number[]> = {
  short: [10, 100, 1_000],
  default: [10, 100, 1_000, 10_000],
  full: [10, 100, 1_000, 10_000],
};
const STALLS: Record<Mode, readonly number[]> = {
  short: [1_000],
  default: [100, 1_000, 10_000],
  full: [100, 1_000, 10_000],
};

export const scale: Benchmark<ScaleCell> = {
  name: 'scale',
  plan: ({ mode }) => [
    { name: 'scale: read answers', ms: 4_000 },
    ...SETS[mode].map((pods) => ({ name: `scale: apply sets of ${count(pods)} pods`, ms: 500 + pods * 2 })),
    ...STALLS[mode].map((pods) => ({ name: `scale: connect to ${count(pods)} pods`, ms: 2_000 + pods * 4 })),
  ],
  run,
  show,
};

async function run({ options, progress }: Context): Promise<Outcome<ScaleCell>> {
  const recording = new Recording('scale', options);
  const cells: ScaleCell[] = [];
  progress.begin('scale: read answers');
  for (const records of RECORDS) {
    cells.push(measureDecoding(records));
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const pods of SETS[options.mode]) {
    progress.begin(`scale: apply sets of ${count(pods)} pods`);
    for (const balancer of ['ours', 'grpc-js round_robin'] as const) cells.push(await measureApplying(balancer, pods));
  }
  for (const pods of STALLS[options.mode]) {
    progress.begin(`scale: connect to ${count(pods)} pods`);
    if (pods <= mostPods()) cells.push(await measureStall(pods));
    else progress.print(`left out: ${count(pods)} pods need more open files than \`ulimit -n\` allows`);
  }
  return { result: recording.finish({ mostRecordsInOneMessage: MOST_RECORDS }, cells) };
}

function show({ cells }: Result<ScaleCell>): string {
  const of = <K extends ScaleCell['kind']>(kind: K): Extract<ScaleCell, { kind: K }>[] =>
    cells.filter((cell): cell is Extract<ScaleCell, { kind: K }> => cell.kind === kind);
  const applied = of('apply');
  const baselineOf = (cell: ApplyCell): ApplyCell | undefined =>
    applied.find(({ rival, pods }) => rival !== cell.rival && pods === cell.pods);
  const ours = applied.filter(({ rival }) => rival === 'ours');
  const versus =
    (figure: (cell: ApplyCell) => number | null) =>
    (cell: ApplyCell): string => {
      const baseline = baselineOf(cell);
      const [own, other] = [figure(cell), baseline ? figure(baseline) : null];
      return own === null || other === null ? '–' : ratio(own / other);
    };
  const decoding = formatTable<DecodeCell>(
    [
      { head: 'reading an answer\nA records', cell: ({ records }) => count(records) },
      { head: 'octets', cell: ({ octets }) => count(octets) },
      { head: 'ours', cell: ({ oursUs }) => duration(oursUs / 1_000) },
      { head: 'dns-packet', cell: ({ dnsPacketUs }) => duration(dnsPacketUs / 1_000) },
      { head: 'ours / dns-packet', cell: (cell) => ratio(cell.ratio) },
    ],
    of('decode'),
  );
  const applying = formatTable<ApplyCell>(
    [
      { head: 'balancer alone\npods', cell: ({ pods }) => count(pods) },
      { head: 'first set', cell: ({ firstSetMs }) => duration(firstSetMs) },
      { head: 'to grpc-js\nround_robin', cell: versus(({ firstSetMs }) => firstSetMs) },
      { head: 'one pod\nchanges', cell: ({ oneChangeUs }) => duration(oneChangeUs / 1_000) },
      { head: 'to grpc-js\nround_robin', cell: versus(({ oneChangeUs }) => oneChangeUs) },
      { head: 'comparing\nthe sets', cell: ({ compareUs }) => duration(compareUs / 1_000) },
      { head: 'the rest', cell: ({ oneChangeUs, compareUs }) => duration((oneChangeUs - compareUs) / 1_000) },
      { head: 'one connection\nflaps', cell: ({ pickerUs }) => duration(pickerUs / 1_000) },
      { head: 'to grpc-js\nround_robin', cell: versus(({ pickerUs }) => pickerUs) },
      { head: 'heap a pod', cell: ({ heapBytes }) => kibibytes(heapBytes, 1) },
      { head: 'to grpc-js\nround_robin', cell: versus(({ heapBytes }) => heapBytes) },
    ],
    ours,
  );
  const stalling = formatTable<StallCell>(
    [
      { head: 'real sockets\npods', cell: ({ pods }) => count(pods) },
      { head: 'ready', cell: ({ ready }) => count(ready) },
      { head: 'after', cell: ({ readyMs }) => duration(readyMs) },
      { head: 'event loop late\np99', cell: ({ p99Ms }) => duration(p99Ms) },
      { head: 'at most', cell: ({ maxMs }) => duration(maxMs) },
      { head: 'collector\nat most', cell: ({ collectorMs }) => duration(collectorMs) },
      { head: 'memory a pod', cell: ({ residentBytes }) => kibibytes(residentBytes, 0) },
    ],
    of('stall'),
  );
  return `${decoding}\n\n${applying}\n\n${stalling}`;
}

await runIfMain(import.meta.url, scale);
