/** The settings of the stub resolver, validated and complete. `null` means: as resolv.conf says. */
import { formatHostPort, ipVersion } from '../address.js';

/** A DNS server: a literal IP address (IPv6 without brackets, a `%scope` allowed) and a port. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Which records to ask for. `auto`: A, and AAAA only where A is NODATA. `dual`: both; when one fails, the
 * addresses of the other are still updated.
 *
 * @inline
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

/**
 * `prefer`: pods of the zone get the calls while any of them is READY, and the others stand by. `pin`: only pods of the
 * zone are known at all.
 *
 * @inline
 */
export type ZoneMode = 'prefer' | 'pin';

/** A topology zone of Kubernetes (`topology.kubernetes.io/zone`). */
export interface ZoneSettings {
  readonly name: string;
  readonly mode: ZoneMode;
}

/** RFC 1035 section 4.2. */
export const DNS_PORT = 53;

/** `"ip:port"`, or `"[v6]:port"`. */
export function formatServer({ host, port }: ServerAddress): string {
  return formatHostPort(host, port);
}

const BRACKETED_SERVER = /^\[([^\]]+)\](?::(\d{1,5}))?$/;
const IPV4_SERVER = /^([^:]+)(?::(\d{1,5}))?$/;

/** Reads `"ip"`, `"ip:port"`, `"v6"`, `"[v6]"` or `"[v6]:port"`; null for anything else, names included. */
export function parseServer(text: string): ServerAddress | null {
  if (ipVersion(text) === 6) return { host: text, port: DNS_PORT };
  const bracketed = BRACKETED_SERVER.exec(text);
  const [, host, portText] = bracketed ?? IPV4_SERVER.exec(text) ?? [];
  if (host === undefined || ipVersion(host) !== (bracketed ? 6 : 4)) return null;
  const port = portText === undefined ? DNS_PORT : Number(portText);
  return port >= 1 && port <= 65_535 ? { host, port } : null;
}
