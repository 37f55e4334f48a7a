import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LongestTtl } from '../../lib/discovery/longest-ttl.js';

test('the full TTL is the longest of late, and forgets a change of configuration', () => {
  const ttls = new LongestTtl();
  assert.equal(ttls.longest(false), 0);
  ttls.add(0, false, 30_000);
  for (let now = 1_000; now < 29_000; now += 1_000) ttls.add(now, false, 5_000);
  assert.equal(ttls.longest(false), 30_000);
  assert.equal(ttls.longest(true), 0, 'denials have their own');
  for (let now = 29_000; now < 200_000; now += 1_000) ttls.add(now, false, 5_000);
  assert.equal(ttls.longest(false), 5_000);
});

test('a TTL over an hour counts as one hour, so that an absurd one is forgotten too', () => {
  const ttls = new LongestTtl();
  ttls.add(0, false, 4_294_967_295_000);
  assert.equal(ttls.longest(false), 3_600_000);
  for (let now = 1_000; now < 20_000_000; now += 30_000) ttls.add(now, false, 30_000);
  assert.equal(ttls.longest(false), 30_000);
});
