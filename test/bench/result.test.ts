import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { asJson, PUBLISHED, Recording } from '../../bench/harness/result.js';

test('a result as JSON keeps six digits of a figure and three of the points of a curve', () => {
  const cells = [{ mean: 1234.5678, values: [1234.5678, 0.123456, 86_400], never: Number.POSITIVE_INFINITY }];
  const text = asJson(new Recording('intervals', { mode: 'short', seed: 7 }).finish({ ratio: 1 / 3 }, cells));
  const { cells: written, parameters, seed } = JSON.parse(text);
  assert.deepEqual(written, [{ mean: 1234.57, values: [1230, 0.123, 86_400], never: null }]);
  assert.deepEqual(parameters, { ratio: 0.333333 });
  assert.equal(seed, 7);
});

test('a long list of numbers takes one line of a result', () => {
  const values = Array.from({ length: 300 }, (_, index) => index);
  const text = asJson(new Recording('tail', { mode: 'short', seed: 1 }).finish({}, [{ values }]));
  assert.ok(text.includes(`"values": [${values.join(',')}]\n`));
});

test('the published results are summaries and charts, under 200 KB in all', () => {
  const names = readdirSync(PUBLISHED);
  assert.deepEqual(
    names.filter((name) => !/\.(?:json|svg)$/.test(name)),
    [],
  );
  const octets = names.reduce((sum, name) => sum + statSync(new URL(name, PUBLISHED)).size, 0);
  assert.ok(octets < 200_000, `${octets} octets`);
});

test('publishing a published result again changes nothing', () => {
  for (const name of readdirSync(PUBLISHED).filter((file) => file.endsWith('.json'))) {
    const text = readFileSync(new URL(name, PUBLISHED), 'utf8');
    assert.equal(asJson(JSON.parse(text)), text, name);
  }
});
