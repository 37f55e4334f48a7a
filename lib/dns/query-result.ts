/** What one question came to, and how the results of a search add up to a resolution. Pure. */
import type { Transport } from './exchange.js';
import { type EmptyReason, type Failure, type FailureReason, type RcodeReason, toError } from './failure.js';
import type { AddressType, QueryBits, Question, RecordType } from './message.js';
import type { Addresses, Outcome, Resolution } from './resolution.js';
import type { Response } from './response.js';
import type { SearchScope } from './search-list.js';
import type { ServiceRecord } from './service-records.js';
import { formatServer, type ServerAddress } from './settings.js';

/** A valid response, whatever its RCODE, and where it came from. */
export interface ServerResponse {
  readonly response: Response;
  readonly server: ServerAddress;
  readonly transport: Transport;
  /** As they were sent. */
  readonly bits: QueryBits;
}

/** As `Outcome`, with its failure still as data. */
export type QueryOutcome =
  | Addresses
  | { readonly kind: 'empty'; readonly failure: Failure<EmptyReason>; readonly ttlMs: number }
  | { readonly kind: 'failed'; readonly failure: Failure<FailureReason> };

/** SRV records, before the addresses of their targets are there. */
export interface ServiceTargets {
  readonly kind: 'services';
  /** At least one. */
  readonly services: readonly ServiceRecord[];
  readonly ttlMs: number;
  readonly partial: boolean;
}

/** What a response to a question of this type may come to. */
export type ResponseOutcome<T extends RecordType> = T extends AddressType
  ? QueryOutcome
  : QueryOutcome | ServiceTargets;

export interface QueryResult<O = QueryOutcome> {
  readonly question: Question;
  readonly outcome: O;
  /** The last valid response, which a later attempt may have failed to better; null where there was none. */
  readonly last: ServerResponse | null;
}

const RCODE_REASONS: ReadonlyMap<string, RcodeReason> = new Map([
  ['SERVFAIL', 'servfail'],
  ['REFUSED', 'refused'],
]);

/** What a valid response says. `failed`: another server should be asked. */
export function toOutcome<T extends RecordType>(
  question: Question<T>,
  { response, server }: ServerResponse,
): ResponseOutcome<T>;
export function toOutcome(
  { hostname, type }: Question,
  { response, server }: ServerResponse,
): QueryOutcome | ServiceTargets {
  const { addresses, services, ttlMs, truncated, rcode, refused } = response;
  const address = formatServer(server);
  const failure = <R extends EmptyReason | FailureReason>(reason: R, what: string): Failure<R> => ({
    reason,
    message: `${type} of "${hostname}": ${address} answered ${what}`,
    hostname,
    server: address,
  });
  if (rcode === 'NXDOMAIN') return { kind: 'empty', failure: failure('nxdomain', 'NXDOMAIN (no such name)'), ttlMs };
  if (rcode !== 'NOERROR') return { kind: 'failed', failure: failure(RCODE_REASONS.get(rcode) ?? 'rcode', rcode) };
  if (addresses.length > 0) return { kind: 'addresses', addresses, ttlMs, partial: truncated };
  if (services.length > 0) return { kind: 'services', services, ttlMs, partial: truncated };
  // Not NODATA: the part that is missing may hold addresses.
  if (truncated) {
    const what = type === 'SRV' ? 'SRV record' : 'address';
    return { kind: 'failed', failure: failure('malformed', `over TCP with TC set and no ${what}`) };
  }
  const what =
    refused > 0
      ? `NODATA (the name has ${refused} ${type} record${refused === 1 ? '' : 's'}, but no connection can be opened to such an address)`
      : `NODATA (the name exists, but has no ${type} records)`;
  return { kind: 'empty', failure: failure('nodata', what), ttlMs };
}

/** The last failure, which is the one to act on; its message lists the earlier ones and ends with the advice. */
export function withHistory<R extends FailureReason>(
  failure: Failure<R>,
  earlier: readonly Failure[],
  advice: string | null,
): Failure<R> {
  const attempts = earlier.map(({ server, reason }) => `${server} ${reason.toUpperCase()}`);
  const notes = attempts.length > 0 ? [`before that: ${attempts.join(', ')}`] : [];
  if (advice !== null) notes.push(advice);
  return notes.length === 0 ? failure : { ...failure, message: `${failure.message} (${notes.join('; ')})` };
}

