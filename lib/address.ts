/** An endpoint's address, and the one text form that addresses with ports have everywhere. */

export interface Address {
  /** An IPv4 or IPv6 address as text, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** The topology zone, where discovery tells one. */
  readonly zone?: string;
  /** Of the SRV record (RFC 2782), where there is one: 0 to 65535. */
  readonly weight?: number;
}

/** `"host:port"`, or `"[v6]:port"` (RFC 3986 section 3.2.2). */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
