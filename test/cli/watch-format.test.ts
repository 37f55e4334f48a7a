import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as terminal from '../../lib/cli/watch/format.js';

const PAGE = new URL('../../lib/cli/watch/page/', import.meta.url);

test('times are written in at most two units', () => {
  assert.deepEqual([0, 85, 999, 1_000, 1_240, 9_949, 9_990, 42_000].map(terminal.duration), [
    '0 ms',
    '85 ms',
    '999 ms',
    '1 s',
    '1.2 s',
    '9.9 s',
    '10 s',
    '42 s',
  ]);
  assert.deepEqual([0, 59_999, 60_000, 185_000, 7_500_000, 273_600_000].map(terminal.age), [
    '0 s',
    '59 s',
    '1 min',
    '3 min 5 s',
    '2 h 5 min',
    '3 d 4 h',
  ]);
  assert.deepEqual([-5, 0, 1, 1_000, 1_001].map(terminal.countdown), ['0 s', '0 s', '1 s', '1 s', '2 s']);
});

test('the page writes times as the terminal does', async () => {
  const page = (await import(new URL('format.js', PAGE).href)) as typeof terminal;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e9 }), (ms) => {
      assert.equal(page.age(ms), terminal.age(ms));
      assert.equal(page.duration(ms), terminal.duration(ms));
      assert.equal(page.countdown(ms), terminal.countdown(ms));
      assert.equal(page.clockTime(ms), terminal.clockTime(ms));
    }),
  );
  for (const number of [0, 1, 2])
    assert.equal(page.count(number, 'pod', 'pods'), terminal.count(number, 'pod', 'pods'));
});