/**
 * Of a search that found no address, the one result of each record type to report.
 *
 * If every decisive candidate was asked for and denied, the search is empty: failures of other candidates do not count,
 * and the denial of the Service's own name is reported. Else a failure is reported before NODATA before NXDOMAIN, and
 * among equals that of the Service's own name, then that of a decisive candidate. Where the form of the Service's own
 * name is unknown, the name as the user wrote it is preferred.
 *
 * @param hostname as the user wrote it.
 */
export function summarise(results: readonly QueryResult[], scope: SearchScope, hostname: string): QueryResult[] {
  const { decisive, serviceName } = scope;
  const ofDecisive = results.filter(({ question }) => decisive.has(question.hostname));
  const asked = new Set(ofDecisive.map(({ question }) => question.hostname));
  const denied = asked.size === decisive.size && ofDecisive.every(({ outcome }) => outcome.kind === 'empty');
  const counted = denied ? results.filter(({ outcome }) => outcome.kind === 'empty') : results;
  const rank = ({ question: { hostname: name }, outcome }: QueryResult): number => {
    const isServiceName = name === serviceName;
    const isLikely = serviceName === null ? name === hostname : decisive.has(name);
    return (denied && isServiceName ? 100 : 0) + 10 * severity(outcome) + (isServiceName ? 2 : 0) + (isLikely ? 1 : 0);
  };
  const types = [...new Set(counted.map(({ question }) => question.type))];
  return types.map((type) => {
    const candidates = results.filter(({ question }) => question.type === type);
    const chosen = counted
      .filter(({ question }) => question.type === type)
      .reduce((best, result) => (rank(result) > rank(best) ? result : best));
    const others = candidates.filter((result) => result !== chosen).map(describe);
    const note = ` (nor found as ${others.join(', ')})`;
    return others.length === 0 ? chosen : { ...chosen, outcome: withNote(chosen.outcome, note) };
  });
}

/** A denial needs no word more: the name was not found. */
function describe({ question: { hostname }, outcome }: QueryResult): string {
  return outcome.kind === 'failed' ? `${hostname}: ${outcome.failure.reason.toUpperCase()}` : hostname;
}

function withNote(outcome: QueryOutcome, note: string): QueryOutcome {
  switch (outcome.kind) {
    case 'addresses':
      return outcome;
    case 'empty':
      return { ...outcome, failure: { ...outcome.failure, message: outcome.failure.message + note } };
    case 'failed':
      return { ...outcome, failure: { ...outcome.failure, message: outcome.failure.message + note } };
  }
}

function severity(outcome: QueryOutcome): number {
  if (outcome.kind !== 'empty') return 2;
  return outcome.failure.reason === 'nodata' ? 1 : 0;
}

/** `results`: at least one, and at most one of each type. */
export function toResolution(results: readonly QueryResult[]): Resolution {
  // The name, server and RCODE are those of the result with addresses, or else of the first that got a response.
  const { question, last } =
    results.find(({ outcome }) => outcome.kind === 'addresses') ??
    results.find((result) => result.last !== null) ??
    (results[0] as QueryResult);
  return {
    outcomes: new Map(results.map(({ question: { type }, outcome }) => [type, withError(outcome)])),
    name: question.hostname,
    server: last && formatServer(last.server),
    transport: last?.transport ?? null,
    rcode: last?.response.rcode ?? null,
    bits: last?.bits ?? null,
  };
}

/** The outcome as users are given it. */
function withError(outcome: QueryOutcome): Outcome {
  switch (outcome.kind) {
    case 'addresses':
      return outcome;
    case 'empty':
      return { kind: 'empty', reason: outcome.failure.reason, error: toError(outcome.failure), ttlMs: outcome.ttlMs };
    case 'failed':
      return { kind: 'failed', reason: outcome.failure.reason, error: toError(outcome.failure) };
  }
}
