import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryDelay } from '../../lib/kubernetes/retry-delay.js';

const CEILINGS_MS = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];

for (const [title, random, share] of [
  ['least', 0, 0.5],
  ['most', 1, 1],
] as const)
  test(`the ${title} waits are ${share} of ceilings that double from 0.5 s to 30 s`, () => {
    const delay = new RetryDelay(() => random);
    assert.deepEqual(
      CEILINGS_MS.map(() => delay.next(0)),
      CEILINGS_MS.map((ceilingMs) => ceilingMs * share),
    );
    delay.reset();
    assert.equal(delay.next(0), 500 * share);
  });

test('a server that asks for a longer wait gets it', () => {
  const delay = new RetryDelay(() => 0);
  assert.equal(delay.next(60_000), 60_000);
  assert.equal(delay.next(100), 500);
});
