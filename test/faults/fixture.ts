/**
 * A channel with two READY pods, and DNS servers whose every octet the test decides. The channel polls only when the
 * test asks, and reports what came of each poll.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { type DnsFailureEvent, HeadlessChannel, type HeadlessOptions, type UpdateEvent } from '../../lib/index.js';
import type { SnapshotCounters } from '../../lib/telemetry/snapshot.js';
import { type DnsQuery, DnsServer, type Responder } from '../support/dns-server.js';
import { eventually } from '../support/eventually.js';
import { type Defer, leakCheck } from '../support/leak-check.js';
import { type Pod, startPod } from '../support/pod.js';
import { a, HOSTNAME, response } from '../support/wire.js';

/** The set before, the set after, and a forged address. All but the last are pods. */
export const OLD = ['127.61.0.1', '127.61.0.2'];
export const NEW = ['127.61.0.2', '127.61.0.3'];
export const FORGED = '127.66.6.6';

export interface FixtureOptions {
  /** The test's own leak check, if it has one. */
  defer?: Defer;
  /** Default 1. */
  servers?: number;
  /** Addresses of other servers, which are asked first. */
  before?: readonly string[];
  dns?: HeadlessOptions['dns'];
  refresh?: HeadlessOptions['refresh'];
}

export interface Fixture {
  readonly defer: Defer;
  readonly servers: readonly DnsServer[];
  /** The first server. */
  readonly dns: DnsServer;
  readonly channel: HeadlessChannel;
  /** Serves calls at every address of 127.0.0.0/8. */
  readonly pods: Pod;
  readonly failures: DnsFailureEvent[];
  readonly updates: UpdateEvent[];
  /** Polls once, with all servers responding like this, and returns by how much the counters rose. */
  ask(respond: Responder): Promise<SnapshotCounters>;
  /** Waits until these are the pods in use and all of them are READY. */
  ready(addresses: readonly string[]): Promise<void>;
}

/** A good response with these addresses. */
export function answerWith(query: DnsQuery, addresses: readonly string[]): Buffer {
  return response({ query: query.buffer, answers: addresses.map((address) => a(address)) });
}

/** TC over UDP: the question then goes to TCP. */
export function truncatedResponse(query: DnsQuery): Buffer {
  return response({ query: query.buffer, flags: 0x8380 });
}

export async function startFixture(t: TestContext, options: FixtureOptions = {}): Promise<Fixture> {
  const defer = options.defer ?? leakCheck(t, { timeoutMs: 10_000 });
  const servers: DnsServer[] = [];
  for (let count = 0; count < (options.servers ?? 1); count++) {
    const server = await DnsServer.start();
    defer(() => server.close());
    server.respond = (query, exchange) => exchange.reply(answerWith(query, OLD));
    servers.push(server);
  }
  const pods = await startPod('0.0.0.0');
  defer(() => pods.kill());
  const channel = new HeadlessChannel(`${HOSTNAME}.:${pods.port}`, credentials.createInsecure(), {
    headless: {
      // No poll but those that the test asks for, and those of a failure's backoff.
      refresh: { intervalMs: 600_000, minIntervalMs: 10, burstMs: 0, ...options.refresh },
      dns: {
        servers: [...(options.before ?? []), ...servers.map(({ address }) => address)],
        family: 'ipv4',
        timeoutMs: 10_000,
        attempts: 1,
        ...options.dns,
      },
    },
  });
  defer(() => channel.close());
  const failures: DnsFailureEvent[] = [];
  const updates: UpdateEvent[] = [];
  channel.on('dnsFailure', (failure) => failures.push(failure));
  channel.on('update', (update) => updates.push(update));
  await channel.ready({ timeoutMs: 20_000 });

  const host = ({ address }: { address: string }): string => address.slice(0, address.lastIndexOf(':'));
  const fixture: Fixture = {
    defer,
    servers,
    dns: servers[0] as DnsServer,
    channel,
    pods,
    failures,
    updates,
    async ask(respond) {
      for (const server of servers) server.respond = respond;
      const before = channel.snapshot().counters;
      await channel.refresh();
      const after = channel.snapshot().counters;
      const names = Object.keys(after) as (keyof SnapshotCounters)[];
      return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as unknown as SnapshotCounters;
    },
    ready: (addresses) =>
      eventually(
        () => {
          const used = channel.snapshot().endpoints.filter(({ state }) => state !== 'draining');
          assert.deepEqual(used.map(host).sort(), [...addresses].sort());
          assert.deepEqual([...new Set(used.map(({ state }) => state))], ['ready']);
        },
        { timeoutMs: 20_000 },
      ),
  };
  await fixture.ready(OLD);
  return fixture;
}
