/** An endpoint's address, the one text form that addresses with ports have everywhere, and what is an IP address at all. */
import { isIPv4, isIPv6 } from 'node:net';

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

/**
 * 4 or 6 for an IP address without brackets, else 0: `isIP` of `node:net`, which costs a process some milliseconds the first time it
 * has to look for an IPv6 address. Two colons are what every IPv6 address has, and no host name.
 */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (isIPv4(text)) return 4;
  return text.indexOf(':') !== text.lastIndexOf(':') && isIPv6(text) ? 6 : 0;
}

// Node compiles its pattern of IPv6 addresses at the first use, which takes milliseconds. grpc-js tests every address that it connects
// to. At import this delays no call.
isIPv6('::1');

let warm = false;

/** V8 compiles a pattern anew at its second use. Called while a response is on its way, this delays nothing. */
export function warmUpIPv6(): void {
  if (warm) return;
  warm = true;
  isIPv6('::1');
}
