import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_PORT } from '../../lib/discovery/default-port.js';
import { sameZones, toAddresses } from '../../lib/discovery/zone-labels.js';
import type { Resolution, ZoneAnswer } from '../../lib/dns/resolution.js';
import { a, b, pollerFixture } from '../support/poller-fixture.js';
import { pods } from '../support/scripted-resolver.js';

function zone(...hosts: string[]): ZoneAnswer {
  return { name: 'eu-1a', fallback: false, hosts: new Set(hosts) };
}

test('an address has a zone where the answer tells that it is in the zone', () => {
  assert.deepEqual(toAddresses([a, b], zone(b, 'elsewhere')), [
    { host: a, port: NO_PORT },
    { host: b, port: NO_PORT, zone: 'eu-1a' },
  ]);
  assert.deepEqual(toAddresses([a], null), [{ host: a, port: NO_PORT }]);
});

test('two answers are the same for a set if each of its hosts is in the zone by both or by none', () => {
  assert.ok(sameZones([a, b], zone(b), zone(b, 'elsewhere')));
  assert.ok(sameZones([a, b], null, zone()));
  assert.ok(!sameZones([a, b], zone(b), zone(a)));
  assert.ok(!sameZones([a, b], zone(b), null));
});

test('a host that changes its zone is reported as a change of the set, and is no change for counters and bursts', async () => {
  const withZone = (...hosts: string[]): Resolution => ({ ...pods(a, b), zone: zone(...hosts) });
  const { clock, resolver, poller, join } = pollerFixture({ answer: withZone(a), refresh: { burstMs: 30_000 } });
  const zones: string[] = [];
  const { end } = poller.subscribe(({ addresses, changed }) => {
    if (changed) zones.push(addresses.map(({ zone: name }) => name ?? '-').join());
  });
  const { setReady, end: endOther } = join();
  setReady(true);
  await clock.advance(0);
  assert.deepEqual(zones, ['eu-1a,-']);
  resolver.answer = withZone(b);
  await clock.advance(60_000);
  assert.deepEqual(zones, ['eu-1a,-', '-,eu-1a']);
  assert.equal(poller.counters.changes, 1);
  end();
  endOther();
});
