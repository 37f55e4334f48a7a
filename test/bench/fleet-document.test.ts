import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { withTables } from '../../bench/fleet/document.js';
import type { FleetCell } from '../../bench/fleet/show.js';
import type { Result } from '../../bench/harness/result.js';

const page = readFileSync(new URL('../../docs/fleet.md', import.meta.url), 'utf8');

const figures = { calmMean: 38, calmWorst: 50, worst: 76, worstAnswered: 76, settledWorst: 40 };
const cell = (scenario: FleetCell['scenario'], clients: number, client = 'phased'): FleetCell => ({
  scenario,
  clients,
  client,
  pods: 7,
  replicas: 2,
  cacheTtl: 0,
  ...figures,
});
const result = {
  parameters: { replicaQps: 11_000 },
  cells: [cell('rollout', 100), cell('rollout', 200), cell('restart', 200)],
} as unknown as Result<FleetCell>;

test('docs/fleet.md has a row for each event with the most clients that were simulated, and for each rule', () => {
  assert.match(page, /a rolling update of all pods in 60 s \| 10,000, 1,000 \| phased /);
  assert.match(page, /DNS refuses all queries for 10 s \| 10,000, 1,000 \| phased /);
  assert.match(page, /\| adaptive \|/);
  assert.match(page, /\| plain poll \|/);
});

test('tables are written between the markers, and those that stood there are replaced', () => {
  const written = withTables(page, result);
  assert.match(written, /\| a rolling update of all pods in 60 s \| 200, 7 \| phased \| 38 \| ×2\.00 \|/);
  assert.doesNotMatch(written, /\| 100, 7 \|/, 'the most clients alone');
  assert.doesNotMatch(written, /10,000, 1,000/);
  assert.equal(withTables(written, result), written);
  const outside = (text: string): string => text.replace(/<!-- Written[\s\S]*End of the tables -->/, '');
  assert.equal(outside(written), outside(page), 'nothing else changes');
});

test('a text without a place for the tables is refused', () => {
  assert.throws(() => withTables('# A page without tables', result), RangeError);
});
