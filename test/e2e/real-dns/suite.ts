/** What the scenarios are made of: a test that needs servers, those who ask them, and pods behind their records. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { Poller } from '../../../lib/discovery/poller.js';
import type { NameResolver } from '../../../lib/dns/name-resolver.js';
import { parseServiceName } from '../../../lib/dns/service-name.js';
import { ServiceResolver } from '../../../lib/dns/service-resolver.js';
import { StubResolver } from '../../../lib/dns/stub-resolver.js';
import { HeadlessChannel, type HeadlessOptions } from '../../../lib/index.js';
import { resolveOptions } from '../../../lib/options.js';
import { systemRuntime } from '../../../lib/runtime.js';
import { DiscoveryCounter, type DiscoveryCounters } from '../../../lib/telemetry/counters.js';
import type { Cluster } from '../../support/cluster.js';
import { eventually } from '../../support/eventually.js';
import { HelloClient, sayHi } from '../../support/hello-service.js';
import { type Defer, leakCheck } from '../../support/leak-check.js';
import type { RealDnsServer, Recipe } from './server.js';

/** The Service that the scenarios are about. */
export const NAME = 'hello.test.svc.cluster.local';

const isCI = !['', '0', 'false'].includes(process.env.CI ?? '');

/** A test that runs where its servers are; where one is missing, it is skipped and says so, and in CI fails. */
export function serverTest(title: string, recipes: readonly Recipe[], body: (defer: Defer) => Promise<void>): void {
  const missing = [...new Set(recipes.flatMap(({ program }) => program.missing ?? []))].join('; ');
  test(title, { skip: missing !== '' && !isCI && missing, timeout: 90_000 }, async (t) => {
    if (missing !== '') throw new Error(missing);
    const defer = leakCheck(t);
    await body(defer);
  });
}

/** `count` different addresses, from the `first` on; nobody dials them. */
export function ips(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, index) => `10.1.${(first + index) >> 8}.${(first + index) & 255}`).sort();
}

/** Asks one server, now and then. */
export type ClientUnderTest = NameResolver & { readonly counters: Readonly<DiscoveryCounters> };

export function clientOf(
  server: Pick<RealDnsServer, 'address'>,
  name = NAME,
  dns: HeadlessOptions['dns'] = {},
  absolute = true,
): ClientUnderTest {
  const settings = resolveOptions({ dns: { servers: [server.address], ...dns } });
  const { counters, emit } = new DiscoveryCounter();
  const service = parseServiceName(name);
  const resolver =
    service === null
      ? new StubResolver(name, absolute, settings.dns, systemRuntime, { emit })
      : new ServiceResolver(name, service, absolute, settings.dns, systemRuntime, { emit });
  return Object.assign(resolver, { counters });
}

/** What asking once came to, by record type: addresses in order, or the error's code. */
export async function ask(client: NameResolver): Promise<{
  found: Record<string, readonly string[] | string>;
  ttlMs: number | undefined;
  transport: string | null;
  name: string;
}> {
  const { outcomes, transport, name } = await client.resolve(new AbortController().signal);
  const found: Record<string, readonly string[] | string> = {};
  let ttlMs: number | undefined;
  for (const [type, outcome] of outcomes) {
    found[type] = outcome.kind === 'addresses' ? [...outcome.addresses].sort() : outcome.error.code;
    if (outcome.kind === 'addresses') ttlMs = outcome.ttlMs;
  }
  return { found, ttlMs, transport, name };
}

/** Polls only when told to, and after failures. */
const ON_DEMAND = { intervalMs: 600_000, minIntervalMs: 10, burstMs: 0 };

export interface Watch {
  /** One poll; resolves when its answer or failure is in. */
  poll(): Promise<void>;
  /** In order. */
  readonly addresses: readonly string[];
  readonly isAsking: boolean;
  readonly rcode: string | null;
  readonly transport: string | null;
  readonly error: string | undefined;
  readonly failures: number;
}

/** A poller without a channel: for sets too large to dial. */
export function watch(
  defer: Defer,
  server: RealDnsServer,
  dns: HeadlessOptions['dns'] = {},
  ttl: 'phased' | 'adaptive' = 'phased',
): Watch {
  const settings = resolveOptions({ refresh: { ...ON_DEMAND, ttl } });
  const poller = new Poller(
    clientOf(server, NAME, dns),
    { hostname: NAME, refresh: settings.refresh, empty: settings.empty },
    systemRuntime,
    new DiscoveryCounter(),
  );
  const subscription = poller.subscribe(() => {});
  subscription.setReady(true);
  defer(() => subscription.end());
  return {
    poll: () => subscription.refresh(),
    get addresses() {
      return [...poller.status.addresses].sort();
    },
    get isAsking() {
      return poller.status.nextQueryAt === null;
    },
    get rcode() {
      return poller.status.rcode;
    },
    get transport() {
      return poller.status.transport;
    },
    get error() {
      return poller.lastError?.code;
    },
    get failures() {
      return poller.status.failures;
    },
  };
}

export interface Caller {
  readonly channel: HeadlessChannel;
  /** Pods in use: neither draining nor out of reach. In order. */
  readonly ready: readonly string[];
  /** Resolves when some calls in a row were answered by these pods, each of them and no other. */
  answeredBy(pods: readonly string[]): Promise<void>;
  /** Calls without a pause until the returned function is called; that rejects with the first failure. */
  callOn(): () => Promise<number>;
}

/** A gRPC client whose channel asks `server`; by default only when told to. */
export function callerOf(defer: Defer, server: RealDnsServer, cluster: Cluster, options: HeadlessOptions = {}): Caller {
  const channel = new HeadlessChannel(`${NAME}.:${cluster.port}`, credentials.createInsecure(), {
    headless: {
      ...options,
      refresh: { ...ON_DEMAND, ...options.refresh },
      dns: { servers: [server.address], ...options.dns },
      balance: { policy: 'round_robin' },
    },
  });
  const client = new HelloClient(channel.getTarget(), credentials.createInsecure(), { channelOverride: channel });
  defer(() => client.close());
  return {
    channel,
    get ready() {
      const endpoints = channel.snapshot().endpoints.filter(({ state }) => state === 'ready');
      return endpoints.map(({ address }) => address.replace(/:\d+$/, '')).sort();
    },
    answeredBy: (pods) =>
      eventually(async () => {
        const names = new Set<string>();
        for (let call = 0; call < pods.length * 3; call++) names.add((await sayHi(client)).from_who);
        assert.deepEqual([...names].sort(), pods);
      }),
    callOn() {
      let going = true;
      const calls = (async () => {
        let made = 0;
        for (; going; made++) {
          await sayHi(client);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        return made;
      })();
      // Heard when the test asks for it.
      calls.catch(() => {});
      const end = (): Promise<number> => {
        going = false;
        return calls;
      };
      defer(end);
      return end;
    },
  };
}
