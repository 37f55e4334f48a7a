/** What an answer means for the set of addresses. Pure: the old set and a resolution in, the new set out. */
import type { Outcome, OutcomeSource, Resolution } from '../dns/resolution.js';
import type { DnsError } from '../errors.js';
import type { AnswerUse } from './answer-age.js';

/** What NXDOMAIN and NODATA do to a working set: nothing, or empty it. */
export type EmptyRule = 'keep' | 'drop';

/** The set. Never changed in place. */
export interface Membership {
  /** By the record type that each address came from: one may fail while another answers. */
  readonly bySource: ReadonlyMap<OutcomeSource, readonly string[]>;
  /** All hosts, each once. */
  readonly hosts: ReadonlySet<string>;
}

export interface MembershipUpdate {
  readonly membership: Membership;
  /** The set is not the one it was. Order never counts: DNS servers shuffle. */
  readonly changed: boolean;
  /** What went wrong, or that the answer was empty; null where every outcome had addresses. */
  readonly error: DnsError | null;
  /** The shortest TTL of the outcomes with addresses; null where none had any. */
  readonly ttlMs: number | null;
  /** No server gave a valid answer to any question. */
  readonly failed: boolean;
}

const NO_LIMITS: ReadonlyMap<OutcomeSource, AnswerUse> = new Map();

export const EMPTY_MEMBERSHIP: Membership = { bySource: new Map(), hosts: new Set() };

/**
 * Applies one resolution.
 *
 * @param uses what the answer of each source may change; without an entry, everything.
 */
export function applyResolution(
  previous: Membership,
  resolution: Resolution,
  rule: EmptyRule,
  uses: ReadonlyMap<OutcomeSource, AnswerUse> = NO_LIMITS,
): MembershipUpdate {
  const useOf = (source: OutcomeSource): AnswerUse => uses.get(source) ?? 'replace';
  const outcomes = [...resolution.outcomes];
  const answered = outcomes.flatMap(([source, outcome]) =>
    outcome.kind === 'addresses' ? [{ outcome, whole: !outcome.partial && useOf(source) === 'replace' }] : [],
  );
  const bySource = new Map<OutcomeSource, readonly string[]>();
  for (const [source, before] of previous.bySource) {
    // A family that was not asked about this time (`auto`) goes as soon as another one has addresses, all of them.
    if (!resolution.outcomes.has(source) && !answered.some(({ whole }) => whole)) bySource.set(source, before);
  }
  for (const [source, outcome] of outcomes) {
    const next = applyOutcome(previous.bySource.get(source) ?? [], outcome, useOf(source));
    if (next.length > 0) bySource.set(source, next);
  }
  const result = {
    // A denial that may be older than the set is no error: it says nothing about the present.
    error: errorOf(outcomes.flatMap(([source, outcome]) => (isOldDenial(outcome, useOf(source)) ? [] : [outcome]))),
    ttlMs: answered.length > 0 ? Math.min(...answered.map(({ outcome }) => outcome.ttlMs)) : null,
    failed: outcomes.every(([, outcome]) => outcome.kind === 'failed'),
  };
  const hosts = unionOf([...bySource.values()]);
  const emptied = hosts.size === 0 && previous.hosts.size > 0;
  if (emptied && rule === 'keep') return { ...result, membership: previous, changed: false };
  const changed = !sameSet(previous.hosts, hosts);
  // Addresses may have moved from one source to another without the set changing.
  return { ...result, membership: { bySource, hosts: changed ? hosts : previous.hosts }, changed };
}

function applyOutcome(before: readonly string[], outcome: Outcome, use: AnswerUse): readonly string[] {
  if (use === 'ignore') return before;
  switch (outcome.kind) {
    case 'addresses':
      // A truncated answer, or one that may be older than the set, may add addresses, never remove any.
      return outcome.partial || use === 'add' ? [...new Set([...before, ...outcome.addresses])] : outcome.addresses;
    case 'empty':
      return use === 'add' ? before : [];
    case 'failed':
      return before;
  }
}

function isOldDenial(outcome: Outcome, use: AnswerUse): boolean {
  return outcome.kind === 'empty' && use !== 'replace';
}

/** An empty answer beside one with addresses is no error: most Services have one family. */
function errorOf(outcomes: readonly Outcome[]): DnsError | null {
  const failed = outcomes.find((outcome) => outcome.kind === 'failed');
  if (failed) return failed.error;
  if (outcomes.some((outcome) => outcome.kind === 'addresses')) return null;
  return outcomes.find((outcome) => outcome.kind === 'empty')?.error ?? null;
}

/** The first list becomes a set in one step: nearly always it is the only one. */
function unionOf(lists: readonly (readonly string[])[]): Set<string> {
  const [first, ...others] = lists;
  const union = new Set(first);
  for (const list of others) for (const address of list) union.add(address);
  return union;
}

function sameSet(before: ReadonlySet<string>, after: ReadonlySet<string>): boolean {
  if (before.size !== after.size) return false;
  for (const host of after) if (!before.has(host)) return false;
  return true;
}
