import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clockTime,
  count,
  duration,
  kibibytes,
  mebibytes,
  percent,
  ratio,
  ratioWithInterval,
  seconds,
  significant,
} from './number-format.js';

test('durations have the unit that fits, and three significant digits', () => {
  assert.deepEqual([0, 0.34, 34.04, 999.4, 1_240, 12_400, 186_000].map(duration), [
    '0 ms',
    '340 µs',
    '34.0 ms',
    '999 ms',
    '1.24 s',
    '12.4 s',
    '3.10 min',
  ]);
  assert.equal(duration(Number.POSITIVE_INFINITY), 'never');
});

test('figures that were not measured show as a dash', () => {
  for (const format of [duration, percent, count, ratio, ratioWithInterval, kibibytes])
    assert.deepEqual([format(null), format(undefined)], ['–', '–']);
});

test('counts, shares, ratios and sizes show their unit', () => {
  assert.deepEqual([count(1_204), count(12.44)], ['1,204', '12.4']);
  assert.equal(percent(0.124), '12.4 %');
  assert.equal(ratio(1.031), '×1.03');
  assert.equal(ratioWithInterval({ value: 1.031, low: 0.98, high: 1.07 }), '×1.03 (0.98–1.07)');
  assert.deepEqual([kibibytes(1_536), kibibytes(1_536, 0), mebibytes(1_572_864)], ['1.5 KiB', '2 KiB', '1.5 MiB']);
  assert.deepEqual([seconds(1_234), seconds(1_234, 2)], ['1.2 s', '1.23 s']);
  assert.deepEqual([0, 0.5, 12.34, 1_234.5].map(significant), ['0', '0.50', '12.3', '1,235']);
});

test('clock times have hours only where there are any', () => {
  assert.deepEqual([0, 6_600, 754_000, 3_723_000].map(clockTime), ['0:00', '0:07', '12:34', '1:02:03']);
});
