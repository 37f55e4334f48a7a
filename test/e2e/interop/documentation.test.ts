/** What the documents say about the cases. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { INTEROP_CASES } from './case-table.js';

test('CONTRIBUTING.md names the interop test cases that run, and no others', () => {
  const [, section = ''] = textOf('CONTRIBUTING.md').split("### gRPC's interop test cases");
  const [, paragraph = ''] = /These cases run:\n\n(.+?)\n\n/s.exec(section) ?? [];
  const named = Array.from(paragraph.matchAll(/`(\w+)`/g), ([, name]) => name);
  assert.deepEqual(named.sort(), Object.keys(INTEROP_CASES).sort());
});

test('docs/behaviour.md has their number', () => {
  assert.match(textOf('docs/behaviour.md'), new RegExp(`\\b${Object.keys(INTEROP_CASES).length} of gRPC's own\\s`));
});

function textOf(document: string): string {
  return readFileSync(new URL(`../../../${document}`, import.meta.url), 'utf8');
}
