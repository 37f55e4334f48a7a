/** What holds for the examples as texts. That they run: main.ts. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeBlocksOf } from '../support/markdown.js';
import { EXAMPLES, EXAMPLES_FOLDER } from './examples.js';

const ROOT = join(EXAMPLES_FOLDER, '..');
const page = readFileSync(join(ROOT, 'docs', 'stubs.md'), 'utf8');

function sourcesOf(name: string): string[] {
  const folder = join(EXAMPLES_FOLDER, name, 'src');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'));
}

function withoutIndent(text: string): string {
  return text.replace(/^ +/gm, '');
}

test('every project in examples/ is run by npm run test:examples', () => {
  const projects = readdirSync(EXAMPLES_FOLDER).filter((name) =>
    existsSync(join(EXAMPLES_FOLDER, name, 'package.json')),
  );
  assert.deepEqual(projects.toSorted(), EXAMPLES.map(({ name }) => name).toSorted());
});

test('all examples have the same hello.proto', () => {
  const [first, ...others] = EXAMPLES.map(({ name }) =>
    readFileSync(join(EXAMPLES_FOLDER, name, 'hello.proto'), 'utf8'),
  );
  for (const other of others) assert.equal(other, first);
});

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

for (const { name, proof } of EXAMPLES) {
  test(`the example ${name} depends on this version of the package`, () => {
    const manifest = JSON.parse(readFileSync(join(EXAMPLES_FOLDER, name, 'package.json'), 'utf8'));
    assert.equal(manifest.dependencies['grpc-headless'], `^${version}`);
    assert.equal(manifest.private, true);
  });

  test(`the README of the example ${name} has the command that runs it`, () => {
    const readme = readFileSync(join(EXAMPLES_FOLDER, name, 'README.md'), 'utf8');
    assert.ok(readme.includes(`npm run test:examples -- ${name}\n`));
  });

  test(`docs/stubs.md links to the example ${name}`, () =>
    assert.ok(page.includes(`](../examples/${name}/README.md)`)));

  if (proof === 'pods')
    test(`the program of the example ${name} marks its changed line`, () =>
      assert.ok(sourcesOf(name).some((source) => /\/\/ The (first |)changed line/.test(source))));
}

test('every block of code in docs/stubs.md is in the source of an example', () => {
  const sources = EXAMPLES.flatMap(({ name }) => sourcesOf(name)).map(withoutIndent);
  const blocks = codeBlocksOf(page);
  assert.ok(blocks.length >= EXAMPLES.length, `${blocks.length} blocks`);
  for (const { code } of blocks)
    assert.ok(
      sources.some((source) => source.includes(withoutIndent(code))),
      `no example has this:\n${code}`,
    );
});
