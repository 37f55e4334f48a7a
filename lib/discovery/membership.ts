/** What an answer means for the set of addresses. Pure: the old set and a resolution in, the new set out. */

import type { Outcome, OutcomeSource, Resolution } from '../dns/resolution.js';
import type { DnsError } from '../errors.js';

/** What NXDOMAIN and NODATA do to a working set: nothing, or empty it. */
export type EmptyRule = 'keep' | 'drop';

/** The set, by the record type that each address came from: one may fail while another answers. */
export interface Membership {
  readonly bySource: ReadonlyMap<OutcomeSource, readonly string[]>;
  /** All addresses, each once. The same array for as long as the set is the same. */
  readonly addresses: readonly string[];
  /** The same, to be asked who is among them. */
  readonly members: ReadonlySet<string>;
  /** How it came from the set before. */
  readonly change: Change;
}

/** Found out once, so that everyone downstream has work in proportion to the change and not to the set. */
export interface Change {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
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

const NO_ADDRESSES: readonly string[] = [];

export const EMPTY_MEMBERSHIP: Membership = {
  bySource: new Map(),
  addresses: NO_ADDRESSES,
  members: new Set(),
  change: { before: NO_ADDRESSES, after: NO_ADDRESSES, added: NO_ADDRESSES, removed: NO_ADDRESSES },
};

/** Applies one resolution. */
export function applyResolution(previous: Membership, resolution: Resolution, rule: EmptyRule): MembershipUpdate {
  const outcomes = [...resolution.outcomes.values()];
  const answered = outcomes.filter((outcome) => outcome.kind === 'addresses');
  const bySource = new Map<OutcomeSource, readonly string[]>();
  for (const [source, before] of previous.bySource) {
    // A family that was not asked about this time (`auto`) goes as soon as another one has addresses, all of them.
    if (!resolution.outcomes.has(source) && answered.every((outcome) => outcome.partial)) bySource.set(source, before);
  }
  for (const [source, outcome] of resolution.outcomes) {
    const next = applyOutcome(previous.bySource.get(source) ?? [], outcome);
    if (next.length > 0) bySource.set(source, next);
  }
  const members = unionOf([...bySource.values()]);
  const verdict = {
    error: troubleOf(outcomes),
    ttlMs: answered.length > 0 ? Math.min(...answered.map((outcome) => outcome.ttlMs)) : null,
    failed: outcomes.every((outcome) => outcome.kind === 'failed'),
  };
  const before = previous.addresses;
  const { added, removed } = difference(previous.members, members);
  const emptied = members.size === 0 && before.length > 0;
  if (emptied && rule === 'keep') return { ...verdict, membership: previous, changed: false };
  // Addresses may have moved from one source to another without the set changing.
  if (added.length === 0 && removed.length === 0)
    return { ...verdict, membership: { ...previous, bySource }, changed: false };
  const after = [...members];
  const change = { before, after, added, removed };
  return { ...verdict, membership: { bySource, addresses: after, members, change }, changed: true };
}

function applyOutcome(before: readonly string[], outcome: Outcome): readonly string[] {
  switch (outcome.kind) {
    case 'addresses':
      // A cut answer says who is there, not who is gone.
      return outcome.partial ? [...new Set([...before, ...outcome.addresses])] : outcome.addresses;
    case 'empty':
      return [];
    case 'failed':
      return before;
  }
}

/** An empty answer beside one with addresses is no trouble: most Services have one family. */
function troubleOf(outcomes: readonly Outcome[]): DnsError | null {
  const failed = outcomes.find((outcome) => outcome.kind === 'failed');
  if (failed) return failed.error;
  if (outcomes.some((outcome) => outcome.kind === 'addresses')) return null;
  return outcomes.find((outcome) => outcome.kind === 'empty')?.error ?? null;
}

/** Nearly always there is one list; to join lists costs as much again as the set. */
function unionOf(lists: readonly (readonly string[])[]): Set<string> {
  const [first, ...others] = lists;
  const union = new Set(first);
  for (const list of others) for (const address of list) union.add(address);
  return union;
}

/** Who came and who went. */
export function difference(before: ReadonlySet<string>, after: ReadonlySet<string>): Pick<Change, 'added' | 'removed'> {
  const added: string[] = [];
  for (const address of after) if (!before.has(address)) added.push(address);
  // As many as there were, and none of them new.
  if (added.length === 0 && before.size === after.size) return { added, removed: [] };
  const removed: string[] = [];
  for (const address of before) if (!after.has(address)) removed.push(address);
  return { added, removed };
}

/** Who came and who went since `given`: the last change itself where it starts there, as it nearly always does. */
export function changeSince(
  given: readonly string[] | null,
  addresses: readonly string[],
  change: Change,
): Pick<Change, 'added' | 'removed'> {
  if (given === null) return { added: addresses, removed: [] };
  if (change.before === given && change.after === addresses) return change;
  // Reports were missed, as while the channel was idle.
  return difference(new Set(given), new Set(addresses));
}
