import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Address } from '../../lib/address.js';
import { subsetRanking } from '../../lib/discovery/subset-ranking.js';
import { seededRandom } from '../support/fake-random.js';

const CLIENTS = 1_000;
const PODS = 300;
const SIZE = 20;

function pods(count: number): Address[] {
  return Array.from({ length: count }, (_, index) => ({ host: `10.0.${index >> 8}.${index & 255}`, port: 50_051 }));
}

function subsets(fleet: number, set: readonly Address[]): ReadonlySet<string>[] {
  return Array.from({ length: CLIENTS }, (_, client) => {
    const ranked = subsetRanking(`fleet-${fleet}-client-${client}`, null)(set);
    return new Set(ranked.slice(0, SIZE).map(({ host }) => host));
  });
}

/** The clients of the pod that has the most, over those of the mean pod. */
function unevenness(clientsOfPod: readonly number[]): number {
  return Math.max(...clientsOfPod) / ((CLIENTS * SIZE) / PODS);
}

function clientsByPod(chosen: readonly ReadonlySet<string>[]): number[] {
  const clients = new Map(pods(PODS).map(({ host }) => [host, 0]));
  for (const subset of chosen) for (const host of subset) clients.set(host, (clients.get(host) ?? 0) + 1);
  return [...clients.values()];
}

function drawnAtRandom(random: () => number): number[] {
  const clients = new Array<number>(PODS).fill(0);
  for (let client = 0; client < CLIENTS; client++) {
    const drawn = new Set<number>();
    while (drawn.size < SIZE) drawn.add(Math.floor(random() * PODS));
    for (const pod of drawn) clients[pod] = (clients[pod] ?? 0) + 1;
  }
  return clients;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

test('1,000 clients with 20 of 300 pods each: no pod has over 1.4 times the mean in the median fleet, as at random', () => {
  const fleets = Array.from({ length: 9 }, (_, fleet) => unevenness(clientsByPod(subsets(fleet, pods(PODS)))));
  const random = seededRandom(1);
  const chance = Array.from({ length: 9 }, () => unevenness(drawnAtRandom(random)));
  assert.ok(median(fleets) <= 1.4, `the median of ${fleets}`);
  assert.ok(median(fleets) <= median(chance) * 1.05, `${fleets} against ${chance} at random`);
  assert.ok(Math.max(...fleets) <= 1.6, `the worst of ${fleets}`);
});

test('when a pod goes, only the clients that had it choose another one, and one only', () => {
  const [gone, ...rest] = pods(PODS) as [Address, ...Address[]];
  const before = subsets(0, [gone, ...rest]);
  const after = subsets(0, rest);
  let moved = 0;
  for (const [client, subset] of before.entries()) {
    const added = [...(after[client] as ReadonlySet<string>)].filter((host) => !subset.has(host));
    assert.equal(added.length, subset.has(gone.host) ? 1 : 0);
    moved += added.length;
  }
  // Chance: 20 of 300 pods, so one client of 15.
  assert.ok(moved > 40 && moved < 95, `${moved} of 1,000 clients`);
});

test('when a pod comes, the clients that choose it leave one pod for it, and the others none', () => {
  const set = pods(PODS);
  const added: Address = { host: '10.9.9.9', port: 50_051 };
  const before = subsets(0, set);
  for (const [client, subset] of subsets(0, [...set, added]).entries()) {
    const left = [...(before[client] as ReadonlySet<string>)].filter((host) => !subset.has(host));
    assert.equal(left.length, subset.has(added.host) ? 1 : 0);
  }
});

test('the ranking has every address once, whatever the order in which they came, and a key always gives the same one', () => {
  const address = fc.record({ host: fc.ipV4(), port: fc.integer({ min: 1, max: 65_535 }) });
  const set = fc.uniqueArray(address, { selector: ({ host, port }) => `${host}:${port}`, maxLength: 30 });
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), set, (key, addresses) => {
      const ranked = subsetRanking(key, null)(addresses);
      assert.deepEqual(new Set(ranked), new Set(addresses));
      assert.equal(ranked.length, addresses.length);
      assert.deepEqual(subsetRanking(key, null)(addresses.toReversed()), ranked);
    }),
  );
});

test('pods of the zone come first, in the same order as without the zone', () => {
  const set = pods(30).map((address, index) => ({ ...address, zone: index % 3 === 0 ? 'here' : 'there' }));
  const ranked = subsetRanking('key', 'here')(set);
  assert.ok(ranked.slice(0, 10).every(({ zone }) => zone === 'here'));
  const without = subsetRanking('key', null)(set);
  assert.deepEqual(
    ranked.slice(0, 10),
    without.filter(({ zone }) => zone === 'here'),
  );
  assert.deepEqual(
    ranked.slice(10),
    without.filter(({ zone }) => zone !== 'here'),
  );
});

test('two ports of one host are two pods', () => {
  const ranked = subsetRanking(
    'key',
    null,
  )([
    { host: '10.0.0.1', port: 1 },
    { host: '10.0.0.1', port: 2 },
  ]);
  assert.deepEqual(ranked.map(({ port }) => port).sort(), [1, 2]);
});
