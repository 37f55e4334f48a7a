/** What the DNS client is told to do, validated and complete. `null` means: as resolv.conf says. */

/** A DNS server: a literal IP address (IPv6 without brackets, a `%scope` allowed) and a port. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Which records to ask for. `auto`: A, and AAAA only where A is NODATA. `dual`: both, each kept on its own when the
 * other fails.
 */
export type Family = 'auto' | 'ipv4' | 'ipv6' | 'dual';

export interface DnsSettings {
  readonly servers: readonly ServerAddress[] | null;
  readonly family: Family;
  /** For one server, one attempt. */
  readonly timeoutMs: number | null;
  /** Rounds over the servers. */
  readonly attempts: number | null;
  readonly search: readonly string[] | null;
  readonly ndots: number | null;
  /** Path of the resolv.conf to read. */
  readonly resolvConf: string;
}

/** RFC 1035 section 4.2. */
export const DNS_PORT = 53;

/** `"ip:port"`, or `"[v6]:port"`. */
export function formatServer(server: ServerAddress): string {
  return server.host.includes(':') ? `[${server.host}]:${server.port}` : `${server.host}:${server.port}`;
}
