import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { retryAfterMs } from '../../lib/kubernetes/retry-after.js';

const NOW = 'Sun, 06 Nov 1994 08:49:37 GMT';
const WALL_TIME = Date.parse(NOW);

const CASES: readonly [value: string, waitMs: number][] = [
  ['0', 0],
  ['7', 7_000],
  [' 7 ', 7_000],
  ['60', 60_000],
  ['3600', 60_000],
  ['9'.repeat(400), 60_000],
  ['Sun, 06 Nov 1994 08:49:47 GMT', 10_000],
  ['Sunday, 06-Nov-94 08:49:47 GMT', 10_000],
  ['Sun Nov  6 08:49:47 1994', 10_000],
  ['Sun, 06 Nov 1994 09:49:37 GMT', 60_000],
  ['Sun, 06 Nov 1994 08:49:27 GMT', 0],
  ['', 0],
  ['-5', 0],
  ['1.5', 0],
  ['soon', 0],
  ['Sun, 99 Nov 1994 08:49:47 GMT', 0],
];
for (const [value, waitMs] of CASES)
  test(`"${value.slice(0, 40)}" asks for a wait of ${waitMs} ms`, () => {
    assert.equal(retryAfterMs({ 'retry-after': value, date: NOW }, 0), waitMs);
    assert.equal(retryAfterMs({ 'retry-after': value }, WALL_TIME), waitMs);
  });

test('without the header there is nothing to wait for', () => assert.equal(retryAfterMs({}, WALL_TIME), 0));

test('a date counts from the date of the response, whatever the time of the client', () => {
  const headers = { 'retry-after': 'Sun, 06 Nov 1994 08:49:47 GMT', date: NOW };
  assert.equal(retryAfterMs(headers, WALL_TIME + 86_400_000), 10_000);
});

test('no header makes a wait that is longer than a minute, or no number', () => {
  const text = fc.oneof(
    fc.string(),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
  );
  fc.assert(
    fc.property(text, text, (value, date) => {
      const waitMs = retryAfterMs({ 'retry-after': value, date }, WALL_TIME);
      assert.ok(waitMs >= 0 && waitMs <= 60_000, `${waitMs}`);
    }),
  );
});
