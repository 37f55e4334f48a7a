import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { number, oneOf } from '../../lib/options/checks.js';
import { isGroup } from '../../lib/options/entry.js';
import { SCHEMA } from '../../lib/options/schema.js';
import { CHINESE, chinese } from './chinese.js';
import { entriesOf, optionsOverview, optionsTable, withComments, withTable } from './documentation.js';

const REMEDY = 'run `npm run options -- --write`';

function fileText(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

const TABLES: Readonly<Record<string, (members: typeof SCHEMA) => string>> = {
  'README.md': (members) => optionsOverview(members),
  'README.zh-CN.md': (members) => optionsOverview(members, chinese),
  'docs/options.md': optionsTable,
};

for (const [path, makeTable] of Object.entries(TABLES)) {
  test(`the table of options in ${path} is the one that the schema makes`, () => {
    const text = fileText(path);
    assert.equal(text, withTable(text, makeTable(SCHEMA)), REMEDY);
  });
}

test('every text of the overview has a Chinese translation, and no translation is left over', () => {
  const used = new Set<string>();
  optionsOverview(SCHEMA, (english) => {
    used.add(english);
    return english;
  });
  assert.deepEqual(
    [...used].filter((english) => !Object.hasOwn(CHINESE, english)),
    [],
    'add them to test/options/chinese.ts',
  );
  assert.deepEqual(
    Object.keys(CHINESE).filter((english) => !used.has(english)),
    [],
    'take them out of test/options/chinese.ts',
  );
});

test('the comments of HeadlessOptions are those that the schema makes', () => {
  const source = fileText('lib/options/headless-options.ts');
  assert.equal(source, withComments(source, 'HeadlessOptions', SCHEMA), REMEDY);
});

for (const [path, entry] of entriesOf(SCHEMA)) {
  test(`headless.${path} is documented in whole sentences`, () => {
    assert.match(entry.doc, /^[A-Z`].{10,}\.$/);
    if (!isGroup(entry)) assert.ok(entry.check.allowed.length > 0);
  });

  if (isGroup(entry)) continue;
  // A required option has none.
  if (!('default' in entry)) continue;
  test(`headless.${path} has a default that passes its own check, or a text that says what applies`, () => {
    if (entry.default === null) assert.ok('unset' in entry && entry.unset && entry.unset.length > 0);
    else assert.deepEqual(entry.check.read(entry.default, path), entry.default);
  });
}

const doc = 'What it means.';
const sample = {
  plain: { doc: 'A group.', default: {}, members: { size: { doc, check: number(0, 9), default: 1 } } },
  zone: { doc, default: null, members: { name: { doc, check: oneOf('a', 'b') } } },
  outlier: { doc, default: false, members: {} },
  file: { doc: 'One | the other.', check: number(0, 1), default: null, unset: 'another' },
};

test('the table has a row for each option and for each group that may be off, with `|` escaped', () => {
  assert.deepEqual(optionsTable(sample).split('\n').slice(2), [
    '`plain.size` | `1` | 0 to 9 | What it means.',
    '`zone` | unset | an object | What it means.',
    "`zone.name` | none, it is required | `'a'`, `'b'` | What it means.",
    '`outlier` | `false` | `true`, `false` or an object | What it means.',
    '`file` | another | 0 to 1 | One \\| the other.',
    '',
  ]);
});

test('the overview has the first sentence of each option', () => {
  const options = {
    share: { doc: 'At most 0.5 of them. More would be `too many`.', check: number(0, 1), default: 0.5 },
    ...sample,
  };
  assert.deepEqual(optionsOverview(options).split('\n').slice(2, 4), [
    '`share` | `0.5` | At most 0.5 of them.',
    '`plain.size` | `1` | What it means.',
  ]);
});

test('in the overview a group that may be off has one row, with the names of its members', () => {
  assert.deepEqual(optionsOverview(sample).split('\n').slice(3, 5), [
    '`zone` | unset | What it means. Members: `name`.',
    '`outlier` | `false` | What it means.',
  ]);
});

test('the overview in other words keeps the names of options and the defaults that are values', () => {
  assert.deepEqual(
    optionsOverview(sample, (english) => `<${english}>`)
      .split('\n')
      .slice(0, 4),
    [
      '<option> | <default> | <meaning>',
      '--- | --- | ---',
      '`plain.size` | `1` | <What it means.>',
      '`zone` | <unset> | <What it means.> <Members:> `name`.',
    ],
  );
});

test('comments are put before each property, at any depth, and replace those that are there', () => {
  const bare = [
    'interface Other { size?: number }',
    'interface Sample {',
    '  plain?: {',
    '    /** Old. */',
    '    size?: number;',
    '  } | undefined;',
    '  zone?: {',
    "    name: 'a' | 'b';",
    '  };',
    '}',
  ].join('\n');
  const commented = withComments(bare, 'Sample', sample);
  assert.deepEqual(commented.split('\n'), [
    'interface Other { size?: number }',
    'interface Sample {',
    '  /** A group. */',
    '  plain?: {',
    '    /** What it means. Default: `1`. Allowed: 0 to 9. */',
    '    size?: number;',
    '  } | undefined;',
    '  /** What it means. Default: unset. Allowed: an object. */',
    '  zone?: {',
    "    /** What it means. Default: none, it is required. Allowed: `'a'`, `'b'`. */",
    "    name: 'a' | 'b';",
    '  };',
    '}',
  ]);
  assert.equal(withComments(commented, 'Sample', sample), commented);
});

test('a property without an entry in the schema, and a text without the markers, are errors', () => {
  assert.throws(() => withComments('interface Sample { more?: 1 }', 'Sample', sample), /no entry for more/);
  assert.throws(() => withTable('no markers', ''), /options:begin/);
});
