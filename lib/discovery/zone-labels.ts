/** Addresses made of hosts, with the topology zone where DNS tells it. Pure. */
import type { Address } from '../address.js';
import type { ZoneAnswer } from '../dns/resolution.js';
import { NO_PORT } from './default-port.js';

export function toAddresses(hosts: Iterable<string>, zone: ZoneAnswer | null): readonly Address[] {
  return Array.from(hosts, (host) =>
    zone?.hosts.has(host) ? { host, port: NO_PORT, zone: zone.name } : { host, port: NO_PORT },
  );
}

/** Whether every one of the hosts has the same zone by both answers. */
export function sameZones(hosts: Iterable<string>, before: ZoneAnswer | null, after: ZoneAnswer | null): boolean {
  if (before?.hosts === after?.hosts) return true;
  for (const host of hosts) if ((before?.hosts.has(host) ?? false) !== (after?.hosts.has(host) ?? false)) return false;
  return true;
}
