/** What the experiment showed: numbers for both clients, what follows from them, and which promises were not kept. */
import { status } from '@grpc/grpc-js';
import { count, seconds } from '../../test/support/number-format.js';
import { pad, wrap } from '../../test/support/terminal-text.js';
import type { ClientLoad } from './client-load.js';
import type { PodRecord } from './cluster.js';
import { list, type Paint } from './paint.js';

/** A new pod's first call, and a removed pod's last one, at most so long after the change of DNS. */
export const LIMIT_MS = 2_300;

export interface Experiment {
  /** All pods that ever were. */
  readonly pods: readonly PodRecord[];
  /** `performance.now()` at the first call: pods older than that were found by resolving once. */
  readonly startedAt: number;
  /** The calls made between the scale-up and the end of its step, by client, and how many of them new pods got. */
  readonly scaleUp: {
    /** The new ones. */
    readonly pods: readonly string[];
    readonly podsInAll: number;
    readonly calls: ReadonlyMap<ClientLoad, ShareOfCalls>;
  };
  readonly dnsDown: { readonly from: number; readonly until: number };
}

export interface ShareOfCalls {
  readonly all: number;
  readonly toNewPods: number;
}

export interface Findings {
  /** For each pod that came later: milliseconds from its record to its first call; null: never called. */
  readonly found: ReadonlyMap<string, number | null>;
  /** For each pod that went: milliseconds from its record's end to the start of its last call, at least 0. */
  readonly left: ReadonlyMap<string, number>;
  readonly share: ShareOfCalls;
}

export function findings(load: ClientLoad, experiment: Experiment): Findings {
  const found = new Map<string, number | null>();
  const left = new Map<string, number>();
  for (const pod of experiment.pods) {
    const times = load.podTimes.get(pod.name);
    if (pod.enteredDnsAt > experiment.startedAt)
      found.set(pod.name, times === undefined ? null : times.firstAnsweredAt - pod.enteredDnsAt);
    if (pod.leftDnsAt !== undefined && times !== undefined)
      left.set(pod.name, Math.max(0, times.lastStartedAt - pod.leftDnsAt));
  }
  return { found, left, share: experiment.scaleUp.calls.get(load) ?? { all: 0, toNewPods: 0 } };
}

/** A sentence for each promise that was not kept; none: all is well. */
export function shortcomings(load: ClientLoad, { found, left }: Findings): string[] {
  const sentences: string[] = [];
  for (const [pod, ms] of found) {
    if (ms === null) sentences.push(`${pod} was in DNS and was never called.`);
    else if (ms > LIMIT_MS)
      sentences.push(
        `${pod} got its first call ${seconds(ms)} after its record appeared; ${seconds(LIMIT_MS)} is the limit.`,
      );
  }
  for (const [pod, ms] of left)
    if (ms > LIMIT_MS)
      sentences.push(`${pod} was still called ${seconds(ms)} after it left DNS; ${seconds(LIMIT_MS)} is the limit.`);
  const { failed, failures, started } = load.recorder;
  const [first] = failures;
  if (first !== undefined)
    sentences.push(
      `${count(failed)} of ${count(started)} calls failed; the first with ${status[first.code]}: ${first.details}`,
    );
  return sentences;
}

