/** One poller per (name, settings) in a process: a hundred channels to one Service ask its DNS as often as one. */

import type { EmptyRule } from './discovery/membership.js';
import { Poller } from './discovery/poller.js';
import type { RefreshSettings } from './discovery/schedule.js';
import { type Lookup, LookupResolver } from './dns/lookup-resolver.js';
import type { NameResolver } from './dns/resolution.js';
import type { DnsSettings } from './dns/settings.js';
import { StubResolver } from './dns/stub-resolver.js';
import type { Runtime } from './runtime.js';

/** All that two channels must have in common to share a poller. */
export interface PollerKey {
  readonly hostname: string;
  /** No search list. */
  readonly absolute: boolean;
  readonly dns: DnsSettings;
  readonly lookup: Lookup | null;
  readonly refresh: RefreshSettings;
  readonly empty: EmptyRule;
}

/**
 * Held weakly: a poller lives as long as a channel that may want it again (an idle one wakes up with the set it
 * had), and goes with the last of them, though nobody says so.
 */
const registries = new WeakMap<Runtime, Map<string, WeakRef<Poller>>>();

const lookupIds = new WeakMap<Lookup, number>();
let lastLookupId = 0;

export function sharedPoller(key: PollerKey, runtime: Runtime): Poller {
  const registry = registries.get(runtime) ?? new Map<string, WeakRef<Poller>>();
  registries.set(runtime, registry);
  const text = JSON.stringify([
    key.hostname.toLowerCase(),
    key.absolute,
    key.dns,
    idOf(key.lookup),
    key.refresh,
    key.empty,
  ]);
  const known = registry.get(text)?.deref();
  if (known) return known;
  for (const [other, poller] of registry) if (!poller.deref()) registry.delete(other);
  const book: NameResolver = key.lookup
    ? new LookupResolver(key.hostname, key.lookup)
    : new StubResolver(key.hostname, key.absolute, key.dns, runtime);
  const poller = new Poller(book, { hostname: key.hostname, refresh: key.refresh, empty: key.empty }, runtime);
  registry.set(text, new WeakRef(poller));
  return poller;
}

/** Functions are the same only if they are one and the same. */
function idOf(lookup: Lookup | null): number | null {
  if (!lookup) return null;
  const id = lookupIds.get(lookup) ?? ++lastLookupId;
  lookupIds.set(lookup, id);
  return id;
}
