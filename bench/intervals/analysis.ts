/** From observations to figures, one cell at a time. Pure but for the dice of the bootstrap. */
import type { Random } from '../../lib/runtime.js';
import { thinned } from '../harness/distribution.js';
import { type Interval, mean, meanInterval, type Summary, summarise } from '../harness/statistics.js';
import { type CellPlan, type Grid, goal, isBaseline, type Theory, theory } from './grid.js';
import type { Observations } from './measure.js';
import type { ClientLog } from './observer.js';
import type { Published } from './service.js';

/** A scale event as one client lived it. Milliseconds from its publication; null: not before the run ended. */
interface EventSample {
  readonly kind: Published['kind'];
  readonly atMs: number;
  /** Null for the baselines too, which do not tell. */
  readonly seenMs: number | null;
  /** Of an added pod. */
  readonly connectedMs: number | null;
  /** Of an added pod: its first answer. */
  readonly firstCallMs: number | null;
  /** Of a removed pod: its last call; null where it was called to the end, or never at all. */
  readonly lastCallMs: number | null;
  /** The client ever called it: one that it never knew cannot be left. */
  readonly everCalled: boolean;
  /** Events with the same number were found by the same poll. */
  readonly foundBy: number;
}

export interface Stage {
  /** Of those that happened. */
  readonly summary: Summary | null;
  readonly never: number;
  /** Of a stage that the report draws: ascending, thinned, as `steps` takes them. */
  readonly values?: readonly number[];
}

export interface ShareCurve {
  readonly fromMs: number;
  readonly binMs: number;
  /** A new pod's share of the calls over its fair one, by time since its publication; null: too few calls to tell. */
  readonly values: readonly (number | null)[];
}

export interface Simulated {
  readonly events: number;
  readonly runs: number;
  readonly summary: Summary;
  /** Evenly spaced, for drawing. */
  readonly quantiles: readonly number[];
}

export interface Agreement {
  readonly agrees: boolean;
  readonly differenceMs: number;
  /** What the mean may differ by. */
  readonly toleranceMs: number;
  readonly ks: number;
  readonly ksLimit: number;
}

export interface CellResult {
  readonly plan: CellPlan;
  readonly adds: number;
  readonly removes: number;
  readonly seen: Stage;
  readonly connected: Stage;
  readonly firstCall: Stage;
  /** Of removed pods that the client had ever called. */
  readonly lastCall: Stage;
  /** Until a new pod has at least 0.9 of its fair share; null: not within the curve. */
  readonly fairShareMs: number | null;
  /** Null behind a cache, where it is not drawn. */
  readonly share: ShareCurve | null;
  readonly calls: number;
  readonly failedByStatus: Readonly<Record<string, number>>;
  readonly callP99Ms: number;
  readonly pollsPerMinute: number | null;
  /** Null where no DNS server is asked. */
  readonly queriesPerMinute: number | null;
  /** Polls a minute × CPU a poll, as a share of one core. */
  readonly pollingCpuShare: number | null;
  /** Of the client process that this cell shares with those of its group; null of grpc-go, which has no event loop. */
  readonly eventLoopDelayP99Ms: number | null;
  readonly theory: Theory | null;
  /** What it is to reach; null where nothing was promised. */
  readonly goal: Theory | null;
  readonly simulated: Simulated | null;
  readonly agreement: Agreement | null;
}

/** A cell, and what the simulation is compared with. */
export interface Measured {
  readonly cell: CellResult;
  /** All times from an event to its being seen, none left out. */
  readonly seenMs: readonly number[];
}

export interface CostResult {
  readonly perPollUs: number;
  readonly interval: Interval;
  readonly pods: number;
}

/** A pod whose last call is so near the end of the run was still in use. */
const STILL_CALLED_MS = 5_000;
const BIN_MS = 500;
const CURVE_FROM_MS = -5_000;
const CURVE_TO_MS = 65_000;
/**
 * Calls of so long are looked at together: one bin alone holds too few to tell 0.9 from 1. The first window says when it
 * is reached, the second that it stays.
 */
