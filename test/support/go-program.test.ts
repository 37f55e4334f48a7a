import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whatIsMissing } from './go-program.js';

const MISSING = 'tool is missing: it is built by …';

function programOf(ensureBuilt: () => string | null) {
  return { name: 'tool', ensureBuilt };
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
  assert.equal(whatIsMissing(failing, { CI: undefined }), 'tool could not be built: exit code 1');
  assert.throws(() => whatIsMissing(failing, { CI: 'true' }), /^Error: tool could not be built: exit code 1$/);
});
