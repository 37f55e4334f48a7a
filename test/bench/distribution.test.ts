import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { steps, thinned } from '../../bench/harness/distribution.js';

const times = fc.double({ min: 0, max: 1e6, noNaN: true });

test('a sample of at most 32 values keeps all of them, ascending', () => {
  fc.assert(
    fc.property(fc.array(times, { maxLength: 32 }), (values) => {
      assert.deepEqual(
        thinned(values),
        values.toSorted((a, b) => a - b),
      );
    }),
  );
});

test('of a larger sample 32 values remain, the smallest and the largest among them', () => {
  fc.assert(
    fc.property(fc.array(times, { minLength: 101, maxLength: 500 }), (values) => {
      const kept = thinned(values);
      assert.equal(kept.length, 32);
      assert.equal(kept[0], Math.min(...values));
      assert.equal(kept.at(-1), Math.max(...values));
    }),
  );
});

test('each step of the thinned curve lies on the curve of the whole sample', () => {
  fc.assert(
    fc.property(fc.uniqueArray(times, { minLength: 1, maxLength: 500 }), fc.nat(32), (values, never) => {
      const total = values.length + never;
      for (const { x, share } of steps(thinned(values), values.length, total))
        assert.equal(share, values.filter((value) => value <= x).length / total);
    }),
  );
});

test('a curve ends below 1 where some observations never happened', () => {
  assert.deepEqual(steps(thinned([30, 10]), 2, 4), [
    { x: 10, share: 0.25 },
    { x: 30, share: 0.5 },
  ]);
  assert.deepEqual(steps(thinned([]), 0, 4), []);
});
