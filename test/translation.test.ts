/** README.zh-CN.md says what README.md says: what can be compared without reading either language is equal, section by section. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { codeBlocksOf, linksIn, withoutCode } from './support/markdown.js';

const english = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const chinese = readFileSync(new URL('../README.zh-CN.md', import.meta.url), 'utf8');

/** The text before the first heading of a section, and then one text for each heading, which is its first line. */
function sectionsOf(markdown: string): string[] {
  return withoutCode(markdown).split(/^(?=#{1,6} )/m);
}

function levelsOf(markdown: string): string[] {
  return sectionsOf(markdown).map((section) => /^#*/.exec(section)?.[0] ?? '');
}

/** Each README links to the other at its top. */
function targetsOf(section: string): string[] {
  return linksIn(section).map((link) => link.replace(/^README(\.zh-CN)?\.md$/, 'the other README'));
}

function codeSpansOf(section: string): string[] {
  return Array.from(section.matchAll(/`([^`\n]+)`/g), ([, code]) => code as string).toSorted();
}

/** Figures of the prose, in any order, since languages differ in it. Those that are parts of names are not counted. */
function figuresOf(section: string): string[] {
  const prose = section.replace(/`[^`\n]*`/g, '').replace(/\]\([^)\s]+\)/g, ']');
  return Array.from(
    prose.matchAll(/(?<![\p{Script=Latin}\d.])[×^]?\d+(?:[.,]\d+)*/gu),
    ([figure]) => figure,
  ).toSorted();
}

function rowsOf(markdown: string): string[][] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('`') && line.includes(' | '))
    .map((line) => line.split(' | '));
}

test('both READMEs have the same headings: as many, of the same levels', () => {
  assert.deepEqual(levelsOf(chinese), levelsOf(english));
});

test('both READMEs have the same blocks of code', () => {
  assert.deepEqual(codeBlocksOf(chinese), codeBlocksOf(english));
});

for (const [index, section] of sectionsOf(english).entries()) {
  const [title] = section.split('\n', 1) as [string];
  const translated = sectionsOf(chinese)[index] ?? '';

  test(`"${title}" has the same links in both languages, in the same order`, () => {
    assert.deepEqual(targetsOf(translated), targetsOf(section));
  });

  test(`"${title}" has the same names and values, written as code, in both languages`, () => {
    assert.deepEqual(codeSpansOf(translated), codeSpansOf(section));
  });

  test(`"${title}" has the same figures in both languages`, () => {
    assert.deepEqual(figuresOf(translated), figuresOf(section));
  });

  test(`"${title}" has as many items of lists and as much bold text in both languages`, () => {
    const shapeOf = (text: string) => [text.match(/^- /gm)?.length, text.match(/\*\*[^*]+\*\*/g)?.length];
    assert.deepEqual(shapeOf(translated), shapeOf(section));
  });

  test(`"${title}" has text of its own in Chinese, and about as much`, () => {
    const characters = translated.match(/\p{Script=Han}/gu)?.length ?? 0;
    const words = withoutTable(section).match(/\p{Script=Latin}{3,}/gu)?.length ?? 0;
    assert.ok(title.startsWith('# ') || characters > words / 2, `${characters} characters for ${words} words`);
  });
}

function withoutTable(section: string): string {
  return section
    .replace(/^`.* \| .*$/gm, '')
    .replace(/\]\([^)\s]+\)/g, ']')
    .replace(/`[^`\n]*`/g, '');
}

test('both tables have the same options with the same default values', () => {
  const [ours, theirs] = [rowsOf(english), rowsOf(chinese)];
  assert.deepEqual(
    theirs.map(([option]) => option),
    ours.map(([option]) => option),
  );
  const values = (rows: string[][]) =>
    rows.map(([, value = '']) => (/^`[^`]*`$/.test(value) ? value : codeSpansOf(value)));
  assert.deepEqual(values(theirs), values(ours));
});

test('each README names the other in its first lines', () => {
  assert.match(english, /^# grpc-headless\n\nEnglish \| \[简体中文\]\(README\.zh-CN\.md\)\n/);
  assert.match(chinese, /^# grpc-headless\n\n\[English\]\(README\.md\) \| 简体中文\n/);
});
