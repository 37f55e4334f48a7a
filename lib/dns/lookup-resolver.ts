/** The user's own source of addresses, in the place of the DNS client. */
import { isIP } from 'node:net';
import { DnsError, type DnsErrorCode } from '../errors.js';
import { isConnectable } from './address.js';
import { type DnsCounters, type NameResolver, type Outcome, type Resolution, zeroDnsCounters } from './resolution.js';

export interface LookupResult {
  /** IPv4 or IPv6 addresses as text. An empty array means NODATA. */
  addresses: readonly string[];
  /** How long the answer may be relied on, in milliseconds. */
  ttlMs: number;
}

/**
 * Replaces the whole DNS client: mocked DNS in tests, another source of names. `hostname` is the target's host as
 * written, without a final dot.
 *
 * Throw an error whose `code` is `ENOTFOUND` or `ENODATA` (as `node:dns` does), `ERR_HEADLESS_DNS_NXDOMAIN` or
 * `ERR_HEADLESS_DNS_NODATA` to say that there are no addresses; any other error means that the source is out of order.
 */
export type Lookup = (hostname: string, options: { signal: AbortSignal }) => Promise<LookupResult>;

/** `node:dns` codes beside our own. */
const KNOWN_CODES: ReadonlyMap<unknown, DnsErrorCode> = new Map<unknown, DnsErrorCode>([
  ['ENOTFOUND', 'ERR_HEADLESS_DNS_NXDOMAIN'],
  ['ENODATA', 'ERR_HEADLESS_DNS_NODATA'],
  ['ESERVFAIL', 'ERR_HEADLESS_DNS_SERVFAIL'],
  ['EREFUSED', 'ERR_HEADLESS_DNS_REFUSED'],
  ['ETIMEOUT', 'ERR_HEADLESS_DNS_TIMEOUT'],
  ['ECONNREFUSED', 'ERR_HEADLESS_DNS_UNREACHABLE'],
]);

const RCODES: ReadonlyMap<DnsErrorCode, string> = new Map([
  ['ERR_HEADLESS_DNS_NXDOMAIN', 'NXDOMAIN'],
  ['ERR_HEADLESS_DNS_NODATA', 'NOERROR'],
  ['ERR_HEADLESS_DNS_SERVFAIL', 'SERVFAIL'],
  ['ERR_HEADLESS_DNS_REFUSED', 'REFUSED'],
]);

/** As in DNS (RFC 2181 section 8). `Infinity`, for a fixed list, would be null in a snapshot's JSON. */
const MAX_TTL_MS = 0x7fff_ffff * 1_000;

export class LookupResolver implements NameResolver {
  readonly #hostname: string;
  readonly #lookup: Lookup;
  readonly #counters: DnsCounters = zeroDnsCounters();

  constructor(hostname: string, lookup: Lookup) {
    this.#hostname = hostname;
    this.#lookup = lookup;
  }

  get counters(): Readonly<DnsCounters> {
    return this.#counters;
  }

  async resolve(signal: AbortSignal): Promise<Resolution> {
    signal.throwIfAborted();
    this.#counters.queries += 1;
    let outcome: Outcome;
    try {
      outcome = this.#check(await abortable(this.#lookup(this.#hostname, { signal }), signal));
      this.#counters.replies += 1;
    } catch (error) {
      signal.throwIfAborted();
      outcome = this.#explain(error);
    }
    const rcode = outcome.kind === 'addresses' ? 'NOERROR' : (RCODES.get(outcome.error.code) ?? null);
    return { outcomes: new Map([['lookup', outcome]]), name: this.#hostname, server: null, transport: 'lookup', rcode };
  }

  /** Users' code is not trusted to return what its type says: one wrong address must not open a wrong connection. */
  #check(result: LookupResult): Outcome {
    const { addresses, ttlMs } = result ?? {};
    if (!Array.isArray(addresses) || !addresses.every((address) => typeof address === 'string' && isIP(address) !== 0))
      throw new TypeError(`lookup must return { addresses: string[] } of IP addresses, got ${describe(addresses)}`);
    if (typeof ttlMs !== 'number' || !(ttlMs >= 0))
      throw new TypeError(`lookup must return { ttlMs: number >= 0 }, got ${describe(ttlMs)}`);
    const different = new Set(addresses as string[]);
    const usable = [...different].filter(isConnectable);
    this.#counters.refusedAddresses += different.size - usable.length;
    if (usable.length > 0)
      return { kind: 'addresses', addresses: usable, ttlMs: Math.min(ttlMs, MAX_TTL_MS), partial: false };
    const message = `lookup of "${this.#hostname}" returned no address that a connection could be opened to`;
    const error = new DnsError('ERR_HEADLESS_DNS_NODATA', message, { hostname: this.#hostname });
    return { kind: 'empty', error, ttlMs };
  }

  #explain(cause: unknown): Outcome {
    const given = (cause as { code?: unknown } | null)?.code;
    const code =
      cause instanceof DnsError
        ? cause.code
        : (KNOWN_CODES.get(given) ?? codeOfOurs(given) ?? 'ERR_HEADLESS_DNS_LOOKUP');
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `lookup of "${this.#hostname}" failed: ${reason}`;
    const error = new DnsError(code, message, { hostname: this.#hostname, cause });
    return error.isEmptyAnswer ? { kind: 'empty', error, ttlMs: 0 } : { kind: 'failed', error };
  }
}

/** A lookup that ignores its signal must not hold up close(): its late answer is left to itself. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    Promise.resolve(promise)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}

function codeOfOurs(code: unknown): DnsErrorCode | undefined {
  return typeof code === 'string' && code.startsWith('ERR_HEADLESS_DNS_') ? (code as DnsErrorCode) : undefined;
}

function describe(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
