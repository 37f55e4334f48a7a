/**
 * Prints the table of options: `npm run options`. With `-- --write` it is written to docs/options.md instead, a
 * shorter one to both READMEs, and the comments to the type HeadlessOptions.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { SCHEMA } from '../../lib/options/schema.js';
import { chinese } from './chinese.js';
import { optionsOverview, optionsTable, withComments, withTable } from './documentation.js';

if (process.argv.includes('--write')) {
  rewrite('README.md', (text) => withTable(text, optionsOverview(SCHEMA)));
  rewrite('README.zh-CN.md', (text) => withTable(text, optionsOverview(SCHEMA, chinese)));
  rewrite('docs/options.md', (text) => withTable(text, optionsTable(SCHEMA)));
  rewrite('lib/options/headless-options.ts', (text) => withComments(text, 'HeadlessOptions', SCHEMA));
} else process.stdout.write(optionsTable(SCHEMA));

function rewrite(path: string, change: (text: string) => string): void {
  const file = new URL(`../../${path}`, import.meta.url);
  const text = readFileSync(file, 'utf8');
  const changed = change(text);
  if (changed !== text) writeFileSync(file, changed);
  console.log(`${path} ${changed === text ? 'is up to date' : 'was updated'}`);
}
