/** Hosts that no DNS server is asked for: IP addresses, and the names of this host's own loopback interface. */
import { ipVersion } from '../address.js';
import type { Lookup } from './lookup-resolver.js';
import type { Family } from './settings.js';

/** `localhost` and all names below it (RFC 6761 section 6.3), with or without a final dot, in any case. */
const LOCALHOST = /^(?:.+\.)?localhost\.?$/i;

/** `auto` is IPv4 alone, as DNS would answer where a name has both: many servers listen on no IPv6 address. */
const LOOPBACK: Readonly<Record<Family, readonly string[]>> = {
  auto: ['127.0.0.1'],
  ipv4: ['127.0.0.1'],
  ipv6: ['::1'],
  dual: ['127.0.0.1', '::1'],
};

/** Whether a host is `localhost` or a name below `.localhost`. */
export function isLocalhost(hostname: string): boolean {
  return LOCALHOST.test(hostname);
}

/** The addresses of a host that no DNS server is asked for; null for any other host. */
export function localAddresses(hostname: string, family: Family): readonly string[] | null {
  if (ipVersion(hostname) !== 0) return [hostname];
  return isLocalhost(hostname) ? LOOPBACK[family] : null;
}

/** One function for each family, not for each channel: channels share a poller only if their lookups are one function. */
const LOOKUPS: Readonly<Record<Family, Lookup>> = {
  auto: lookupFor('auto'),
  ipv4: lookupFor('ipv4'),
  ipv6: lookupFor('ipv6'),
  dual: lookupFor('dual'),
};

function lookupFor(family: Family): Lookup {
  return async (hostname) => ({ addresses: localAddresses(hostname, family) ?? [], ttlMs: 0 });
}

/** A lookup that answers with {@link localAddresses}; null where DNS is asked. */
export function localLookup(hostname: string, family: Family): Lookup | null {
  return localAddresses(hostname, family) === null ? null : LOOKUPS[family];
}
