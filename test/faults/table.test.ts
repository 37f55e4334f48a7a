import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAULTS, faultsIn, testsByFault } from './table.js';

test('each row of the table of faults is named by a test at least', () => {
  const uncovered = [...testsByFault()].filter(([, tests]) => tests.length === 0).map(([row]) => row);
  assert.deepEqual(uncovered, [], `no test for ${uncovered.map((row) => `${row} (${FAULTS[row - 1]})`).join(', ')}`);
  assert.equal(FAULTS.length, 50);
});

test('numbers are read out of a name in whatever way they are listed', () => {
  const cases: readonly [name: string, faults: readonly number[]][] = [
    ['fault 7: a chain', [7]],
    ['shuffled records change nothing (fault 28)', [28]],
    ['Faults 23 and 34: all DNS down', [23, 34]],
    ['faults 2, 4, 5: whatever is not the reply', [2, 4, 5]],
    ['faults 1, 4, and 5', [1, 4, 5]],
    ['faults 8-10 and 12 to 14', [8, 9, 10, 12, 13, 14]],
    ['by default 5 pods', []],
    ['the fault of 7', []],
  ];
  for (const [name, faults] of cases) assert.deepEqual(faultsIn(name), faults, name);
});
