import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokenLinksOf, codeBlocksOf, documentsOf, malformedLinksIn, sideOf } from './markdown.js';

test('a link to a missing file or heading, or out of the repository, is broken', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'grpc-headless-markdown-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'docs'));
  writeFileSync(
    join(root, 'docs/other.md'),
    "# Title\n\n## grpc-js's `options`\n\n## Twice\n\n## Twice\n\n```\n# no heading\n```\n",
  );
  const good = [
    'docs/other.md',
    'docs',
    'docs/other.md#title',
    'docs/other.md#grpc-jss-options',
    'docs/other.md#twice-1',
  ];
  const bad = ['other.md', '#missing', 'docs/other.md#no-heading', 'docs/other.md#twice-2', '../outside.md'];
  const more =
    'https://example.org/ is not followed: [x](https://example.org/), nor code: `[x](y)`\n```\n[x](z)\n```\n';
  const links = [...good, ...bad].map((link) => `[text](${link})`).join('\n');
  writeFileSync(join(root, 'README.md'), `# Here\n\n[up](#here) ![chart](docs/other.md)\n${links}\n${more}`);
  assert.deepEqual(brokenLinksOf(root, 'README.md'), bad);
  assert.deepEqual(documentsOf(root).at(-1), 'docs/other.md');
  mkdirSync(join(root, 'examples/a'), { recursive: true });
  mkdirSync(join(root, 'examples/b'));
  writeFileSync(join(root, 'examples/b/README.md'), '# B');
  assert.deepEqual(documentsOf(root).slice(-2), ['docs/other.md', 'examples/b/README.md']);
});

test('a code block has the name in the comment before it', () => {
  const text = '<!-- door: factory -->\n```ts\nconst a = 1;\n```\n\n```sh\nnpm ci\n```\n';
  assert.deepEqual(codeBlocksOf(text), [
    { name: 'factory', language: 'ts', code: 'const a = 1;\n' },
    { name: null, language: 'sh', code: 'npm ci\n' },
  ]);
});

test('the two sides of a diff are what stands in it before and after the change', () => {
  const diff = ' same\n-old\n+new\n+newer\n same\n';
  assert.equal(sideOf(diff, 'before'), 'same\nold\nsame\n');
  assert.equal(sideOf(diff, 'after'), 'same\nnew\nnewer\nsame\n');
});

test('a link to another site has to be an https address', () => {
  const good = ['https://example.org/', 'https://example.org/a#b', 'docs/other.md', '#here'];
  const bad = ['http://example.org/', 'https://', 'https://example', 'https://user@example.org/', 'file:///etc'];
  assert.deepEqual(malformedLinksIn([...good, ...bad].map((link) => `[text](${link})`).join('\n')), bad);
});
