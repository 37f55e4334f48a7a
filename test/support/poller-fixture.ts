/** A poller with a resolver that answers as scripted and a clock that moves when told. */
import type { AddressUpdate, Subscription } from '../../lib/discovery/address-source.js';
import type { EmptyRule } from '../../lib/discovery/membership.js';
import { Poller } from '../../lib/discovery/poller.js';
import type { RefreshSettings } from '../../lib/discovery/schedule.js';
import type { Resolution } from '../../lib/dns/resolution.js';
import { DiscoveryCounter } from '../../lib/telemetry/counters.js';
import { FakeClock } from './fake-clock.js';
import { empty, failed, pods, resolution, ScriptedResolver } from './scripted-resolver.js';

export const [a, b, c] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
export const NXDOMAIN = resolution({ A: empty('NXDOMAIN') });
export const SERVFAIL = resolution({ A: failed() });

interface PollerFixture {
  refresh?: Partial<RefreshSettings>;
  empty?: EmptyRule;
  answer?: Resolution | null;
}

/** An update with its addresses as hosts alone. */
export interface HostsUpdate extends Omit<AddressUpdate, 'addresses'> {
  readonly addresses: readonly string[];
}

function hostsOf({ addresses, ...rest }: AddressUpdate): HostsUpdate {
  return { addresses: addresses.map(({ host }) => host), ...rest };
}

/** A poller of its own clock: every 5 s, at least 1 s apart, without jitter, without regard to caches, and without bursts unless asked for. */
export function pollerFixture({ refresh = {}, empty: rule = 'keep', answer = pods(a, b) }: PollerFixture = {}) {
  const clock = new FakeClock();
  const resolver = new ScriptedResolver(clock, answer);
  const settings = { intervalMs: 5_000, jitter: 0, minIntervalMs: 1_000, burstMs: 0, ttl: 'ignore' as const };
  const poller = new Poller(
    resolver,
    { hostname: 'svc.ns', refresh: { ...settings, ...refresh }, empty: rule },
    { clock, random: () => 0 },
    new DiscoveryCounter(),
  );
  const join = (): Subscription & { updates: HostsUpdate[] } => {
    const updates: HostsUpdate[] = [];
    return Object.assign(
      poller.subscribe((update) => updates.push(hostsOf(update))),
      { updates },
    );
  };
  return { clock, resolver, poller, join };
}

/** Updates without the word whether the set changed. */
export function told(updates: readonly HostsUpdate[]): Omit<HostsUpdate, 'changed'>[] {
  return updates.map(({ addresses, error }) => ({ addresses, error }));
}
