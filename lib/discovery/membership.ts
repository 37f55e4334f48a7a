/** What an answer means for the set of addresses. Pure: the old set and a resolution in, the new set out. */

import type { AddressSource, Outcome, Resolution } from '../dns/resolution.js';
import type { DnsError } from '../errors.js';

/** What NXDOMAIN and NODATA do to a working set: nothing, or empty it. */
export type EmptyRule = 'keep' | 'drop';

/** The set, by the record type that each address came from: one may fail while another answers. */
export interface Membership {
  readonly bySource: ReadonlyMap<AddressSource, readonly string[]>;
  /** All addresses, each once. The same array for as long as the set is the same. */
  readonly addresses: readonly string[];
}

export interface Verdict {
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

export const NOBODY: Membership = { bySource: new Map(), addresses: [] };

/** Applies one resolution. */
export function judge(previous: Membership, resolution: Resolution, rule: EmptyRule): Verdict {
  const outcomes = [...resolution.outcomes.values()];
  const answered = outcomes.filter((outcome) => outcome.kind === 'addresses');
  const bySource = new Map<AddressSource, readonly string[]>();
  for (const [source, before] of previous.bySource) {
    // A family that was not asked about this time (`auto`) goes as soon as another one has addresses, all of them.
    if (!resolution.outcomes.has(source) && answered.every((outcome) => outcome.partial)) bySource.set(source, before);
  }
  for (const [source, outcome] of resolution.outcomes) {
    const next = applyOutcome(previous.bySource.get(source) ?? [], outcome);
    if (next.length > 0) bySource.set(source, next);
  }
  const addresses = [...new Set([...bySource.values()].flat())];
  const verdict = {
    error: troubleOf(outcomes),
    ttlMs: answered.length > 0 ? Math.min(...answered.map((outcome) => outcome.ttlMs)) : null,
    failed: outcomes.every((outcome) => outcome.kind === 'failed'),
  };
  const emptied = addresses.length === 0 && previous.addresses.length > 0;
  if (sameSet(previous.addresses, addresses) || (emptied && rule === 'keep'))
    return { ...verdict, membership: emptied ? previous : keepIdentity(previous, bySource), changed: false };
  return { ...verdict, membership: { bySource, addresses }, changed: true };
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

/** Addresses may have moved from one source to another without the set changing. */
function keepIdentity(previous: Membership, bySource: Membership['bySource']): Membership {
  return { bySource, addresses: previous.addresses };
}

/** An empty answer beside one with addresses is no trouble: most Services have one family. */
function troubleOf(outcomes: readonly Outcome[]): DnsError | null {
  const failed = outcomes.find((outcome) => outcome.kind === 'failed');
  if (failed) return failed.error;
  if (outcomes.some((outcome) => outcome.kind === 'addresses')) return null;
  return outcomes.find((outcome) => outcome.kind === 'empty')?.error ?? null;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  const members = new Set(a);
  return b.every((address) => members.has(address));
}

/** Who came, who went, who stayed. */
export interface Difference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly kept: readonly string[];
}

/** Compares two sets, each without repetitions. */
export function difference(before: readonly string[], after: readonly string[]): Difference {
  const old = new Set(before);
  const added: string[] = [];
  const kept: string[] = [];
  for (const address of after) (old.delete(address) ? kept : added).push(address);
  return { added, removed: [...old], kept };
}
