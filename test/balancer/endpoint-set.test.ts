import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { preferredZone } from '../../lib/picker/preferred-zone.js';
import { roundRobin } from '../../lib/picker/round-robin.js';
import { balancerFixture } from '../support/balancer-fixture.js';

test('a list that names a pod twice, as only a foreign resolver could, makes one endpoint', () => {
  const { give, made } = balancerFixture();
  give('abab');
  assert.equal(made(), 'ab');
});

test('the same host on two ports is two endpoints', () => {
  const { giveList, helper } = balancerFixture();
  giveList([1, 2].map((port) => ({ addresses: [{ host: 'a', port }] })));
  assert.deepEqual(
    helper.made.map(({ address }) => address),
    ['a:1', 'a:2'],
  );
});

test('an endpoint without a TCP address is passed over', () => {
  const { giveList, made } = balancerFixture();
  giveList([{ addresses: [] }, { addresses: [{ path: '/run/pod.sock' }] }, { addresses: [{ host: 'a', port: 1 }] }]);
  assert.equal(made(), 'a');
});

test("an endpoint takes its address's new zone without reconnecting, and calls follow at once", () => {
  const { giveList, up, serving, balancer, made, counters } = balancerFixture({
    policy: preferredZone('near', roundRobin),
  });
  const list = (...near: string[]): boolean =>
    giveList(
      ['a', 'b'].map((host) => ({
        addresses: [{ host, port: 50_051, ...(near.includes(host) ? { zone: 'near' } : {}) }],
      })),
    );
  const zones = (): (string | null)[] => balancer.endpoints().map(({ zone }) => zone);
  list('a');
  up('ab');
  assert.deepEqual([serving(), zones()], ['a', ['near', null]]);
  list('b');
  assert.deepEqual([serving(), zones()], ['b', [null, 'near']]);
  list();
  assert.deepEqual([serving(), zones()], ['ab', [null, null]]);
  assert.deepEqual([made(), counters.connected, counters.drained], ['ab', 2, 0]);
});

/** Fewer pods than steps, so that many return while they drain. */
const hosts = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { minLength: 1 });
const step = fc.record({ hosts, up: hosts, waitMs: fc.constantFrom(0, 1, 40_000) });

test('through any sequence of sets each pod is in the set, drains, or is released, as its history says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const { give, helper, clock, states, held, last, serving, pod } = balancerFixture();
      /** Connected pods that left, and how long ago. */
      const draining = new Map<string, number>();
      const connected = new Set<string>();
      let before: readonly string[] = [];
      for (const { hosts, up, waitMs } of steps) {
        for (const name of before)
          if (!hosts.includes(name) && connected.has(name)) draining.set(name, 0);
          else if (!hosts.includes(name)) connected.delete(name);
        for (const name of hosts) draining.delete(name);
        before = hosts;
        give(hosts);
        await clock.advance(0);
        for (const name of up) {
          const made = helper.made.findLast(({ address, refs }) => refs > 0 && address[0] === name);
          made?.become('READY');
          if (made) connected.add(name);
        }
        await clock.advance(waitMs);
        const inUse = hosts.filter((name) => connected.has(name));
        for (const [name, ms] of draining) {
          draining.set(name, ms + waitMs);
          // While no pod of the set is READY, drained ones are the last resort.
          if (ms + waitMs < 30_000 || inUse.length === 0) continue;
          draining.delete(name);
          connected.delete(name);
        }
        const expected = Object.fromEntries([
          ...hosts.map((name) => [name, connected.has(name) ? 'ready' : 'connecting']),
          ...[...draining.keys()].map((name) => [name, 'draining']),
        ]);
        assert.deepEqual(states(), expected);
        assert.deepEqual([...new Set(held())].sort(), Object.keys(expected).sort());
        for (const name of Object.keys(expected)) assert.equal(pod(name).refs, 1);
        const takesCalls = inUse.length > 0 ? inUse : [...draining.keys()];
        assert.equal(last().state, takesCalls.length > 0 ? 'READY' : 'CONNECTING');
        if (takesCalls.length > 0) assert.equal(serving(), takesCalls.sort().join(''));
      }
    }),
  );
});
