/**
 * One error class with a `code`. Codes are stable and listed in docs/errors.md; messages are for people and may change.
 */

/** The codes of all errors of this package. */
export type HeadlessErrorCode =
  /** An option is of the wrong type, out of range or unknown. Thrown at construction. */
  | 'ERR_HEADLESS_OPTION'
  /** The target is not valid. Thrown at construction, before any packet is sent. */
  | 'ERR_HEADLESS_TARGET'
  /** The channel was closed. */
  | 'ERR_HEADLESS_CLOSED'
  /** `ready()` timed out; `cause` says why. */
  | 'ERR_HEADLESS_NOT_READY'
  /** A pod could not be connected to. Only as the `cause` of `ERR_HEADLESS_NOT_READY`. */
  | 'ERR_HEADLESS_CONNECTION'
  /**
   * The installed `@grpc/grpc-js` lacks what this package needs (thrown at import), or the process has a second copy of
   * it, and the credentials are of that one (thrown at construction).
   */
  | 'ERR_HEADLESS_GRPC_VERSION'
  /** The EndpointSlices of a Service cannot be watched at the moment. DNS is used then. */
  | 'ERR_HEADLESS_WATCH'
  /** The EndpointSlices of a Service hold no endpoint that takes calls. */
  | 'ERR_HEADLESS_NO_ENDPOINTS'
  | DnsErrorCode;

/** The codes of {@link DnsError}. */
export type DnsErrorCode =
  /** The name does not exist (RFC 1035 RCODE 3). So it is for a headless Service with no ready pod. */
  | 'ERR_HEADLESS_DNS_NXDOMAIN'
  /** The name exists, but has no address of the family asked for (RFC 2308 section 2.2). */
  | 'ERR_HEADLESS_DNS_NODATA'
  /** RCODE 2. CoreDNS sends it until its first sync with the API server. */
  | 'ERR_HEADLESS_DNS_SERVFAIL'
  /** RCODE 5. */
  | 'ERR_HEADLESS_DNS_REFUSED'
  /** Any other RCODE: FORMERR, NOTIMP, BADVERS and so on. */
  | 'ERR_HEADLESS_DNS_RCODE'
  /** No valid response in time. */
  | 'ERR_HEADLESS_DNS_TIMEOUT'
  /** A response that breaks RFC 1035's format, or that no resolver may act on. */
  | 'ERR_HEADLESS_DNS_MALFORMED'
  /** The server could not be reached: ICMP unreachable, connection refused or reset. */
  | 'ERR_HEADLESS_DNS_UNREACHABLE'
  /** The user's own `dns.lookup` threw, or returned something else than a `LookupResult`. */
  | 'ERR_HEADLESS_DNS_LOOKUP';

/** The class of all errors that this package throws or reports. */
export class HeadlessError extends Error {
  /** `HeadlessError`, or the name of the subclass. */
  override readonly name: string = 'HeadlessError';
  /** Stable: compare this, not the message. */
  readonly code: HeadlessErrorCode;

  constructor(code: HeadlessErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Why the last attempt to connect to a pod failed: refused, the TLS name check, a handshake. */
export class ConnectionError extends HeadlessError {
  /** `ConnectionError`. */
  override readonly name: string = 'ConnectionError';
  /** The one code of this class. */
  declare readonly code: 'ERR_HEADLESS_CONNECTION';
  /** `"ip:port"`, or `"[v6]:port"`. */
  readonly address: string;

  /** @param reason as grpc-js says it; null where it gives none, as for a connection that another channel shares. */
  constructor(address: string, reason: string | null) {
    super('ERR_HEADLESS_CONNECTION', `${address}: ${reason ?? 'grpc-js gave no reason'}`);
    this.address = address;
  }
}

/** Why a question got no addresses, and from whom. */
export class DnsError extends HeadlessError {
  /** `DnsError`. */
  override readonly name: string = 'DnsError';
  /** What kind of failure or empty answer it was. */
  declare readonly code: DnsErrorCode;
  /** The name asked for, without a final dot. */
  readonly hostname: string;
  /** `"ip:port"` of the server that responded or failed, where there was one. */
  readonly server: string | undefined;

  constructor(
    code: DnsErrorCode,
    message: string,
    details: { hostname: string; server?: string | undefined; cause?: unknown },
  ) {
    super(code, message, details.cause === undefined ? undefined : { cause: details.cause });
    this.hostname = details.hostname;
    this.server = details.server;
  }

  /** True for NXDOMAIN and NODATA: a valid answer that holds no address. */
  get isEmptyAnswer(): boolean {
    return this.code === 'ERR_HEADLESS_DNS_NXDOMAIN' || this.code === 'ERR_HEADLESS_DNS_NODATA';
  }
}
