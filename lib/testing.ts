/**
 * For users' own tests: DNS in memory, without sockets.
 *
 * @module grpc-headless/testing
 */
import { isIP } from 'node:net';
import { toError } from './dns/failure.js';
import { hostnameFault } from './dns/hostname.js';
import type { Lookup } from './dns/lookup-resolver.js';
import { HeadlessError } from './errors.js';

const FAILURES = ['NXDOMAIN', 'NODATA', 'SERVFAIL', 'REFUSED', 'TIMEOUT', 'UNREACHABLE', 'MALFORMED'] as const;

/** How a name can be made to fail. `TIMEOUT` fails at once: a fake has no reason to let a test wait. */
export type FakeFailure = (typeof FAILURES)[number];

/** DNS in memory: what {@link createFakeDns} returns. */
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
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` from here and from all methods, for what can be no name, address, TTL or
 *   failure.
 */
export function createFakeDns(zone: Readonly<Record<string, readonly string[]>> = {}): FakeDns {
  const entries = new Map<string, Entry>();
  const queries: string[] = [];
  const fake: FakeDns = {
    queries,
    async lookup(hostname, { signal }) {
      signal.throwIfAborted();
      queries.push(hostname);
      const entry = entries.get(sameCase(hostname)) ?? { failure: 'NXDOMAIN' as const };
      if ('failure' in entry) {
        const reason = entry.failure.toLowerCase() as Lowercase<FakeFailure>;
        throw toError({ reason, message: `fake DNS: ${entry.failure} for "${hostname}"`, hostname });
      }
      return { addresses: [...entry.addresses], ttlMs: entry.ttlMs };
    },
    set(name, addresses, options = {}) {
      const key = keyOf(name);
      checkAddresses(name, addresses);
      checkOptions(name, options);
      const { ttlMs = DEFAULT_TTL_MS } = options;
      if (!(typeof ttlMs === 'number' && ttlMs >= 0))
        throw refuse(`ttlMs of ${show(name)}`, ttlMs, 'must be milliseconds >= 0');
      entries.set(key, { addresses: [...addresses], ttlMs });
    },
    fail(name, failure) {
      const key = keyOf(name);
      if (!FAILURES.includes(failure))
        throw refuse(`the failure of ${show(name)}`, failure, `must be one of ${FAILURES.map(show).join(', ')}`);
      entries.set(key, { failure });
    },
    delete(name) {
      entries.delete(keyOf(name));
    },
  };
  if (typeof zone !== 'object' || zone === null || Array.isArray(zone))
    throw refuse('zone', zone, "must be an object of addresses by name, such as { 'svc.ns': ['127.0.0.1'] }");
  for (const [name, addresses] of Object.entries(zone)) fake.set(name, addresses);
  return fake;
}

/** @throws {HeadlessError} for what DNS could never be asked for, which would be NXDOMAIN for ever. */
function keyOf(name: string): string {
  const remedy = 'must be the host of a target, such as "svc.ns"';
  if (typeof name !== 'string') throw refuse('a name', name, remedy);
  const key = sameCase(name);
  const fault = hostnameFault(key);
  if (fault === undefined) return key;
  const isTarget = /:\d+$|\//.test(name) ? ', without scheme and port' : '';
  throw refuse('a name', name, `${remedy}${isTarget} (${fault})`);
}

function sameCase(name: string): string {
  return name.replace(/\.$/, '').toLowerCase();
}

function checkAddresses(name: string, addresses: unknown): void {
  const field = `the addresses of ${show(name)}`;
  if (!Array.isArray(addresses)) throw refuse(field, addresses, "must be an array, such as ['127.0.0.1']");
  for (const address of addresses)
    if (typeof address !== 'string' || isIP(address) === 0)
      throw refuse(field, address, 'must be IP addresses without a port (the port is in the target)');
}

function checkOptions(name: string, options: unknown): void {
  const field = `the options of ${show(name)}`;
  const remedy = 'must be an object with ttlMs, such as { ttlMs: 5000 }';
  if (typeof options !== 'object' || options === null || Array.isArray(options)) throw refuse(field, options, remedy);
  if (Object.keys(options).some((option) => option !== 'ttlMs'))
    throw refuse(field, options, `${remedy}, and no other`);
}

function refuse(field: string, value: unknown, rule: string): HeadlessError {
  return new HeadlessError('ERR_HEADLESS_OPTION', `createFakeDns: ${field} ${rule}, got ${show(value)}`);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
