import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from './covers.js';
import { FAULTS } from './faults.js';
import { coveringTests, testsByFault } from './table.js';

test('each row of the table of faults has at least one test, and no test covers a row that does not exist', () => {
  const uncovered = [...testsByFault()].filter(([, tests]) => tests.length === 0).map(([fault]) => fault);
  assert.deepEqual(uncovered, [], `no test for ${uncovered.map((fault) => `${fault} (${FAULTS.get(fault)})`).join()}`);
});

test('the rows of the table of faults are in the order of their numbers, and have all numbers from 1 to 50', () => {
  const numbers = [...FAULTS.keys()];
  assert.deepEqual(
    numbers,
    numbers.toSorted((one, other) => one - other),
  );
  assert.deepEqual(
    numbers.slice(0, 50),
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
});

test('the title of a test is read from beside its `covers` call, be it in a call or in a table of cases', () => {
  // The name of the function is put together, or this file would seem to cover these rows.
  const source = [
    "test('a plain test', COVERS(7, 8), () => {});",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text.
    'it(`a test of ${what}`, COVERS(9), async (t) => {});',
    "const ROWS = [[COVERS(1), 'a case in an array', 5]];",
    "const CASES = { 'a case under a key': { faults: COVERS(2), value: 3 }, other: { faults: COVERS(3) } };",
    "const LIST = [{ title: 'a case with a title', faults: COVERS(4) }];",
    "test('a test with options', { ...COVERS(5), skip }, () => {});",
    "describe('a group', () => { it('not covered', () => {}); });",
  ].join('\n');
  assert.deepEqual(coveringTests('x.test.ts', source.replaceAll('COVERS', 'covers')), [
    { file: 'x.test.ts', title: 'a plain test', faults: [7, 8] },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the title as it stands in the source.
    { file: 'x.test.ts', title: 'a test of ${what}', faults: [9] },
    { file: 'x.test.ts', title: 'a case in an array', faults: [1] },
    { file: 'x.test.ts', title: 'a case under a key', faults: [2] },
    { file: 'x.test.ts', title: 'other', faults: [3] },
    { file: 'x.test.ts', title: 'a case with a title', faults: [4] },
    { file: 'x.test.ts', title: 'a test with options', faults: [5] },
  ]);
});

test('a `covers` call without a title beside it or with anything but numerals is an error', () => {
  for (const source of ['COVERS(7);', "test('x', COVERS(), f);", "test('x', COVERS(n), f);", 'f(COVERS(1));'])
    assert.throws(() => coveringTests('x.test.ts', source.replaceAll('COVERS', 'covers')), SyntaxError, source);
});

test('covering a row that does not exist is an error where the test stands', () => {
  const missing = Math.max(...FAULTS.keys()) + 1;
  const cover: (fault: number) => unknown = covers;
  assert.throws(() => cover(missing), RangeError);
});
