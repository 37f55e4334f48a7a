/** What an answer means for the set of addresses. Pure: the old set and a resolution in, the new set out. */
import type { Address } from '../address.js';
import type { Outcome, OutcomeSource, Resolution } from '../dns/resolution.js';
import type { DnsError } from '../errors.js';
import type { AnswerUse } from './answer-age.js';
import { NO_PORT } from './default-port.js';

/**
 * What NXDOMAIN and NODATA do to a working set: nothing, or empty it.
 *
 * @inline
 */
export type EmptyRule = 'keep' | 'drop';

/** The set. Never changed in place. */
export interface Membership {
  /** By the record type that each address came from: one may fail while another answers. */
  readonly bySource: ReadonlyMap<OutcomeSource, readonly string[]>;
  /** All hosts, each once. Those of SRV are `"host:port"`. */
  readonly hosts: ReadonlySet<string>;
  /** What SRV tells of its hosts. Empty where none comes from SRV. */
  readonly services: ReadonlyMap<string, Address>;
}

export interface MembershipUpdate {
  readonly membership: Membership;
  /** The set, or a weight in it, is not what it was. Order never counts: DNS servers shuffle. */
  readonly changed: boolean;
  /** What went wrong, or that the answer was empty; null where every outcome had addresses. */
  readonly error: DnsError | null;
  /** The shortest TTL of the outcomes with addresses; null where none had any. */
  readonly ttlMs: number | null;
  /** No server gave a valid answer to any question. */
  readonly failed: boolean;
}

/** Every answer may change everything. */
export const NO_LIMITS: ReadonlyMap<OutcomeSource, AnswerUse> = new Map();
const NO_SERVICES: Membership['services'] = new Map();

export const EMPTY_MEMBERSHIP: Membership = { bySource: new Map(), hosts: new Set(), services: NO_SERVICES };

/** The set as subscribers are told it. */
export function addressesOf({ hosts, services }: Membership): readonly Address[] {
  const addresses: Address[] = [];
  if (services.size === 0) for (const host of hosts) addresses.push({ host, port: NO_PORT });
  else for (const host of hosts) addresses.push(services.get(host) ?? { host, port: NO_PORT });
  return addresses;
}

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
  const told = resolution.outcomes.get('SRV');
  const services = servicesOf(previous.services, told, useOf('SRV'), bySource.get('SRV'));
  const sameHosts = sameSet(previous.hosts, hosts);
  const changed = !sameHosts || !sameWeights(previous.services, services);
  // Addresses may have moved from one source to another without the set changing.
  return { ...result, membership: { bySource, hosts: sameHosts ? previous.hosts : hosts, services }, changed };
}

/** Of the hosts of SRV: what the newest answer tells of them. */
function servicesOf(
  before: Membership['services'],
  outcome: Outcome | undefined,
  use: AnswerUse,
  hosts: readonly string[] | undefined,
): Membership['services'] {
  if (hosts === undefined) return NO_SERVICES;
  if (outcome?.kind !== 'addresses' || use === 'ignore') return before;
  const told = new Map(outcome.addresses.map((host, index) => [host, outcome.services?.[index]]));
  const services = new Map<string, Address>();
  for (const host of hosts) {
    const service = use === 'add' ? (before.get(host) ?? told.get(host)) : (told.get(host) ?? before.get(host));
    if (service !== undefined) services.set(host, service);
  }
  return services;
}

function sameWeights(before: Membership['services'], after: Membership['services']): boolean {
  if (before === after) return true;
  for (const [host, { weight }] of after) if (before.get(host)?.weight !== weight) return false;
  return true;
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
