import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { withTables } from '../../bench/fleet/document.js';
import type { FleetCell } from '../../bench/fleet/show.js';
import { PUBLISHED, type Result } from '../../bench/harness/result.js';

const published = JSON.parse(readFileSync(new URL('fleet.json', PUBLISHED), 'utf8')) as Result<FleetCell>;
const page = readFileSync(new URL('../../docs/fleet.md', import.meta.url), 'utf8');

test('the tables of docs/fleet.md are those of the published result', () => {
  assert.equal(withTables(page, published), page);
});

test('the published simulation has a row for each event with the most clients that were simulated', () => {
  assert.match(page, /a rolling update of all pods in 60 s \| 10,000, 1,000 /);
  assert.match(page, /DNS refuses all queries for 10 s \| 10,000, 1,000 /);
});

test('other tables than the published ones are replaced, and a text without a place for them is refused', () => {
  const other = page.replace(/\| 10,000, 1,000 \|/g, '| 1, 1 |');
  assert.notEqual(other, page);
  assert.equal(withTables(other, published), page);
  assert.throws(() => withTables('# A page without tables', published), RangeError);
});
