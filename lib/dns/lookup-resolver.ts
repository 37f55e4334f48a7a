/** The user's own source of addresses, in the place of DNS servers. */
import { ipVersion } from '../address.js';
import { abortable, type Clock } from '../runtime.js';
import type { Emit } from '../telemetry/events.js';
import { isConnectable } from './address.js';
import { isEmpty, type Reason, reasonOf, toError } from './failure.js';
import type { NameResolver } from './name-resolver.js';
import type { Outcome, Resolution } from './resolution.js';
import type { DnsSettings } from './settings.js';

/** What a {@link Lookup} returns. */
export interface LookupResult {
  /** IPv4 or IPv6 addresses as text. An empty array means NODATA. */
  addresses: readonly string[];
  /** How long the answer may be relied on, in milliseconds. */
  ttlMs: number;
}

/**
 * Replaces DNS as a whole: mocked DNS in tests, another source of names. `hostname` is the target's host as written,
 * without a final dot.
 *
 * To say that there are no addresses, throw an error whose `code` is `ENOTFOUND` or `ENODATA` (as `node:dns` does),
 * `ERR_HEADLESS_DNS_NXDOMAIN` or `ERR_HEADLESS_DNS_NODATA`; any other error means that the source is out of order.
 *
 * It has to settle within 10 s, or within `dns.timeoutMs` times `dns.attempts` (2 unless it is set) where `dns.timeoutMs` is set.
 * Then `signal` aborts, the query has failed with `ERR_HEADLESS_DNS_TIMEOUT`, and a later result is ignored.
 */
export type Lookup = (hostname: string, options: { signal: AbortSignal }) => Promise<LookupResult>;

const NODE_DNS_REASONS: ReadonlyMap<unknown, Reason> = new Map<unknown, Reason>([
  ['ENOTFOUND', 'nxdomain'],
  ['ENODATA', 'nodata'],
  ['ESERVFAIL', 'servfail'],
  ['EREFUSED', 'refused'],
  ['ETIMEOUT', 'timeout'],
  ['ECONNREFUSED', 'unreachable'],
]);

const RCODES: ReadonlyMap<Reason, string> = new Map([
  ['nxdomain', 'NXDOMAIN'],
  ['nodata', 'NOERROR'],
  ['servfail', 'SERVFAIL'],
  ['refused', 'REFUSED'],
]);

/** As in DNS (RFC 2181 section 8). `Infinity`, for a fixed list, would be null in a snapshot's JSON. */
const MAX_TTL_MS = 0x7fff_ffff * 1_000;

/** Characters of a wrong result in an error's message. */
const MAX_SHOWN = 200;

/** A lookup may take several queries. Two attempts of 5 s are what the C library's resolver makes (resolv.conf(5)). */
const LIMIT_MS = 10_000;
/** Of the DNS client. */
const ATTEMPTS = 2;

/** How long a lookup may take, by the options for the DNS client that it replaces. */
export function lookupLimitMs({ timeoutMs, attempts }: Pick<DnsSettings, 'timeoutMs' | 'attempts'>): number {
  return timeoutMs === null ? LIMIT_MS : timeoutMs * (attempts ?? ATTEMPTS);
}

export interface LookupContext {
  readonly clock: Pick<Clock, 'setTimer'>;
  /** How long one lookup may take. */
  readonly limitMs: number;
  /** Told of every query. */
  readonly emit?: Emit;
}

export class LookupResolver implements NameResolver {
  readonly #hostname: string;
  readonly #lookup: Lookup;
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #limitMs: number;
  readonly #emit: Emit;

  constructor(hostname: string, lookup: Lookup, { clock, limitMs, emit = () => {} }: LookupContext) {
    this.#hostname = hostname;
    this.#lookup = lookup;
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#emit = emit;
  }