const FAIR_WINDOWS_MS = [1_000, 3_000];
const FAIR = 0.9;
/** Calls that a fair share would bring in one bin; fewer make noise and no curve. */
const MIN_EXPECTED = 5;

export function costOf({ cost }: Observations, random: Random): CostResult {
  return { perPollUs: mean(cost.perPollUs), interval: meanInterval(cost.perPollUs, random), pods: cost.pods };
}

export function analyse(grid: Grid, observations: Observations, cost: CostResult, random: Random): Measured[] {
  return grid.cells.map((plan) => {
    const process = observations.processes.get(plan.group);
    const log = process?.logs.find(({ id }) => id === plan.id);
    if (!process || !log) throw new Error(`no log of ${plan.id}`);
    const events = observations.published.filter(({ service }) => service === plan.service);
    const samples = lifeOf(plan, log, events, observations);
    const minutes = (observations.endedAt - observations.beganAt) / 60_000;
    const pollsPerMinute = log.polls === null ? null : log.polls / minutes;
    const queries = log.queries ?? observations.asked.get(plan.id) ?? null;
    const share = shareCurve(log, events, observations);
    const adds = samples.filter(({ kind }) => kind === 'add');
    const removes = samples.filter(({ kind }) => kind === 'remove');
    const left = removes.filter(({ everCalled }) => everCalled);
    // Only without a cache are the baselines measured beside ours.
    const isCompared = plan.cacheTtl === 0;
    const cell: CellResult = {
      plan,
      adds: adds.length,
      removes: removes.length,
      seen: drawn(samples, 'seenMs', random),
      connected: stage(adds, 'connectedMs', random),
      firstCall: isCompared ? drawn(adds, 'firstCallMs', random) : stage(adds, 'firstCallMs', random),
      lastCall: isCompared ? drawn(left, 'lastCallMs', random) : stage(left, 'lastCallMs', random),
      fairShareMs: fairFrom(share),
      share: isCompared ? share : null,
      calls: log.calls.started,
      failedByStatus: log.calls.failedByStatus,
      callP99Ms: log.calls.latency.p99Ms,
      pollsPerMinute,
      queriesPerMinute: queries === null ? null : queries / minutes,
      pollingCpuShare: pollsPerMinute === null ? null : (pollsPerMinute * cost.perPollUs) / 60e6,
      eventLoopDelayP99Ms: plan.client.kind === 'kuberesolver' ? null : process.eventLoopDelayP99Ms,
      theory: theory(plan),
      goal: goal(plan),
      simulated: null,
      agreement: null,
    };
    return { cell, seenMs: happened(samples, 'seenMs') };
  });
}

function lifeOf(
  plan: CellPlan,
  log: ClientLog,
  events: readonly Published[],
  { beganAt, endedAt }: Observations,
): EventSample[] {
  const calls = callsByPod(log);
  return events.map(({ kind, ip, at }) => {
    const isThis = (address: string): boolean => address.startsWith(`${ip}:`);
    // An address has one life, so the first mention is the one.
    const update = log.updates.findIndex(({ added, removed }) => (kind === 'add' ? added : removed).some(isThis));
    const seenAt = log.updates[update]?.at;
    const connectedAt = log.connected.find(({ address }) => isThis(address))?.at;
    const { first, last } = calls.get(ip) ?? { first: undefined, last: undefined };
    const since = (moment: number | undefined): number | null => (moment === undefined ? null : moment - at);
    const stillCalled = last !== undefined && last > endedAt - STILL_CALLED_MS;
    return {
      kind,
      atMs: at - beganAt,
      seenMs: isBaseline(plan.client) ? null : since(seenAt),
      // `since` has whole milliseconds.
      connectedMs: kind === 'add' && connectedAt !== undefined ? Math.max(0, connectedAt - at) : null,
      firstCallMs: kind === 'add' ? since(first) : null,
      lastCallMs: kind === 'add' || stillCalled || last === undefined ? null : Math.max(0, last - at),
      everCalled: first !== undefined,
      foundBy: update,
    };
  });
}

