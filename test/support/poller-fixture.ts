/** A poller with a book that answers as scripted and a clock that moves when told. */
import type { EmptyRule } from '../../lib/discovery/membership.js';
import { type AddressUpdate, Poller, type Subscription } from '../../lib/discovery/poller.js';
import type { RefreshSettings } from '../../lib/discovery/schedule.js';
import type { Resolution } from '../../lib/dns/resolution.js';
import { FakeClock } from './fake-clock.js';
import { empty, failed, pods, resolution, ScriptedBook } from './scripted-resolver.js';

export const [a, b, c] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
export const NXDOMAIN = resolution({ A: empty('NXDOMAIN') });
export const SERVFAIL = resolution({ A: failed() });

interface Scene {
  refresh?: Partial<RefreshSettings>;
  empty?: EmptyRule;
  answer?: Resolution | null;
}

/** A poller of its own clock: every 5 s, at least 1 s apart, without jitter, and without bursts unless asked for. */
export function scene({ refresh = {}, empty: rule = 'keep', answer = pods(a, b) }: Scene = {}) {
  const clock = new FakeClock();
  const book = new ScriptedBook(clock, answer);
  const settings = { intervalMs: 5_000, jitter: 0, minIntervalMs: 1_000, burstMs: 0, ttl: 'adaptive' as const };
  const poller = new Poller(
    book,
    { hostname: 'svc.ns', refresh: { ...settings, ...refresh }, empty: rule },
    { clock, random: () => 0 },
  );
  const join = (): Subscription & { reports: AddressUpdate[] } => {
    const reports: AddressUpdate[] = [];
    return Object.assign(
      poller.subscribe((report) => reports.push(report)),
      { reports },
    );
  };
  return { clock, book, poller, join };
}

/** Reports without their changes. */
export function told(reports: readonly AddressUpdate[]): Omit<AddressUpdate, 'change'>[] {
  return reports.map(({ addresses, error }) => ({ addresses, error }));
}