  async resolve(signal: AbortSignal): Promise<Resolution> {
    signal.throwIfAborted();
    this.#emit({ kind: 'query_sent', transport: 'lookup' });
    let outcome: Outcome;
    let late = false;
    try {
      outcome = this.#check(await this.#limited(signal));
    } catch (error) {
      signal.throwIfAborted();
      late = error instanceof LateError;
      outcome = this.#toOutcome(error);
    }
    const rcode = outcome.kind === 'addresses' ? 'NOERROR' : (RCODES.get(outcome.reason) ?? null);
    if (rcode === null) this.#emit({ kind: 'query_failed', transport: 'lookup', reason: late ? 'timeout' : 'lookup' });
    else this.#emit({ kind: 'response_received', transport: 'lookup', rcode });
    const outcomes: Resolution['outcomes'] = new Map([['lookup', outcome]]);
    return { outcomes, name: this.#hostname, server: null, transport: 'lookup', rcode, bits: null };
  }

  /** A lookup that ignores its signal must delay neither the next one nor close(): its late result is ignored. */
  async #limited(signal: AbortSignal): Promise<LookupResult> {
    const abort = new AbortController();
    const onAbort = (): void => abort.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const timer = this.#clock.setTimer(this.#limitMs, () => abort.abort(new LateError(this.#limitMs)));
    try {
      return await abortable(this.#lookup(this.#hostname, { signal: abort.signal }), abort.signal);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** The user's function may return something else than its type says, and no connection may come of that. */
  #check(result: LookupResult): Outcome {
    if (typeof result !== 'object' || result === null) throw misshapen(`got ${describe(result)}`);
    if (Array.isArray(result)) throw misshapen(`got the array ${describe(result)}`);
    const { addresses, ttlMs } = result;
    if (
      !Array.isArray(addresses) ||
      !addresses.every((address) => typeof address === 'string' && ipVersion(address) !== 0)
    )
      throw misshapen(`got addresses: ${describe(addresses)}`);
    if (typeof ttlMs !== 'number' || !(ttlMs >= 0)) throw misshapen(`got ttlMs: ${describe(ttlMs)}`);
    const different = new Set(addresses as string[]);
    const usable = [...different].filter(isConnectable);
    const count = different.size - usable.length;
    if (count > 0) this.#emit({ kind: 'addresses_refused', count });
    if (usable.length > 0)
      return { kind: 'addresses', addresses: usable, ttlMs: Math.min(ttlMs, MAX_TTL_MS), partial: false };
    const message = `lookup of "${this.#hostname}" returned no address that a connection could be opened to`;
    const error = toError({ reason: 'nodata', message, hostname: this.#hostname });
    return { kind: 'empty', reason: 'nodata', error, ttlMs };
  }

  /** What an error of the user's function says, by its code. */
  #toOutcome(cause: unknown): Outcome {
    const code = (cause as { code?: unknown } | null | undefined)?.code;
    const reason = cause instanceof LateError ? 'timeout' : (NODE_DNS_REASONS.get(code) ?? reasonOf(code) ?? 'lookup');
    const message = `lookup of "${this.#hostname}" failed: ${cause instanceof Error ? cause.message : String(cause)}`;
    const error = toError({ reason, message, hostname: this.#hostname, cause });
    return isEmpty(reason) ? { kind: 'empty', reason, error, ttlMs: 0 } : { kind: 'failed', reason, error };
  }
}

/** The lookup has taken too long. */
class LateError extends Error {
  constructor(limitMs: number) {
    super(`it did not settle within ${limitMs} ms; dns.timeoutMs x dns.attempts sets another limit`);
  }
}

function misshapen(got: string): TypeError {
  const shape = '{ addresses: string[], ttlMs: number >= 0 } with IP addresses';
  return new TypeError(`it must resolve to ${shape}, for example { addresses: ["10.0.0.1"], ttlMs: 5000 }, but ${got}`);
}

/** Never throws, and shows the beginning of a long value. */
function describe(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    // JSON has no circles.
    text = Object.prototype.toString.call(value);
  }
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
