import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CacheEntry, CacheEvidence } from '../../lib/discovery/cache-evidence.js';

function entry(at: number, ttl: number, denied = false): CacheEntry {
  return { answeredAt: at * 1_000, ttlMs: ttl * 1_000, denied, expiresAt: (at + ttl) * 1_000 };
}

const NONE = [null, null, null, null];

/** Feeds answers to the plain pair: [second, TTL] each. */
function plain(evidence: CacheEvidence, fullTtl: number, ...answers: [number, number][]): void {
  for (const [at, ttl] of answers) evidence.answered(0, entry(at, ttl), fullTtl * 1_000, NONE);
}

test('a TTL that counts down from one query to the next shows a cache', () => {
  const evidence = new CacheEvidence();
  plain(evidence, 30, [0, 30]);
  assert.equal(evidence.cache, 'unknown');
  plain(evidence, 30, [1.05, 29]);
  assert.equal(evidence.cache, 'present');
});

test('the same TTL a second later shows a live server; it is certain after three such answers', () => {
  const evidence = new CacheEvidence();
  plain(evidence, 30, [0, 30], [1.05, 30]);
  assert.equal(evidence.cache, 'none');
  assert.equal(evidence.surelyLive, false);
  plain(evidence, 30, [6, 30], [11, 30]);
  assert.equal(evidence.surelyLive, true);
});

test('answers less than a second apart tell nothing, and are compared when more time has passed', () => {
  const evidence = new CacheEvidence();
  plain(evidence, 30, [0, 30], [0.2, 30], [0.4, 30], [0.6, 30]);
  assert.equal(evidence.cache, 'unknown');
  plain(evidence, 30, [1.2, 29]);
  assert.equal(evidence.cache, 'present');
});

test('an answer after the expiry tells nothing: a cache shows the full TTL then, as a live server does', () => {
  const evidence = new CacheEvidence();
  plain(evidence, 30, [0, 30], [30.1, 30], [60.2, 30], [90.3, 30]);
  assert.equal(evidence.cache, 'unknown');
  assert.equal(evidence.uninformed, 4);
  plain(evidence, 30, [95.3, 25]);
  assert.equal(evidence.cache, 'present');
  assert.equal(evidence.uninformed, 0);
});

test('a TTL that is 0, counts up or is random shows no cache', () => {
  for (const ttls of [
    [0, 0, 0, 0, 0],
    [5, 6, 7, 8, 9, 10],
    [30, 12, 29, 3, 30, 11],
  ]) {
    const evidence = new CacheEvidence();
    ttls.forEach((ttl, index) => {
      plain(evidence, 30, [index * 5, ttl]);
    });
    assert.notEqual(evidence.cache, 'present', `${ttls}`);
  }
});

test('a known cache is gone after three full TTLs where less was due, and until then it is in doubt', () => {
  const evidence = new CacheEvidence();
  plain(evidence, 30, [0, 30], [5, 25], [31, 30], [36, 30]);
  assert.equal(evidence.cache, 'present');
  assert.equal(evidence.doubtful, true);
  plain(evidence, 30, [41, 30], [46, 30]);
  assert.equal(evidence.cache, 'none');
  assert.equal(evidence.doubtful, false);
});

test('replicas that had no entry yet look live for a moment, and a TTL that is not full ends the doubt', () => {
  const evidence = new CacheEvidence();
  plain(evidence, 30, [0, 30], [5, 25], [31, 30], [36, 30], [41, 20]);
  assert.equal(evidence.cache, 'present');
  assert.equal(evidence.doubtful, false);
});

test('denials are compared with denials only: they have a TTL of their own', () => {
  const evidence = new CacheEvidence();
  evidence.answered(0, entry(0, 10, true), 10_000, NONE);
  evidence.answered(0, entry(5, 5), 10_000, NONE);
  assert.equal(evidence.cache, 'unknown');
  evidence.answered(0, entry(7, 10, true), 10_000, NONE);
  evidence.answered(0, entry(9, 8, true), 10_000, NONE);
  assert.equal(evidence.cache, 'present');
});

test('a pair that twice in a row expires with another has no entry of its own', () => {
  const evidence = new CacheEvidence();
  assert.equal(evidence.separate(1), true);
  evidence.answered(1, entry(10, 20), 30_000, [entry(0, 30), null, null, null]);
  assert.equal(evidence.separate(1), true, 'both may have been filled in one second');
  evidence.answered(1, entry(40, 20), 30_000, [entry(30.1, 30), null, null, null]);
  assert.equal(evidence.separate(1), false);
  evidence.answered(1, entry(70, 30), 30_000, [entry(60.2, 30), null, null, null]);
  assert.equal(evidence.separate(1), true, 'until it shows one');
});

test('where the key has DO and not CD, two pairs are left', () => {
  const evidence = new CacheEvidence();
  for (const at of [0, 31, 62]) {
    const entries = [entry(at, 30), entry(at + 7, 30), null, null];
    evidence.answered(1, entry(at + 7, 30), 30_000, [entry(at, 30), null, null, null]);
    evidence.answered(2, entry(at + 15, 15), 30_000, entries);
    evidence.answered(3, entry(at + 22, 15), 30_000, entries);
  }
  assert.deepEqual(
    [0, 1, 2, 3].filter((pair) => evidence.separate(pair)),
    [0, 1],
  );
});

test('an expired entry is not compared with: it says nothing of the present', () => {
  const evidence = new CacheEvidence();
  for (const at of [30, 60]) evidence.answered(1, entry(at, 0.5), 30_000, [entry(0, 30), null, null, null]);
  assert.equal(evidence.separate(1), true);
});

test('a pair that the server refuses twice is not used; the plain pair always is', () => {
  const evidence = new CacheEvidence();
  for (const pair of [0, 0, 0, 2, 2]) evidence.refused(pair);
  assert.deepEqual(
    [0, 1, 2, 3].filter((pair) => evidence.separate(pair)),
    [0, 1, 3],
  );
});
