import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CacheEntry } from '../../lib/discovery/cache-evidence.js';
import { Phases } from '../../lib/discovery/phases.js';

const ALL = [0, 1, 2, 3];
const LIFE_MS = 30_000;

function entry(at: number, ttl: number): CacheEntry {
  return { answeredAt: at * 1_000, ttlMs: ttl * 1_000, denied: false, expiresAt: (at + ttl) * 1_000 };
}

function make(...entries: (CacheEntry | null)[]): Phases {
  const phases = new Phases();
  entries.forEach((known, pair) => {
    if (known !== null) phases.learn(pair, known);
  });
  return phases;
}

test('pairs that were never asked are asked at even distances after the plain one was filled', () => {
  const phases = make(entry(0, 30));
  assert.deepEqual(phases.nextDue(1_000, ALL, LIFE_MS, 0), { pair: 1, at: 7_500 });
  phases.learn(1, entry(7.5, 30));
  assert.deepEqual(phases.nextDue(7_500, ALL, LIFE_MS, 0), { pair: 2, at: 15_000 });
  phases.learn(2, entry(15, 30));
  assert.deepEqual(phases.nextDue(15_000, ALL, LIFE_MS, 0), { pair: 3, at: 22_500 });
  phases.learn(3, entry(22.5, 30));
  assert.deepEqual(phases.nextDue(22_500, ALL, LIFE_MS, 0), { pair: 0, at: 30_050 });
});

test('an entry is asked just after it expires, so long as that is not far behind its slot', () => {
  const phases = make(entry(0, 30), entry(9, 30));
  phases.learn(0, entry(30.05, 30));
  phases.learn(2, entry(15, 30));
  phases.learn(3, entry(22.5, 30));
  assert.deepEqual(phases.nextDue(30_100, ALL, LIFE_MS, 0), { pair: 1, at: 39_050 });
});

test('an entry that lies too near another is left to expire and filled at its slot', () => {
  // Filled in a burst, a second after one another.
  const phases = make(entry(0, 30), entry(1, 30), entry(2, 30), entry(3, 30));
  phases.learn(0, entry(30, 30));
  assert.deepEqual(phases.nextDue(30_000, ALL, LIFE_MS, 0), { pair: 1, at: 37_500 });
  phases.learn(1, entry(37.5, 30));
  assert.deepEqual(phases.nextDue(37_500, ALL, LIFE_MS, 0), { pair: 2, at: 45_000 });
});

test('with two pairs the distance is half a life', () => {
  const phases = make(entry(0, 30));
  assert.deepEqual(phases.nextDue(1_000, [0, 1], LIFE_MS, 0), { pair: 1, at: 15_000 });
});

test('the spread puts a query off, and the next one makes up for it', () => {
  const phases = make(entry(0, 30));
  assert.deepEqual(phases.nextDue(1_000, [0, 1], LIFE_MS, 400), { pair: 1, at: 15_400 });
  phases.learn(1, entry(15.4, 30));
  assert.deepEqual(phases.nextDue(16_000, [0, 1], LIFE_MS, 400), { pair: 0, at: 30_450 });
  phases.learn(0, entry(30.05, 30));
  assert.deepEqual(phases.nextDue(31_000, [0, 1], LIFE_MS, 300), { pair: 1, at: 45_450 });
});

test('of two answers from one entry the one that tells its expiry better counts', () => {
  const phases = make(entry(0, 30));
  phases.learn(0, entry(5.9, 25));
  assert.equal(phases.nextDue(6_000, [0], LIFE_MS, 0).at, 30_050);
});

test("another replica's entry that expires later does not hide the known one", () => {
  const phases = make(entry(0, 30));
  phases.learn(0, entry(20, 28));
  assert.equal(phases.nextDue(20_000, [0], LIFE_MS, 0).at, 30_050);
});

test('a cache that rounds down is asked a second later, once it has answered from an entry past its time', () => {
  const phases = make(entry(0.5, 29));
  phases.learn(0, entry(29.6, 0));
  phases.learn(0, entry(31, 30));
  assert.equal(phases.nextDue(31_000, [0], LIFE_MS, 0).at, 62_050);
});

test('in the middle of the lives the entry that expires next is asked', () => {
  const phases = make(entry(0, 30), entry(0, 12), entry(0, 20));
  assert.equal(phases.nextAlive(5_000, ALL), 1);
  assert.equal(phases.nextAlive(15_000, ALL), 2);
  assert.equal(phases.nextAlive(35_000, ALL), 0, 'the plain one where none is alive');
});

test('wherever the four entries begin, they are evenly spread after two lives', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 4, maxLength: 4 }), (ttls) => {
      const phases = make(...ttls.map((ttl) => entry(0, ttl)));
      const filledAt: number[] = [];
      for (let now = 0; now < 150_000; ) {
        const due = phases.nextDue(now, ALL, LIFE_MS, 0);
        now = Math.max(due.at, now + 1_000);
        phases.learn(due.pair, entry(now / 1_000, 30));
        filledAt.push(now);
      }
      const gaps = filledAt.filter((at) => at > 90_000).map((at, index, all) => at - (all[index - 1] ?? at - 7_500));
      for (const gap of gaps) assert.ok(gap >= 3_000 && gap <= 12_000, `${gaps}`);
    }),
  );
});
