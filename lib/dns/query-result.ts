/** What asking about one name and type came to, and how findings add up to a resolution. Pure. */
import { DnsError, type DnsErrorCode } from '../errors.js';
import type { Transport } from './exchange.js';
import type { Question } from './message.js';
import type { Outcome, Resolution } from './resolution.js';
import type { Response } from './response.js';
import { formatServer, type ServerAddress } from './settings.js';

/** A valid reply, whatever its RCODE, and where it came from. */
export interface ServerResponse {
  readonly reply: Response;
  readonly server: ServerAddress;
  readonly transport: Transport;
}

/** What one question came to: its outcome, and the last reply on the way there. */
export interface QueryResult {
  readonly question: Question;
  readonly outcome: Outcome;
  readonly last: ServerResponse | null;
}

const RCODE_ERRORS: ReadonlyMap<string, DnsErrorCode> = new Map([
  ['SERVFAIL', 'ERR_HEADLESS_DNS_SERVFAIL'],
  ['REFUSED', 'ERR_HEADLESS_DNS_REFUSED'],
]);

/** A server that answered, but not with what the name holds. */
export function isRcode(code: DnsErrorCode): boolean {
  return code === 'ERR_HEADLESS_DNS_RCODE' || [...RCODE_ERRORS.values()].includes(code);
}

/** Why another server should be asked; undefined when this answer stands. */
export function failureOf(question: Question, { reply, server }: ServerResponse): DnsError | undefined {
  const { hostname, type } = question;
  const details = { hostname, server: formatServer(server) };
  const intro = `${type} of "${hostname}": ${details.server} answered`;
  if (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN')
    return new DnsError(RCODE_ERRORS.get(reply.rcode) ?? 'ERR_HEADLESS_DNS_RCODE', `${intro} ${reply.rcode}`, details);
  // No NODATA: what was cut off may have been the addresses.
  if (reply.rcode === 'NOERROR' && reply.truncated && reply.addresses.length === 0)
    return new DnsError('ERR_HEADLESS_DNS_MALFORMED', `${intro} over TCP with nothing but a part of itself`, details);
  return undefined;
}

export function toOutcome({ hostname, type }: Question, { reply, server }: ServerResponse): Outcome {
  const { addresses, ttlMs, truncated, rcode, refused } = reply;
  if (rcode === 'NOERROR' && addresses.length > 0) return { kind: 'addresses', addresses, ttlMs, partial: truncated };
  const details = { hostname, server: formatServer(server) };
  const intro = `${type} of "${hostname}": ${details.server} answered`;
  if (rcode === 'NXDOMAIN') {
    const error = new DnsError('ERR_HEADLESS_DNS_NXDOMAIN', `${intro} NXDOMAIN: no such name`, details);
    return { kind: 'empty', error, ttlMs };
  }
  const why = refused > 0 ? `${refused} that nothing can be connected to` : 'none';
  const error = new DnsError('ERR_HEADLESS_DNS_NODATA', `${intro} NODATA: of its addresses, ${why}`, details);
  return { kind: 'empty', error, ttlMs };
}

/** The last failure, which is the one to act on, with the others in a few words. */
export function withHistory(error: DnsError, earlier: readonly DnsError[], remedy: string | null): DnsError {
  const notes = remedy === null ? [] : [remedy];
  if (earlier.length > 0)
    notes.unshift(
      `before that: ${earlier.map(({ server, code }) => `${server} ${code.replace('ERR_HEADLESS_DNS_', '')}`).join(', ')}`,
    );
  if (notes.length === 0) return error;
  return new DnsError(error.code, `${error.message} (${notes.join('; ')})`, {
    hostname: error.hostname,
    server: error.server,
    cause: error.cause ?? error,
  });
}

/**
 * What a search that found nothing says of each record type: a failure before NODATA before NXDOMAIN, and among equals
 * that of the name `preferred`.
 */
export function summarise(findings: readonly QueryResult[], preferred: string): QueryResult[] {
  const types = [...new Set(findings.map(({ question }) => question.type))];
  return types.map((type) => {
    const own = findings.filter(({ question }) => question.type === type);
    const weight = (finding: QueryResult): number =>
      severity(finding) + (finding.question.hostname === preferred ? 0.5 : 0);
    const chosen = own.reduce((best, finding) => (weight(finding) > weight(best) ? finding : best));
    const others = own.filter((finding) => finding !== chosen).map(({ question }) => question.hostname);
    if (others.length === 0 || chosen.outcome.kind === 'addresses') return chosen;
    const { error } = chosen.outcome;
    const message = `${error.message} (nor found as ${others.join(', ')})`;
    const details = { hostname: error.hostname, server: error.server, cause: error.cause };
    return { ...chosen, outcome: { ...chosen.outcome, error: new DnsError(error.code, message, details) } };
  });
}

function severity({ outcome }: QueryResult): number {
  if (outcome.kind !== 'empty') return 2;
  return outcome.error.code === 'ERR_HEADLESS_DNS_NODATA' ? 1 : 0;
}

/** `findings`: at most one of each type, at least one. */
export function toResolution(findings: readonly QueryResult[]): Resolution {
  // Speak of the one that has addresses, else of the one that got the furthest.
  const telling =
    findings.find(({ outcome }) => outcome.kind === 'addresses') ??
    findings.find(({ last }) => last !== null) ??
    (findings[0] as QueryResult);
  const { question, last } = telling;
  return {
    outcomes: new Map(findings.map(({ question: { type }, outcome }) => [type, outcome])),
    name: question.hostname,
    server: last && formatServer(last.server),
    transport: last?.transport ?? null,
    rcode: last?.reply.rcode ?? null,
  };
}
