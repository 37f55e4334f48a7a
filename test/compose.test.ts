import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PollerKey, sharedPoller } from '../lib/compose.js';
import { resolveOptions } from '../lib/options.js';
import type { Runtime } from '../lib/runtime.js';
import { createFakeDns } from '../lib/testing.js';
import { FakeClock } from './support/fake-clock.js';

const dns = createFakeDns({ 'svc.ns': ['10.0.0.1'] });

function runtime(): Runtime {
  return { clock: new FakeClock(), random: () => 0, turns: { current: () => 0 } };
}

/** As two channels would make it: equal in all its parts, and no part the same object. */
function key(changes: Partial<PollerKey> = {}): PollerKey {
  const { refresh, dns: settings, empty, zone } = resolveOptions({ dns: { servers: ['10.96.0.10'] } });
  return { hostname: 'svc.ns', absolute: false, dns: settings, lookup: null, refresh, empty, zone, ...changes };
}

test('two channels of equal names and settings share a poller, and one query serves both', async () => {
  const shared = runtime();
  const one = sharedPoller(key({ lookup: dns.lookup }), shared);
  const two = sharedPoller(key({ lookup: dns.lookup }), shared);
  assert.equal(one, two);
  const heard: string[] = [];
  const subscriptions = [one, two].map((poller, index) =>
    poller.subscribe(({ addresses }) => heard.push(`${index}: ${addresses.map(({ host }) => host)}`)),
  );
  await (shared.clock as FakeClock).advance(100);
  assert.deepEqual(heard, ['0: 10.0.0.1', '1: 10.0.0.1']);
  assert.deepEqual(dns.queries, ['svc.ns']);
  for (const { end } of subscriptions) end();
});

test('upper and lower case are one name, as in DNS', () => {
  const shared = runtime();
  assert.equal(sharedPoller(key({ hostname: 'SVC.ns' }), shared), sharedPoller(key(), shared));
});

const { dns: settings, refresh } = key();
const others: Record<string, Partial<PollerKey>> = {
  'another name': { hostname: 'other.ns' },
  'an absolute name': { absolute: true },
  'other servers': { dns: { ...settings, servers: [{ host: '10.96.0.11', port: 53 }] } },
  'the same server at another port': { dns: { ...settings, servers: [{ host: '10.96.0.10', port: 5353 }] } },
  'the servers of resolv.conf': { dns: { ...settings, servers: null } },
  'another family': { dns: { ...settings, family: 'dual' } },
  'another search list': { dns: { ...settings, search: ['svc.cluster.local'] } },
  'another resolv.conf': { dns: { ...settings, resolvConf: '/tmp/resolv.conf' } },
  'another interval': { refresh: { ...refresh, intervalMs: 1_000 } },
  'another rule for TTLs': { refresh: { ...refresh, ttl: 'ignore' } },
  'another rule for empty answers': { empty: 'drop' },
  'another zone': { zone: { name: 'a', mode: 'prefer' } },
  'a lookup of its own': { lookup: async () => ({ addresses: [], ttlMs: 0 }) },
};
for (const [what, changes] of Object.entries(others))
  test(`a channel with ${what} has a poller of its own`, () => {
    const shared = runtime();
    assert.notEqual(sharedPoller(key(changes), shared), sharedPoller(key(), shared));
    assert.equal(sharedPoller(key(changes), shared), sharedPoller(key(changes), shared));
  });

test('lookups are the same only if they are one function', () => {
  const shared = runtime();
  const make = (): PollerKey['lookup'] => async () => ({ addresses: ['10.0.0.1'], ttlMs: 0 });
  const [one, two] = [make(), make()];
  assert.notEqual(sharedPoller(key({ lookup: one }), shared), sharedPoller(key({ lookup: two }), shared));
  assert.equal(sharedPoller(key({ lookup: one }), shared), sharedPoller(key({ lookup: one }), shared));
});

test('nothing is shared between two runtimes', () => {
  assert.notEqual(sharedPoller(key(), runtime()), sharedPoller(key(), runtime()));
});
