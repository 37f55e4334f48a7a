/** A link whose poller asks nobody: the test reports sets itself, and sees what the balancer asks for. */

import { type Change, difference, EMPTY_MEMBERSHIP } from '../../lib/discovery/membership.js';
import type { AddressListener, AddressUpdate, Poller } from '../../lib/discovery/poller.js';
import type { DnsError } from '../../lib/errors.js';
import { ChannelContext, type ChannelContextSettings } from '../../lib/grpc/channel-context.js';
import { roundRobin } from '../../lib/picker/round-robin.js';
import { FakeClock } from './fake-clock.js';

export class FakePoller {
  lastError: DnsError | null = null;
  hints = 0;
  /** What `setReady` was told last. */
  ready: boolean | null = null;
  #change: Change = EMPTY_MEMBERSHIP.change;
  readonly #listeners = new Set<AddressListener>();

  get subscribers(): number {
    return this.#listeners.size;
  }

  subscribe(listener: AddressListener): ReturnType<Poller['subscribe']> {
    this.#listeners.add(listener);
    return {
      requestReresolution: () => {
        this.hints += 1;
      },
      refresh: async () => {},
      setReady: (ready) => {
        this.ready = ready;
      },
      end: () => void this.#listeners.delete(listener),
    };
  }

  /** As the poller does: the change is the one that led to this set, and stays until the next. */
  report(addresses: readonly string[], error: DnsError | null = null): void {
    const { after: before } = this.#change;
    if (before !== addresses)
      this.#change = { before, after: addresses, ...difference(new Set(before), new Set(addresses)) };
    this.tell({ addresses, change: this.#change, error });
  }

  tell(report: AddressUpdate): void {
    for (const listener of this.#listeners) listener(report);
  }
}

export function fakeLink(settings: Partial<ChannelContextSettings> = {}) {
  const clock = new FakeClock();
  const poller = new FakePoller();
  const link = new ChannelContext(
    // A class with private members is only ever the class itself.
    poller as unknown as Poller,
    { authority: 'svc.ns:50051', port: 50051, policy: roundRobin, lingerMs: 30_000, ...settings },
    { clock, random: () => 0, turns: { current: () => 0 } },
  );
  return { clock, poller, link };
}
