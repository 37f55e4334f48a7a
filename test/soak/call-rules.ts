/** Is what became of a call explained by what happened to its pod? Pure: a call and the history in, a ruling out. */
import { status } from '@grpc/grpc-js';
import type { History, Period, PodHistory, Trouble } from './history.js';

export type CallKind = 'unary' | 'server stream' | 'client stream' | 'chat';

/** A call that has ended. Times are of `performance.now()`. */
export interface EndedCall {
  readonly id: number;
  readonly kind: CallKind;
  /** Its client has the retry policy and the keepalive that the README advises; otherwise it has neither. */
  readonly advised: boolean;
  /** The pod had begun to answer: from then on no retry policy applies (gRFC A6). */
  readonly answered: boolean;
  readonly startedAt: number;
  readonly endedAt: number;
  /** IP of the pod that it was on last; null where there was none. */
  readonly pod: string | null;
  readonly code: status;
  readonly details: string;
}

export interface JudgeLimits {
  /** The client hears of a change of DNS within this time, if DNS answers. */
  readonly newsMs: number;
  /** It hears of it within this time after an outage of DNS. */
  readonly newsAfterOutageMs: number;
  /** A broken connection is noticed within this time. */
  readonly noticeMs: number;
  /** The machine had no time for this process or for the pods: deadlines prove nothing. */
  readonly starved: boolean;
}

export type Ruling =
  | { readonly kind: 'kept' }
  | { readonly kind: 'explained'; readonly by: string }
  | { readonly kind: 'broken'; readonly sentence: string };

const KEPT: Ruling = { kind: 'kept' };

/** What calls on a pod that is killed, or whose socket is gone, may end with. */
const LOST: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.INTERNAL, status.CANCELLED]);

export function judge(call: EndedCall, history: History, limits: JudgeLimits): Ruling {
  const pod = call.pod === null ? undefined : history.of(call.pod);
  if (call.code === status.OK) {
    const gone = pod && goneFor(call.startedAt, pod, history, limits);
    if (!gone) return KEPT;
    return broken(call, pod, `went to a pod that had been gone from DNS for ${seconds(gone.sinceMs)}`);
  }
  if (!pod) return broken(call, undefined, 'though no pod had it');
  const hung = pod.troubles.find((trouble) => trouble.kind === 'hung' && during(call, trouble, 0));
  if (call.code === status.DEADLINE_EXCEEDED && call.kind === 'unary' && hung)
    return { kind: 'explained', by: 'was on a pod that hung' };
  if (call.code === status.DEADLINE_EXCEEDED && limits.starved)
    return { kind: 'explained', by: 'while the machine had no CPU for the soak' };
  if (!LOST.has(call.code)) return broken(call, pod, 'though nothing that happened to its pod leads to that');
  const by = lostBy(call, pod, history, limits);
  if (!by) return broken(call, pod, 'though its pod was in good health');
  if (call.advised && !call.answered) return broken(call, pod, `and ${by}, but its retry policy covers that`);
  return { kind: 'explained', by };
}

/** Why a connection under a call may have broken. */
function lostBy(call: EndedCall, pod: PodHistory, history: History, limits: JudgeLimits): string | null {
  for (const trouble of pod.troubles) {
    if (!during(call, trouble, limits.noticeMs)) continue;
    if (trouble.kind === 'killed') return 'was on a pod that was killed';
    if (trouble.kind !== 'stopped') continue;
    if (unheard(call, trouble, pod, history, limits)) return 'met a pod that stopped while DNS was down';
    // grpc-js 1.14 takes a session that a GOAWAY is closing for dead when it cannot send a keepalive ping on it.
    if (call.advised && call.endedAt <= trouble.until + limits.noticeMs)
      return 'was cut by the first keepalive ping after a GOAWAY (grpc-node #3068)';
  }
  return null;
}

/** When everyone who asks DNS must know of a change at `at`. */
export function knownBy(at: number, outages: readonly Period[], limits: JudgeLimits): number {
  let known = at + limits.newsMs;
  for (const { from, until } of outages)
    if (from <= known && until >= at) known = Math.max(known, until + limits.newsAfterOutageMs);
  return known;
}

/** How long the pod had been gone when a call was sent there that should not have been. */
function goneFor(at: number, pod: PodHistory, history: History, limits: JudgeLimits): { sinceMs: number } | null {
  if (pod.published.some(({ from, until }) => from <= at && at <= until)) return null;
  const left = Math.max(...pod.published.map(({ until }) => until).filter((until) => until < at));
  if (!Number.isFinite(left) || at <= knownBy(left, history.outages, limits)) return null;
  return { sinceMs: at - left };
}

function during(call: EndedCall, trouble: Trouble, noticeMs: number): boolean {
  return call.startedAt <= trouble.until + noticeMs && call.endedAt >= trouble.from;
}

/**
 * A call sent to a stopping pod before the client could know of it, since DNS was down all through its grace: if it
 * meets the closed socket, the RST may overtake the GOAWAY.
 */
function unheard(call: EndedCall, stop: Trouble, pod: PodHistory, history: History, limits: JudgeLimits): boolean {
  const left = Math.max(...pod.published.map(({ until }) => until).filter((until) => until <= stop.from));
  return call.startedAt >= stop.from - limits.noticeMs && call.startedAt <= knownBy(left, history.outages, limits);
}

function broken(call: EndedCall, pod: PodHistory | undefined, why: string): Ruling {
  const where = call.pod === null ? '' : ` on ${call.pod}`;
  const took = seconds(call.endedAt - call.startedAt);
  const how = call.code === status.OK ? '' : ` ended with ${status[call.code]} ("${call.details}")`;
  const retry = call.advised ? ', with a retry policy' : '';
  const known = pod ? `; ${tell(pod, call.endedAt)}` : '';
  return { kind: 'broken', sentence: `call ${call.id} (${call.kind}${retry}, ${took})${where}${how} ${why}${known}` };
}

/** All that is known of the pod, by the time at which the call ended. */
function tell({ published, troubles }: PodHistory, endedAt: number): string {
  const when = ({ from, until }: Period): string => {
    const end = Number.isFinite(until) ? `${seconds(endedAt - until)} before its end` : 'now';
    return `from ${seconds(endedAt - from)} to ${end}`;
  };
  return [
    ...published.map((period) => `in DNS ${when(period)}`),
    ...troubles.map((trouble) => `${trouble.kind} ${when(trouble)}`),
  ].join(', ');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
