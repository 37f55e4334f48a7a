import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, type Sample } from './resource-samples.js';

const MIB = 2 ** 20;

/** A hundred samples whose heap goes from one size to another, in a straight line. */
function samples(firstMib: number, lastMib: number, changes: Partial<Sample> = {}): Sample[] {
  return Array.from({ length: 101 }, (_, index) => ({
    progress: index / 100,
    heapBytes: (firstMib + ((lastMib - firstMib) * index) / 100) * MIB,
    rssBytes: 100 * MIB,
    handles: 60,
    sockets: 5,
    ...changes,
  }));
}

function grown(list: readonly Sample[]): string[] {
  return compare(list)
    .filter(({ flat }) => !flat)
    .map(({ measure }) => measure);
}

test('what stays, wobbles or shrinks is flat', () => {
  assert.deepEqual(grown(samples(20, 20)), []);
  assert.deepEqual(grown(samples(20, 23)), []);
  assert.deepEqual(grown(samples(40, 20)), []);
});

test('what grows is named', () => {
  assert.deepEqual(grown(samples(20, 40)), ['heapBytes']);
  const leaking = samples(20, 20).map((sample) => ({ ...sample, sockets: 5 + 40 * sample.progress }));
  assert.deepEqual(grown(leaking), ['sockets']);
});

test('a run without a sample in its first or last tenth proves nothing', () => {
  assert.throws(() => compare(samples(20, 20).slice(20)), /first or in the last tenth/);
});
