/** The compiler's proof that a schema and its interface agree: each `@ts-expect-error` is a disagreement it must see. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integer, milliseconds, number, oneOf, servers } from '../../lib/options/checks.js';
import type { Schema, SettingsOf } from '../../lib/options/entry.js';
import { readGroup } from '../../lib/options/group.js';

/** Groups of each kind: always present, absent unless given, switched by a boolean, and groups inside groups. */
interface Sample {
  plain?: { size?: number | undefined; inner?: { depth?: number | undefined } | undefined } | undefined;
  zone?: { name: 'a' | 'b'; mode?: 'prefer' | 'pin' | undefined } | undefined;
  outlier?: boolean | { intervalMs?: number | undefined } | undefined;
  servers?: readonly string[] | undefined;
}

const doc = 'A sentence.';
const size = { doc, check: number(0, 10), default: 1 };
const plain = {
  doc,
  default: {},
  members: { size, inner: { doc, default: {}, members: { depth: { doc, check: integer(0, 9), default: 3 } } } },
};
const zone = {
  doc,
  default: null,
  members: { name: { doc, check: oneOf('a', 'b') }, mode: { doc, check: oneOf('prefer', 'pin'), default: 'prefer' } },
} as const;
const outlier = {
  doc,
  default: false,
  members: { intervalMs: { doc, check: milliseconds(10, 1_000), default: 100 } },
} as const;
const list = { doc, check: servers, default: null, unset: 'others' };

const SAMPLE = { plain, zone, outlier, servers: list } satisfies Schema<Sample>;

/** The settings expected, written out: each must be assignable to the other. */
interface SampleSettings {
  readonly plain: { readonly size: number; readonly inner: { readonly depth: number } };
  readonly zone: { readonly name: 'a' | 'b'; readonly mode: 'prefer' | 'pin' } | null;
  readonly outlier: { readonly intervalMs: number } | null;
  readonly servers: readonly { readonly host: string; readonly port: number }[] | null;
}

function read(value: unknown): SampleSettings {
  const settings: SettingsOf<typeof SAMPLE> = readGroup(SAMPLE, value, 'sample');
  const sameType: SampleSettings = settings;
  return sameType satisfies SettingsOf<typeof SAMPLE>;
}

function refusal(value: unknown): string {
  try {
    read(value);
  } catch (error) {
    return (error as Error).message;
  }
  throw new assert.AssertionError({ message: 'the options were accepted' });
}

test('a schema that lacks an option of its interface, or has one more, does not compile', () => {
  // @ts-expect-error no servers
  void ({ plain, zone, outlier } satisfies Schema<Sample>);
  // @ts-expect-error no such option
  void ({ ...SAMPLE, more: size } satisfies Schema<Sample>);
  // @ts-expect-error no inner group
  void ({ ...SAMPLE, plain: { doc, default: {}, members: { size } } } satisfies Schema<Sample>);
  // @ts-expect-error no such option in the inner group
  void ({ ...SAMPLE, plain: { ...plain, members: { ...plain.members, more: size } } } satisfies Schema<Sample>);
});

test('a check that takes more or fewer values than the type of its option does not compile', () => {
  type Zone = Schema<NonNullable<Sample['zone']>>;
  void ({ doc, check: oneOf('a', 'b') } satisfies Zone['name']);
  // @ts-expect-error too few
  void ({ doc, check: oneOf('a') } satisfies Zone['name']);
  // @ts-expect-error too many
  void ({ doc, check: oneOf('a', 'b', 'c') } satisfies Zone['name']);
  // @ts-expect-error another type
  void ({ doc, check: number(0, 1) } satisfies Zone['name']);
});

test('a default of the wrong type, or missing, or given to a required option, does not compile', () => {
  type Zone = Schema<NonNullable<Sample['zone']>>;
  // @ts-expect-error wrong type
  void ({ doc, check: oneOf('prefer', 'pin'), default: 'other' } satisfies Zone['mode']);
  // @ts-expect-error missing
  void ({ doc, check: oneOf('prefer', 'pin') } satisfies Zone['mode']);
  // @ts-expect-error null without the text for the documentation
  void ({ doc, check: oneOf('prefer', 'pin'), default: null } satisfies Zone['mode']);
  // @ts-expect-error the option is required
  void ({ doc, check: oneOf('a', 'b'), default: 'a' } satisfies Zone['name']);
  // @ts-expect-error the group takes no boolean
  void ({ ...zone, default: false } satisfies Schema<Sample>['zone']);
});

test('an empty group of options gives the defaults, however deep, and null for what is off', () => {
  const defaults = { plain: { size: 1, inner: { depth: 3 } }, zone: null, outlier: null, servers: null };
  for (const value of [undefined, {}, { plain: {} }, { plain: { inner: {} } }, { zone: undefined, outlier: false }])
    assert.deepEqual(read(value), defaults);
});

test('a group inside a group is read and checked like any other', () => {
  assert.deepEqual(read({ plain: { inner: { depth: 5 } } }).plain, { size: 1, inner: { depth: 5 } });
  assert.match(refusal({ plain: { inner: { depth: -1 } } }), /^option sample\.plain\.inner\.depth must be .* got -1$/);
  assert.match(refusal({ plain: { inner: { dept: 1 } } }), /^unknown option sample\.plain\.inner\.dept .*"depth"\?$/);
  assert.match(refusal({ plain: { inner: null } }), /^option sample\.plain\.inner must be an object, got null$/);
});

test('a group that takes a boolean is off, has its defaults, or has what is given', () => {
  assert.equal(read({ outlier: false }).outlier, null);
  assert.deepEqual(read({ outlier: true }).outlier, { intervalMs: 100 });
  assert.deepEqual(read({ outlier: {} }).outlier, { intervalMs: 100 });
  assert.deepEqual(read({ outlier: { intervalMs: 20 } }).outlier, { intervalMs: 20 });
  for (const value of [null, 1, 'true', []])
    assert.match(refusal({ outlier: value }), /^option sample\.outlier must be true, false or an object, got /);
});

test('a group that is absent unless given needs its required options', () => {
  assert.deepEqual(read({ zone: { name: 'a' } }).zone, { name: 'a', mode: 'prefer' });
  assert.match(refusal({ zone: {} }), /^option sample\.zone\.name must be one of "a", "b", got undefined$/);
  for (const value of [null, true, false])
    assert.match(refusal({ zone: value }), /^option sample\.zone must be an object, got /);
});

test('an unknown name is reported before a wrong value, wherever both are', () => {
  assert.match(refusal({ plain: { size: -1, inner: { dept: 1 } } }), /^unknown option/);
  assert.match(refusal({ plain: { size: -1 }, more: 1 }), /^unknown option sample\.more/);
});
