import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whatIsMissing } from './go-program.js';

const HOW_TO_BUILD = 'it is built by …';
const MISSING = `tool is missing: ${HOW_TO_BUILD}`;

function programOf(ensureBuilt: () => string | null) {
  return { name: 'tool', howToBuild: HOW_TO_BUILD, ensureBuilt };
}

const failing = programOf(() => {
  throw new Error('exit code 1');
});

test('nothing is missing of a program that is built', () => {
  assert.equal(whatIsMissing(programOf(() => null)), null);
});

test('a program that cannot be built without Go is missing, where CI is set too', () => {
  for (const CI of [undefined, 'true'])
    assert.equal(
      whatIsMissing(
        programOf(() => MISSING),
        { CI },
      ),
      MISSING,
    );
});

test('a build that fails is a sentence, and an error where CI is set', () => {
  assert.equal(whatIsMissing(failing, { CI: undefined }), 'tool could not be built (exit code 1): it is built by …');
  assert.throws(
    () => whatIsMissing(failing, { CI: 'true' }),
    /^Error: tool could not be built \(exit code 1\): it is built by …$/,
  );
});
