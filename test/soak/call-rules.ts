/** Whether the end of a call is explained by what happened to its pod. Pure: a call and the history in, a ruling out. */
import { status } from '@grpc/grpc-js';
import { seconds } from '../support/number-format.js';
import type { EndedCall } from '../support/recorder.js';
import type { History, Period, PodHistory, Trouble } from './history.js';

/** A call that has ended, and what the rules need of its client. Times are of `performance.now()`. */
export interface SoakCall extends Pick<EndedCall, 'id' | 'kind' | 'committed' | 'endedAt' | 'code' | 'details'> {
  /** Its client has the recommended options: a retry policy and keepalive. Otherwise it has neither. */
  readonly recommendedOptions: boolean;
  readonly startedAt: number;
  /** IP of the pod that it was on last; null where there was none. */
  readonly pod: string | null;
}

export interface RuleLimits {
  /** The client applies a change of DNS within this time, if DNS answers. */
  readonly updateMs: number;
  /** It applies it within this time after an outage of DNS. */
  readonly updateAfterOutageMs: number;
  /** A broken connection is noticed within this time. */
  readonly disconnectMs: number;
  /** The machine had no CPU time for this process or for the pods: exceeded deadlines prove nothing. */
  readonly starved: boolean;
}

export type Ruling =
  | { readonly kind: 'kept' }
  | { readonly kind: 'explained'; readonly by: string }
  | { readonly kind: 'broken'; readonly sentence: string };

const KEPT: Ruling = { kind: 'kept' };

/** What calls on a pod that is killed, or whose socket is gone, may end with. */
const LOST: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.INTERNAL, status.CANCELLED]);

export function applyRules(call: SoakCall, history: History, limits: RuleLimits): Ruling {
  const pod = call.pod === null ? undefined : history.of(call.pod);
  if (call.code === status.OK) {
    const gone = pod && goneFor(call.startedAt, pod, history, limits);
    if (!gone) return KEPT;
    return broken(call, pod, `went to a pod that had been gone from DNS for ${seconds(gone.sinceMs, 2)}`);
  }
  if (!pod) return broken(call, undefined, 'although it was on no pod');
  const hung = pod.troubles.find((trouble) => trouble.kind === 'hung' && during(call, trouble, 0));
  if (call.code === status.DEADLINE_EXCEEDED && call.kind === 'unary' && hung)
    return { kind: 'explained', by: 'was on a pod that hung' };
  if (call.code === status.DEADLINE_EXCEEDED && limits.starved)
    return { kind: 'explained', by: 'while the machine had no CPU for the soak' };
  if (!LOST.has(call.code)) return broken(call, pod, 'although nothing that happened to its pod leads to that');
  const by = lostBy(call, pod, history, limits);
  if (!by) return broken(call, pod, 'although its pod was in good health');
  if (call.recommendedOptions && !call.committed)
    return broken(call, pod, `and ${by}, but its retry policy covers that`);
  return { kind: 'explained', by };
}

/** Why a connection under a call may have broken. */
function lostBy(call: SoakCall, pod: PodHistory, history: History, limits: RuleLimits): string | null {
  for (const trouble of pod.troubles) {
    if (!during(call, trouble, limits.disconnectMs)) continue;
    if (trouble.kind === 'killed') return 'was on a pod that was killed';
    if (trouble.kind !== 'stopped') continue;
    if (sentBeforeUpdate(call, trouble, pod, history, limits)) return 'met a pod that stopped while DNS was down';
    // grpc-js 1.14 takes a session that a GOAWAY is closing for dead when it cannot send a keepalive ping on it.
    if (call.recommendedOptions && call.endedAt <= trouble.until + limits.disconnectMs)
      return 'was cut by the first keepalive ping after a GOAWAY (grpc-node #3068)';
  }
  return null;
}

/** When every client must have applied a change of DNS at `at`. */
export function appliedBy(at: number, outages: readonly Period[], limits: RuleLimits): number {
  let applied = at + limits.updateMs;
  for (const { from, until } of outages)
    if (from <= applied && until >= at) applied = Math.max(applied, until + limits.updateAfterOutageMs);
  return applied;
}

/** How long the pod had been out of DNS when a call was sent to it; null where that is allowed. */
function goneFor(at: number, pod: PodHistory, history: History, limits: RuleLimits): { sinceMs: number } | null {
  if (pod.published.some(({ from, until }) => from <= at && at <= until)) return null;
  const left = Math.max(...pod.published.map(({ until }) => until).filter((until) => until < at));
  if (!Number.isFinite(left) || at <= appliedBy(left, history.outages, limits)) return null;
  return { sinceMs: at - left };
}

function during(call: SoakCall, trouble: Trouble, disconnectMs: number): boolean {
  return call.startedAt <= trouble.until + disconnectMs && call.endedAt >= trouble.from;
}

/**
 * Whether a call was sent to a stopping pod before the client could apply its removal, since DNS was down during its
 * whole grace period. If such a call meets the closed socket, the RST may overtake the GOAWAY.
 */
function sentBeforeUpdate(
  call: SoakCall,
  stop: Trouble,
  pod: PodHistory,
  history: History,
  limits: RuleLimits,
): boolean {
  const left = Math.max(...pod.published.map(({ until }) => until).filter((until) => until <= stop.from));
  return (
    call.startedAt >= stop.from - limits.disconnectMs && call.startedAt <= appliedBy(left, history.outages, limits)
  );
}

function broken(call: SoakCall, pod: PodHistory | undefined, why: string): Ruling {
  const where = call.pod === null ? '' : ` on ${call.pod}`;
  const took = seconds(call.endedAt - call.startedAt, 2);
  const how = call.code === status.OK ? '' : ` ended with ${status[call.code]} ("${call.details}")`;
  const retry = call.recommendedOptions ? ', with a retry policy' : '';
  const past = pod ? `; ${historyText(pod, call.endedAt)}` : '';
  return { kind: 'broken', sentence: `call ${call.id} (${call.kind}${retry}, ${took})${where}${how} ${why}${past}` };
}

/** What happened to the pod, relative to the time at which the call ended. */
function historyText({ published, troubles }: PodHistory, endedAt: number): string {
  const when = ({ from, until }: Period): string => {
    const end = Number.isFinite(until) ? `${seconds(endedAt - until, 2)} before its end` : 'now';
    return `from ${seconds(endedAt - from, 2)} to ${end}`;
  };
  return [
    ...published.map((period) => `in DNS ${when(period)}`),
    ...troubles.map((trouble) => `${trouble.kind} ${when(trouble)}`),
  ].join(', ');
}
