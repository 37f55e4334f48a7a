/**
 * A headless Service as CoreDNS's kubernetes plugin answers for it with its option `zonal`: beside the Service's own
 * name, `<zone>.prefer._zone.<name>` and `<zone>.pin._zone.<name>` for each zone.
 */
import type { DnsServer } from './dns-server.js';

export interface ZonalRecords {
  /** Addresses of the ready pods by zone; a zone may have none. */
  readonly zones: Readonly<Record<string, readonly string[]>>;
  /** Default true. Without the option the zonal names do not exist. */
  readonly zonal?: boolean;
}

export function publishZones(dns: DnsServer, name: string, { zones, zonal = true }: ZonalRecords): void {
  const all = Object.values(zones).flat();
  // NXDOMAIN for a Service without ready pods, as without zones.
  const publish = (owner: string, addresses: readonly string[] | null): void =>
    addresses === null || all.length === 0 ? dns.remove(owner) : dns.set(owner, addresses);
  publish(name, all);
  for (const [zone, own] of Object.entries(zones)) {
    publish(`${zone}.prefer._zone.${name}`, zonal ? (own.length > 0 ? own : all) : null);
    // Without addresses: NODATA.
    publish(`${zone}.pin._zone.${name}`, zonal ? own : null);
  }
}
