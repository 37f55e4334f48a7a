/**
 * Why a question got no addresses, as data: a closed union of reasons, by which lib/dns decides what to do next.
 * Users are given errors with codes, and this is the one place where a reason becomes a code and a code a reason.
 */
import { DnsError, type DnsErrorCode } from '../errors.js';

/** A valid response that holds no address. */
export type EmptyReason = 'nxdomain' | 'nodata';

/** The server responded, but not with what the name holds. */
export type RcodeReason = 'servfail' | 'refused' | 'rcode';

/** No valid response came, or the user's own lookup failed. */
export type FailureReason = RcodeReason | 'timeout' | 'malformed' | 'unreachable' | 'lookup';

export type Reason = EmptyReason | FailureReason;

/** A failure before it is an error: its message may still be extended. */
export interface Failure<R extends Reason = Reason> {
  readonly reason: R;
  readonly message: string;
  /** The name asked for, without a final dot. */
  readonly hostname: string;
  /** `"ip:port"`; undefined where no server was asked. */
  readonly server?: string | undefined;
  readonly cause?: unknown;
}

const CODES: Readonly<Record<Reason, DnsErrorCode>> = {
  nxdomain: 'ERR_HEADLESS_DNS_NXDOMAIN',
  nodata: 'ERR_HEADLESS_DNS_NODATA',
  servfail: 'ERR_HEADLESS_DNS_SERVFAIL',
  refused: 'ERR_HEADLESS_DNS_REFUSED',
  rcode: 'ERR_HEADLESS_DNS_RCODE',
  timeout: 'ERR_HEADLESS_DNS_TIMEOUT',
  malformed: 'ERR_HEADLESS_DNS_MALFORMED',
  unreachable: 'ERR_HEADLESS_DNS_UNREACHABLE',
  lookup: 'ERR_HEADLESS_DNS_LOOKUP',
};

const REASONS: ReadonlyMap<unknown, Reason> = new Map(
  (Object.keys(CODES) as Reason[]).map((reason) => [CODES[reason], reason]),
);

/** The error that users are given. */
export function toError({ reason, message, hostname, server, cause }: Failure): DnsError {
  return new DnsError(CODES[reason], message, { hostname, server, cause });
}

/** The reason that an error's code stands for; undefined for any other value. */
export function reasonOf(code: unknown): Reason | undefined {
  return REASONS.get(code);
}

export function isEmpty(reason: Reason): reason is EmptyReason {
  return reason === 'nxdomain' || reason === 'nodata';
}

export function isRcode(reason: Reason): reason is RcodeReason {
  return reason === 'servfail' || reason === 'refused' || reason === 'rcode';
}
