import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlainPoller } from '../../bench/fleet/plain-poller.js';
import type { NameResolver } from '../../lib/dns/name-resolver.js';
import type { Outcome } from '../../lib/dns/resolution.js';
import { DnsError } from '../../lib/errors.js';
import { FakeClock } from '../support/fake-clock.js';
import { resolution } from '../support/scripted-resolver.js';

const ADDRESSES: Outcome = { kind: 'addresses', addresses: ['10.0.0.1'], ttlMs: 30_000, partial: false };
const FAILED: Outcome = {
  kind: 'failed',
  reason: 'timeout',
  error: new DnsError('ERR_HEADLESS_DNS_TIMEOUT', 'no response', { hostname: 'svc.test' }),
};

test('the baseline asks at a fixed interval from its start, whatever the answers are', async () => {
  const clock = new FakeClock({ startMs: 0, settleTurns: 1 });
  const askedAt: number[] = [];
  const told: (readonly string[])[] = [];
  const outcomes = [ADDRESSES, FAILED, FAILED, ADDRESSES];
  const resolver: NameResolver = {
    async resolve() {
      askedAt.push(clock.now());
      return resolution({ A: outcomes[askedAt.length - 1] ?? ADDRESSES });
    },
  };
  const poller = new PlainPoller(resolver, 5_000, clock, (addresses) => told.push(addresses));
  poller.start();
  // A lost connection changes nothing.
  poller.connectionLost();
  await clock.advance(16_000);
  assert.deepEqual(askedAt, [0, 5_000, 10_000, 15_000]);
  assert.deepEqual(told, [['10.0.0.1'], ['10.0.0.1']]);
});

test('the baseline skips a query while the one before is still under way', async () => {
  const clock = new FakeClock({ startMs: 0, settleTurns: 1 });
  const askedAt: number[] = [];
  const resolver: NameResolver = {
    resolve() {
      askedAt.push(clock.now());
      return new Promise((resolve) => clock.setTimer(7_000, () => resolve(resolution({ A: ADDRESSES }))));
    },
  };
  new PlainPoller(resolver, 5_000, clock, () => {}).start();
  await clock.advance(21_000);
  assert.deepEqual(askedAt, [0, 10_000, 20_000]);
});