export function table(loads: readonly ClientLoad[], experiment: Experiment, paint: Paint, width: number): string[] {
  const results = loads.map((load) => findings(load, experiment));
  const cells = (make: (result: Findings, load: ClientLoad) => string) =>
    results.map((result, index) => make(result, loads[index] as ClientLoad));
  const failedWhileDown = (load: ClientLoad) =>
    load.recorder.failures.filter(
      ({ endedAt }) => endedAt >= experiment.dnsDown.from && endedAt <= experiment.dnsDown.until,
    ).length;
  const rows: [string, string[]][] = [
    ['calls', cells((_, load) => count(load.recorder.started))],
    ['failed', cells((_, load) => count(load.recorder.failed))],
    ['  of these while DNS was down', cells((_, load) => count(failedWhileDown(load)))],
    ['slowest call answered', cells((_, load) => timeText(load.recorder.latency.report.maxMs))],
    [
      `calls to the ${experiment.scaleUp.pods.length} new pods after the scale-up`,
      cells(({ share }) => `${count(share.toNewPods)} of ${count(share.all)}`),
    ],
    ['new pods found, of all that ever came', cells(({ found }) => `${called(found).length} of ${found.size}`)],
    ['first call on a new pod after its record, median', cells(({ found }) => timeText(median([...found.values()])))],
    ['  and the slowest', cells(({ found }) => timeText(slowest(found.values())))],
    ['last call on a pod after its record went, slowest', cells(({ left }) => timeText(slowest(left.values())))],
  ];
  const cell = 15;
  const label = Math.max(...rows.map(([text]) => text.length));
  const heads = loads.map((load, index) => paint.bold(paint.column(index, load.name.padStart(cell))));
  if (label + loads.length * cell <= width)
    return [
      `${pad('', label)}${heads.join('')}`,
      ...rows.map(([text, values]) => pad(text, label) + aligned(values, cell)),
    ];
  // Too narrow for a table: the values under their labels.
  return [
    heads.join(''),
    ...rows.flatMap(([text, values]) => [...wrap(text.trim(), width).map(paint.dim), aligned(values, cell)]),
  ];
}

/** In words, from the numbers as they came out and not as they ought to. */
export function lessons(
  loads: readonly [plain: ClientLoad, ours: ClientLoad],
  experiment: Experiment,
  width: number,
): string[] {
  const [plain, ours] = loads.map((load) => findings(load, experiment)) as [Findings, Findings];
  const [{ name: plainName }, { name: oursName }] = loads;
  const { pods, podsInAll } = experiment.scaleUp;
  const never = [...plain.found].filter(([, ms]) => ms === null).map(([pod]) => pod);
  const sentences = [
    plain.share.toNewPods === 0
      ? `${plainName} sent the ${pods.length} pods of the scale-up nothing: it asks DNS again only when a connection ` +
        'breaks. New pods that it did find later, it found because old ones had closed their connections.'
      : `${plainName} sent the ${pods.length} pods of the scale-up ${share(plain.share)} of its calls.`,
    `${oursName} sent them ${share(ours.share)}, counted from the moment of their records; an even share is ` +
      `${share({ toNewPods: pods.length, all: podsInAll })}.`,
    ...(never.length > 0 ? [`${list(never)} never got a call from ${plainName} in their whole life.`] : []),
    `Pods that leave DNS before they stop serving give clients time to turn away. With ${oursName} the last call to ` +
      `such a pod started at most ${timeText(slowest(ours.left.values()))} after its record went; with ${plainName}, ` +
      `${timeText(slowest(plain.left.values()))}.`,
  ];
  return sentences.flatMap((sentence) => bullet(sentence, width));
}

export function bullet(sentence: string, width: number): string[] {
  return wrap(sentence, width - 2).map((line, index) => (index === 0 ? `- ${line}` : `  ${line}`));
}

function called(found: ReadonlyMap<string, number | null>): number[] {
  return [...found.values()].filter((ms) => ms !== null);
}

/** A pod that was never called counts as one that waits for ever. */
function median(values: readonly (number | null)[]): number | undefined {
  const sorted = values.map((ms) => ms ?? Number.POSITIVE_INFINITY).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function slowest(values: Iterable<number | null>): number | undefined {
  const all = [...values].map((ms) => ms ?? Number.POSITIVE_INFINITY);
  return all.length === 0 ? undefined : Math.max(...all);
}

function timeText(ms: number | undefined): string {
  if (ms === undefined) return '-';
  return Number.isFinite(ms) ? seconds(ms) : 'never';
}

function share({ toNewPods, all }: ShareOfCalls): string {
  return all === 0 ? 'no part' : `${Math.round((100 * toNewPods) / all)} %`;
}

function aligned(values: readonly string[], width: number): string {
  return values.map((value) => value.padStart(width)).join('');
}
