/** What holds for the documents as texts. That their code runs: readme.test.ts. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brokenLinksOf, documentsOf, malformedLinksIn } from './support/markdown.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const MOST_WORDS = 1_500;

for (const document of documentsOf(root))
  test(`every link in ${document} leads to a file and a heading that exist`, () => {
    assert.deepEqual(brokenLinksOf(root, document), []);
    assert.deepEqual(malformedLinksIn(textOf(document)), []);
  });

test(`the README has fewer than ${MOST_WORDS} words`, () => {
  const words = textOf('README.md').trim().split(/\s+/).length;
  assert.ok(words < MOST_WORDS, `${words} words`);
});

test('the README links to every page of the documentation', () => {
  const readme = textOf('README.md');
  for (const document of documentsOf(root).filter((name) => name !== 'README.md' && !name.startsWith('examples/')))
    assert.ok(readme.includes(`](${document})`), `no link to ${document}`);
});

test('every example with a README is linked from the README or from a page of the documentation', () => {
  const texts = documentsOf(root).map(textOf);
  for (const document of documentsOf(root).filter((name) => name.startsWith('examples/')))
    assert.ok(
      texts.some((text) => text.includes(`${document})`) || text.includes(`${dirname(document)})`)),
      `no link to ${document}`,
    );
});

test('every file of lib, test, bench and examples that a document names exists', () => {
  const named = documentsOf(root).flatMap((document) =>
    Array.from(textOf(document).matchAll(/(?<![\w/.])(?:lib|test|bench|examples)\/[\w./-]+\.\w+/g), ([path]) => path),
  );
  // The example of CONTRIBUTING.md, which its reader is to write.
  const absent = [...new Set(named)].filter((path) => !existsSync(join(root, path)));
  assert.deepEqual(absent, ['lib/picker/first-ready.ts']);
});

function textOf(document: string): string {
  return readFileSync(join(root, document), 'utf8');
}
