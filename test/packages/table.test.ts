import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { PROJECTS } from './projects.js';
import { markdownTable } from './table.js';

test('docs/packaging.md lists the projects that the packed package is proved in', () => {
  const page = readFileSync(new URL('../../docs/packaging.md', import.meta.url), 'utf8');
  assert.ok(page.includes(`\n${markdownTable(PROJECTS)}\n`), 'put in what `npm run test:packages -- --table` prints');
});
