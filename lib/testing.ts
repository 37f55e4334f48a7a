/** For users' own tests: DNS in memory, without sockets. */
import { toError } from './dns/failure.js';
import type { Lookup } from './dns/lookup-resolver.js';

/** How a name can be made to fail. `TIMEOUT` fails at once: a fake has no reason to let a test wait. */
export type FakeFailure = 'NXDOMAIN' | 'NODATA' | 'SERVFAIL' | 'REFUSED' | 'TIMEOUT' | 'UNREACHABLE' | 'MALFORMED';

export interface FakeDns {
  /** Goes into `headless.dns.lookup`. */
  readonly lookup: Lookup;
  /** The names asked for so far, in order, without a final dot. */
  readonly queries: readonly string[];
  /** From now on the name has these addresses. `ttlMs` defaults to 5000; an empty array is NODATA. */
  set(name: string, addresses: readonly string[], options?: { ttlMs?: number }): void;
  /** From now on the name fails so, until it is `set` again. */
  fail(name: string, failure: FakeFailure): void;
  /** From now on the name does not exist: NXDOMAIN, as a headless Service with no ready pod. */
  delete(name: string): void;
}

type Entry = { readonly addresses: readonly string[]; readonly ttlMs: number } | { readonly failure: FakeFailure };

const DEFAULT_TTL_MS = 5_000;

/**
 * In-memory DNS. Names not in it are NXDOMAIN; upper and lower case are one, as in DNS.
 *
 * @param zone addresses by name, for a start: `{ 'svc.ns': ['127.0.0.1'] }`.
 */
export function createFakeDns(zone: Readonly<Record<string, readonly string[]>> = {}): FakeDns {
  const entries = new Map<string, Entry>();
  const queries: string[] = [];
  const fake: FakeDns = {
    queries,
    async lookup(hostname, { signal }) {
      signal.throwIfAborted();
      queries.push(hostname);
      const entry = entries.get(keyOf(hostname)) ?? { failure: 'NXDOMAIN' as const };
      if ('failure' in entry) {
        const reason = entry.failure.toLowerCase() as Lowercase<FakeFailure>;
        throw toError({ reason, message: `fake DNS: ${entry.failure} for "${hostname}"`, hostname });
      }
      return { addresses: [...entry.addresses], ttlMs: entry.ttlMs };
    },
    set(name, addresses, { ttlMs = DEFAULT_TTL_MS } = {}) {
      entries.set(keyOf(name), { addresses: [...addresses], ttlMs });
    },
    fail(name, failure) {
      entries.set(keyOf(name), { failure });
    },
    delete(name) {
      entries.delete(keyOf(name));
    },
  };
  for (const [name, addresses] of Object.entries(zone)) fake.set(name, addresses);
  return fake;
}

function keyOf(name: string): string {
  return name.replace(/\.$/, '').toLowerCase();
}
