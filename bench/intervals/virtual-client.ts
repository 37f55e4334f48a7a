/** A client of the library on a virtual clock: how its poller is answered, and how old what it sees is. */
import type { Poller } from '../../lib/discovery/poller.js';
import { PLAIN_BITS, type QueryBits } from '../../lib/dns/message.js';
import type { NameResolver } from '../../lib/dns/name-resolver.js';
import type { FakeClock } from '../../test/support/fake-clock.js';
import { found, resolution } from '../../test/support/scripted-resolver.js';

export interface ModelAnswer {
  readonly addresses: readonly string[];
  /** Seconds. */
  readonly ttl: number;
}

export function podAddress(pod: number): string {
  return `10.${pod >> 16}.${(pod >> 8) & 255}.${pod & 255}`;
}

/** Every query is answered with A records at once. */
export function resolverOf(answer: (bits: QueryBits) => ModelAnswer): NameResolver {
  return {
    async resolve(_signal, bits = PLAIN_BITS) {
      const { addresses, ttl } = answer(bits);
      return resolution({ A: found(addresses, { ttlMs: ttl * 1000 }) });
    },
  };
}

/**
 * Starts the client, whose pods are READY at once, and adds to `agesMs` how old each change is when it is seen. An
 * address comes once and goes once.
 *
 * @param publishedAt by `"add <address>"` and `"remove <address>"`.
 */
export function watch(
  poller: Poller,
  clock: FakeClock,
  publishedAt: ReadonlyMap<string, number>,
  agesMs: number[],
): void {
  let known: ReadonlySet<string> = new Set();
  const subscription = poller.subscribe(({ addresses, changed }) => {
    if (!changed) return;
    if (known.size === 0) subscription.setReady(true);
    const before = known;
    known = new Set(addresses.map(({ host }) => host));
    const note = (change: string): void => {
      const at = publishedAt.get(change);
      if (at !== undefined) agesMs.push(clock.now() - at);
    };
    for (const host of known) if (!before.has(host)) note(`add ${host}`);
    for (const host of before) if (!known.has(host)) note(`remove ${host}`);
  });
}
