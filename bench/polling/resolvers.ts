/** Ways to turn a name into addresses once: ours, c-ares (`dns.resolve4`) and getaddrinfo (`dns.lookup`). */
import { promises as dns } from 'node:dns';
import { parseServer } from '../../lib/dns/settings.js';
import { StubResolver } from '../../lib/dns/stub-resolver.js';
import { resolveOptions } from '../../lib/options.js';
import { systemRuntime } from '../../lib/runtime.js';

export const RESOLVERS = ['ours', 'dns.resolve4', 'dns.lookup'] as const;

export type ResolverName = (typeof RESOLVERS)[number];

/** Resolves with the number of addresses. */
export type Resolve = () => Promise<number>;

export function ours(name: string, server: string): Resolve {
  const address = parseServer(server);
  if (!address) throw new Error(`"${server}" is no DNS server`);
  const settings = { ...resolveOptions({}).dns, servers: [address], timeoutMs: 10_000 };
  const client = new StubResolver(name, true, settings, systemRuntime);
  const { signal } = new AbortController();
  return async () => {
    const outcome = (await client.resolve(signal)).outcomes.get('A');
    return outcome?.kind === 'addresses' ? outcome.addresses.length : 0;
  };
}

export function cares(name: string, server: string): Resolve {
  const resolver = new dns.Resolver({ timeout: 10_000, tries: 1 });
  resolver.setServers([server]);
  return async () => (await resolver.resolve4(name)).length;
}

/** Of the hosts file: getaddrinfo cannot be given a server, and its wait for a thread is the point. */
export function getaddrinfo(): Resolve {
  return async () => (await dns.lookup('localhost', { all: true })).length;
}
