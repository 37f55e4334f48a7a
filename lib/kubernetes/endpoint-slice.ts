/**
 * EndpointSlices (`discovery.k8s.io/v1`) as the API sends them, and the addresses that those of one Service hold together. Pure.
 */
import { type Address, ipVersion } from '../address.js';
import { NO_PORT } from '../discovery/default-port.js';
import { isConnectable } from '../dns/address.js';
import type { Family, ZoneSettings } from '../dns/settings.js';

/** What is needed of one slice. */
export interface EndpointSlice {
  readonly name: string;
  readonly family: 4 | 6;
  /** By name; a port without a name has the empty one. Ports of UDP and SCTP are left out. */
  readonly ports: ReadonlyMap<string, number>;
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SliceEndpoint {
  readonly host: string;
  /**
   * `ready`: takes calls. `last_resort`: it terminates and serves still, so it gets calls only where no endpoint is ready.
   * Endpoints that can do neither are left out.
   */
  readonly use: 'ready' | 'last_resort';
  /** Where it runs; null where the node's zone is not known. */
  readonly zone: string | null;
  /** The zones whose clients should use it; null: the control plane gives no hints. */
  readonly hints: readonly string[] | null;
}

/** The members that are read. Anything may be missing: the object comes from another process. */
interface SliceObject {
  metadata?: { name?: unknown };
  addressType?: unknown;
  endpoints?: unknown;
  ports?: unknown;
}

interface EndpointObject {
  addresses?: unknown;
  conditions?: { ready?: unknown; serving?: unknown; terminating?: unknown } | null;
  zone?: unknown;
  hints?: { forZones?: unknown } | null;
}

/** Reads one slice. null: it has no name, or its addresses are host names (`FQDN`), which no controller makes. */
export function readSlice(object: unknown): EndpointSlice | null {
  const { metadata, addressType, endpoints, ports } = (object ?? {}) as SliceObject;
  const name = metadata?.name;
  if (typeof name !== 'string') return null;
  if (addressType !== 'IPv4' && addressType !== 'IPv6') return null;
  const family = addressType === 'IPv4' ? 4 : 6;
  return {
    name,
    family,
    ports: readPorts(ports),
    endpoints: listOf(endpoints).flatMap((one) => readEndpoint(one, family)),
  };
}

function readEndpoint(object: unknown, family: 4 | 6): SliceEndpoint[] {
  const { addresses, conditions, zone, hints } = (object ?? {}) as EndpointObject;
  // All addresses of an endpoint are the same endpoint, and consumers may use the first alone (the API's own words).
  const [host] = listOf(addresses);
  if (typeof host !== 'string' || ipVersion(host) !== family || !isConnectable(host)) return [];
  const use = useOf(conditions ?? {});
  if (use === null) return [];
  return [{ host, use, zone: typeof zone === 'string' ? zone : null, hints: readHints(hints?.forZones) }];
}

/** A condition that is unset means ready, and serving where ready, and not terminating: so the API defines it. */
function useOf({
  ready,
  serving,
  terminating,
}: NonNullable<EndpointObject['conditions']>): SliceEndpoint['use'] | null {
  const isReady = ready !== false;
  // `publishNotReadyAddresses` makes even a terminating endpoint ready.
  if (terminating === true) return (typeof serving === 'boolean' ? serving : isReady) ? 'last_resort' : null;
  return isReady ? 'ready' : null;
}

function readHints(forZones: unknown): readonly string[] | null {
  const zones = listOf(forZones).flatMap((one) => {
    const name = (one as { name?: unknown } | null)?.name;
    return typeof name === 'string' ? [name] : [];
  });
  return zones.length > 0 ? zones : null;
}

function readPorts(ports: unknown): ReadonlyMap<string, number> {
  const byName = new Map<string, number>();
  for (const one of listOf(ports)) {
    const { name, port, protocol } = (one ?? {}) as { name?: unknown; port?: unknown; protocol?: unknown };
    if (typeof port !== 'number' || (protocol ?? 'TCP') !== 'TCP') continue;
    byName.set(typeof name === 'string' ? name : '', port);
  }
  return byName;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export interface SliceSelection {
  /** null: the target has a port of its own. */
  readonly portName: string | null;
  readonly family: Family;
  readonly zone: ZoneSettings | null;
}

export interface SelectedAddresses {
  /** Each once. */
  readonly addresses: readonly Address[];
  /** The zone asked for, where no endpoint tells its zone, so that pods of every zone are used alike; null otherwise. */
  readonly zoneFallback: string | null;
}

/** The addresses that take calls, of all slices of one Service. */
export function selectAddresses(
  slices: Iterable<EndpointSlice>,
  { portName, family, zone }: SliceSelection,
): SelectedAddresses {
  const candidates = new Map<string, { readonly address: Address; readonly endpoint: SliceEndpoint }>();
  for (const slice of ofFamily([...slices], family)) {
    const port = portName === null ? NO_PORT : slice.ports.get(portName);
    if (port === undefined) continue;
    for (const endpoint of slice.endpoints) {
      const key = `${endpoint.host} ${port}`;
      // While the controller moves endpoints between slices, two may have the same one.
      if (candidates.get(key)?.endpoint.use === 'ready') continue;
      candidates.set(key, { address: { host: endpoint.host, port }, endpoint });
    }
  }
  const all = [...candidates.values()];
  const ready = all.filter(({ endpoint }) => endpoint.use === 'ready');
  const usable = ready.length > 0 ? ready : all;
  if (zone === null) return { addresses: usable.map(({ address }) => address), zoneFallback: null };
  const zonesKnown = usable.some(({ endpoint }) => endpoint.zone !== null);
  const zoneFallback = usable.length > 0 && !zonesKnown ? zone.name : null;
  const hinted = zone.mode === 'prefer' && usable.every(({ endpoint }) => endpoint.hints !== null);
  const zoned = usable.map(({ address, endpoint }) => {
    const of = hinted ? hintedZone(endpoint, zone.name) : endpoint.zone;
    return of === null ? address : { ...address, zone: of };
  });
  const pinned = zone.mode === 'pin' && zonesKnown;
  return { addresses: pinned ? zoned.filter((address) => address.zone === zone.name) : zoned, zoneFallback };
}

/** `auto` is as in DNS: IPv6 only where there is no IPv4. */
function ofFamily(slices: readonly EndpointSlice[], family: Family): readonly EndpointSlice[] {
  if (family === 'dual') return slices;
  const hasIPv4 = slices.some((slice) => slice.family === 4 && slice.endpoints.length > 0);
  const wanted = family === 'ipv6' || (family === 'auto' && !hasIPv4) ? 6 : 4;
  return slices.filter((slice) => slice.family === wanted);
}

/** As kube-proxy does it: hints count where every endpoint has one, and then in the place of the endpoints' own zones. */
function hintedZone({ hints }: SliceEndpoint, clientZone: string): string | null {
  return hints?.includes(clientZone) ? clientZone : (hints?.[0] ?? null);
}