/** First answer and start of the last call. */
function callsByPod({ dueAt, latencyMs, pod, pods }: ClientLog): Map<string, { first: number; last: number }> {
  const calls = new Map<string, { first: number; last: number }>();
  for (const [index, due] of dueAt.entries()) {
    const ip = pods[pod[index] as number] as string;
    const answered = due + (latencyMs[index] as number);
    const known = calls.get(ip);
    if (!known) calls.set(ip, { first: answered, last: due });
    else {
      known.first = Math.min(known.first, answered);
      known.last = Math.max(known.last, due);
    }
  }
  return calls;
}

type Moment = 'seenMs' | 'connectedMs' | 'firstCallMs' | 'lastCallMs';

function stage(samples: readonly EventSample[], moment: Moment, random: Random): Stage {
  const those = samples.filter((sample) => sample[moment] !== null);
  const summary = summarise(
    happened(samples, moment),
    random,
    // What one poll found counts once; the baselines do not tell which look found what.
    those.map((sample, index) => (sample.foundBy >= 0 ? sample.foundBy : -1 - index)),
  );
  return { summary, never: samples.length - those.length };
}

function drawn(samples: readonly EventSample[], moment: Moment, random: Random): Stage {
  return { ...stage(samples, moment, random), values: thinned(happened(samples, moment)) };
}

function happened(samples: readonly EventSample[], moment: Moment): number[] {
  return samples.map((sample) => sample[moment]).filter((ms) => ms !== null);
}

/**
 * One scale-up has too few calls to tell a share to within 10 %: the calls after all of a cell's scale-ups are laid
 * over each other. A pod's fair share is one over the pods in DNS at that moment.
 */
function shareCurve(log: ClientLog, events: readonly Published[], observations: Observations): ShareCurve {
  const bins = Math.ceil((CURVE_TO_MS - CURVE_FROM_MS) / BIN_MS);
  const got = new Float64Array(bins);
  const due = new Float64Array(bins);
  for (const added of events.filter(({ kind }) => kind === 'add')) {
    const removedAt = events.find(({ kind, ip }) => kind === 'remove' && ip === added.ip)?.at;
    const until = Math.min(removedAt ?? observations.endedAt, added.at + CURVE_TO_MS);
    const number = log.pods.indexOf(added.ip);
    for (let index = lowerBound(log.dueAt, added.at + CURVE_FROM_MS); index < log.dueAt.length; index++) {
      const at = log.dueAt[index] as number;
      if (at >= until) break;
      const bin = Math.floor((at - added.at - CURVE_FROM_MS) / BIN_MS);
      if (bin < 0 || bin >= bins) continue;
      due[bin] = (due[bin] as number) + 1 / podsAt(at, events, observations, added.service);
      if (log.pod[index] === number) got[bin] = (got[bin] as number) + 1;
    }
  }
  const values = Array.from(got, (calls, bin) =>
    (due[bin] as number) >= MIN_EXPECTED ? calls / (due[bin] as number) : null,
  );
  return { fromMs: CURVE_FROM_MS, binMs: BIN_MS, values };
}

function podsAt(
  at: number,
  events: readonly Published[],
  { podsAtStart }: Observations,
  service: Published['service'],
) {
  return events.findLast((event) => event.at <= at)?.pods ?? podsAtStart[service] ?? 1;
}

/** Calls end in another order than they are due. */
function lowerBound(nearlyAscending: Float64Array, value: number): number {
  let [low, high] = [0, nearlyAscending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((nearlyAscending[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function fairFrom({ fromMs, binMs, values }: ShareCurve): number | null {
  const fairOver = (bin: number, ms: number): boolean => {
    const window = values.slice(bin, bin + ms / binMs).filter((value) => value !== null);
    return window.length === ms / binMs && mean(window) >= FAIR;
  };
  for (let bin = Math.ceil(-fromMs / binMs); bin < values.length; bin++)
    if (FAIR_WINDOWS_MS.every((ms) => fairOver(bin, ms))) return fromMs + bin * binMs;
  return null;
}
