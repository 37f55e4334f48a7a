/**
 * What is asked for under one candidate name of a named port: its SRV records (RFC 2782), and the addresses of those
 * targets that the response has none for. Only the lowest-numbered priority that has an address is used.
 */
import { type Address, formatHostPort } from '../address.js';
import type { Clock } from '../runtime.js';
import type { AddressType } from './message.js';
import type { Ask, NameQuery } from './name-query.js';
import type { QueryOutcome, QueryResult, ServiceTargets } from './query-result.js';
import type { ServiceRecord } from './service-records.js';
import { type Family, formatServer } from './settings.js';
import { TargetAddresses } from './target-addresses.js';

/** `dual` too takes one family of a target: both of them are one pod. */
const TYPES: Readonly<Record<Family, readonly AddressType[]>> = {
  auto: ['A', 'AAAA'],
  dual: ['A', 'AAAA'],
  ipv4: ['A'],
  ipv6: ['AAAA'],
};
/** Targets that a message names. */
const NAMED_TARGETS = 3;

/** The query remembers the addresses of targets, for the time when they cannot be asked for. */
export function serviceQuery(family: Family, clock: Pick<Clock, 'now'>): NameQuery {
  /** By the name asked for: each candidate of a search has its own targets. */
  const known = new Map<string, TargetAddresses>();
  return async (hostname, ask) => {
    const { question, outcome, last } = await ask({ hostname, type: 'SRV' });
    if (outcome.kind !== 'services') return [{ question, outcome, last }];
    const targets = known.get(hostname) ?? new TargetAddresses(TYPES[family], clock);
    known.set(hostname, targets);
    return resolveTargets({ question, outcome, last }, targets, ask);
  };
}

/** The addresses; and beside them the first query for a target that failed. */
async function resolveTargets(
  result: QueryResult<ServiceTargets>,
  targets: TargetAddresses,
  ask: Ask,
): Promise<QueryResult[]> {
  const { services, ttlMs, partial } = result.outcome;
  let failed: QueryResult | null = null;
  const budget = targets.begin(services);
  for (const group of byPriority(services)) {
    const failure = await targets.learn(group, budget, ask);
    failed ??= failure;
    const endpoints = endpointsOf(group, targets);
    if (endpoints.length === 0) continue;
    targets.end(budget);
    const addresses = endpoints.map(({ host, port }) => formatHostPort(host, port));
    const found: QueryResult = {
      ...result,
      outcome: { kind: 'addresses', addresses, services: endpoints, ttlMs, partial },
    };
    return failed === null ? [found] : [found, failed];
  }
  targets.end(budget);
  return [{ ...result, outcome: failed?.outcome ?? withoutAddress(result) }];
}

/** The records that have a target, the lowest priority number first. */
function byPriority(services: readonly ServiceRecord[]): ServiceRecord[][] {
  const groups = new Map<number, ServiceRecord[]>();
  for (const service of services) {
    if (service.target === '') continue;
    const group = groups.get(service.priority);
    if (group) group.push(service);
    else groups.set(service.priority, [service]);
  }
  return [...groups].sort(([one], [other]) => one - other).map(([, group]) => group);
}

/** Each host and port once. */
function endpointsOf(group: readonly ServiceRecord[], targets: TargetAddresses): Address[] {
  const endpoints = new Map<string, Address>();
  for (const { target, port, weight } of group)
    for (const host of targets.of(target)) {
      const key = formatHostPort(host, port);
      if (!endpoints.has(key)) endpoints.set(key, { host, port, weight });
    }
  return [...endpoints.values()];
}

function withoutAddress({ question, outcome, last }: QueryResult<ServiceTargets>): QueryOutcome {
  const { hostname } = question;
  const server = last === null ? undefined : formatServer(last.server);
  const targets = [...new Set(outcome.services.map(({ target }) => target))].filter((target) => target !== '');
  const more = targets.length > NAMED_TARGETS ? ` and ${targets.length - NAMED_TARGETS} more` : '';
  const what =
    targets.length === 0
      ? 'that the service is not available (the target of its SRV record is ".")'
      : `SRV records, but there is no address for ${targets.slice(0, NAMED_TARGETS).join(', ')}${more}`;
  const message = `SRV of "${hostname}": ${server} answered ${what}`;
  return { kind: 'empty', failure: { reason: 'nodata', message, hostname, server }, ttlMs: outcome.ttlMs };
}
