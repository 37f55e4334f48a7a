/** What holds for the documents as texts. That their code runs: readme.test.ts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brokenLinksOf, documentsOf } from './support/markdown.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const MOST_WORDS = 1_500;

for (const document of documentsOf(root))
  test(`every link in ${document} leads to a file and a heading that exist`, () => {
    assert.deepEqual(brokenLinksOf(root, document), []);
  });

test(`the README has fewer than ${MOST_WORDS} words`, () => {
  const words = readFileSync(join(root, 'README.md'), 'utf8').trim().split(/\s+/).length;
  assert.ok(words < MOST_WORDS, `${words} words`);
});

test('the README links to every page of the documentation', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  for (const document of documentsOf(root).filter((name) => name !== 'README.md'))
    assert.ok(readme.includes(`](${document})`), `no link to ${document}`);
});
