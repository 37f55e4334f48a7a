import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  applyResolution,
  difference,
  EMPTY_MEMBERSHIP,
  type EmptyRule,
  type Membership,
} from '../../lib/discovery/membership.js';
import type { Outcome, OutcomeSource } from '../../lib/dns/resolution.js';
import { empty, failed, found, resolution } from '../support/scripted-resolver.js';

type Answers = Partial<Record<OutcomeSource, Outcome>>;

function after(...answers: Answers[]): Membership {
  return answers.reduce<Membership>(
    (before, answer) => applyResolution(before, resolution(answer), 'keep').membership,
    EMPTY_MEMBERSHIP,
  );
}

const sorted = (addresses: readonly string[]): string[] => [...addresses].sort();

const [a, b, c] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
const [x, y] = ['fd00::1', 'fd00::2'];
const CODE = 'ERR_HEADLESS_DNS_';

interface Rule {
  before?: Answers[];
  answer: Answers;
  rule?: EmptyRule;
  set: string[];
  changed: boolean;
  error?: string;
  ttlMs?: number;
  failed?: boolean;
}

const AB: Answers = { A: found([a, b]) };
const DUAL: Answers = { A: found([a]), AAAA: found([x]) };

const rules: Record<string, Rule> = {
  'the first answer is the set': { answer: AB, set: [a, b], changed: true, ttlMs: 5_000 },
  'an answer replaces the set': {
    before: [AB],
    answer: { A: found([b, c]) },
    set: [b, c],
    changed: true,
    ttlMs: 5_000,
  },
  'records shuffled are the same set (fault 28)': {
    before: [AB],
    answer: { A: found([b, a]) },
    set: [a, b],
    changed: false,
    ttlMs: 5_000,
  },
  'records repeated are the same set (fault 28)': {
    before: [AB],
    answer: { A: found([b, a, b, b]) },
    set: [a, b],
    changed: false,
    ttlMs: 5_000,
  },
  'a failure keeps the set (fault 23)': {
    before: [AB],
    answer: { A: failed('SERVFAIL') },
    set: [a, b],
    changed: false,
    error: 'SERVFAIL',
    failed: true,
  },
  'a failure keeps the set under drop too (fault 23)': {
    before: [AB],
    answer: { A: failed('TIMEOUT') },
    rule: 'drop',
    set: [a, b],
    changed: false,
    error: 'TIMEOUT',
    failed: true,
  },
  'NXDOMAIN keeps a working set, and is told (fault 24)': {
    before: [AB],
    answer: { A: empty('NXDOMAIN') },
    set: [a, b],
    changed: false,
    error: 'NXDOMAIN',
  },
  'NODATA keeps a working set, and is told (fault 24)': {
    before: [AB],
    answer: { A: empty('NODATA'), AAAA: empty('NODATA') },
    set: [a, b],
    changed: false,
    error: 'NODATA',
  },
  'NXDOMAIN empties the set under drop (fault 24)': {
    before: [AB],
    answer: { A: empty('NXDOMAIN') },
    rule: 'drop',
    set: [],
    changed: true,
    error: 'NXDOMAIN',
  },
  'NODATA of both families empties the set under drop (fault 24)': {
    before: [DUAL],
    answer: { A: empty('NODATA'), AAAA: empty('NODATA') },
    rule: 'drop',
    set: [],
    changed: true,
    error: 'NODATA',
  },
  'NXDOMAIN at cold start changes nothing (fault 25)': {
    answer: { A: empty('NXDOMAIN') },
    rule: 'drop',
    set: [],
    changed: false,
    error: 'NXDOMAIN',
  },
  'a failure at cold start changes nothing': {
    answer: { A: failed('REFUSED') },
    set: [],
    changed: false,
    error: 'REFUSED',
    failed: true,
  },
  'addresses kept through NXDOMAIN go with the next answer that has any': {
    before: [AB, { A: empty('NXDOMAIN') }],
    answer: { A: found([c]) },
    set: [c],
    changed: true,
    ttlMs: 5_000,
  },
  'both families make one set, and the shorter TTL counts': {
    answer: { A: found([a], { ttlMs: 9_000 }), AAAA: found([x], { ttlMs: 7_000 }) },
    set: [a, x],
    changed: true,
    ttlMs: 7_000,
  },
  'A answered and AAAA failed: A is updated, AAAA kept (fault 26)': {
    before: [DUAL],
    answer: { A: found([b]), AAAA: failed() },
    set: [b, x],
    changed: true,
    error: 'SERVFAIL',
    ttlMs: 5_000,
  },
  'AAAA answered and A failed: AAAA is updated, A kept (fault 26)': {
    before: [DUAL],
    answer: { A: failed(), AAAA: found([y]) },
    set: [a, y],
    changed: true,
    error: 'SERVFAIL',
    ttlMs: 5_000,
  },
  'A empty and AAAA failed: what AAAA had is kept (fault 26)': {
    before: [DUAL],
    answer: { A: empty('NODATA'), AAAA: failed() },
    set: [x],
    changed: true,
    error: 'SERVFAIL',
  },
  'NODATA of one family beside addresses of the other is no trouble': {
    answer: { A: found([a]), AAAA: empty('NODATA') },
    set: [a],
    changed: true,
    ttlMs: 5_000,
  },
  'a family that lost its records goes, though empty answers keep a set': {
    before: [DUAL],
    answer: { A: found([a]), AAAA: empty('NODATA') },
    set: [a],
    changed: true,
    ttlMs: 5_000,
  },
  'a family that was not asked about goes once the other answers': {
    before: [{ A: empty('NODATA'), AAAA: found([x]) }],
    answer: { A: found([a]) },
    set: [a],
    changed: true,
    ttlMs: 5_000,
  },
  'a family that was not asked about stays while the other fails': {
    before: [{ A: empty('NODATA'), AAAA: found([x]) }],
    answer: { A: failed() },
    set: [x],
    changed: false,
    error: 'SERVFAIL',
    failed: true,
  },
  'a cut answer adds and never removes (fault 19)': {
    before: [AB],
    answer: { A: found([c], { partial: true }) },
    set: [a, b, c],
    changed: true,
    ttlMs: 5_000,
  },
  'a cut answer with nothing new changes nothing (fault 19)': {
    before: [AB],
    answer: { A: found([b], { partial: true }) },
    set: [a, b],
    changed: false,
    ttlMs: 5_000,
  },
  'a cut answer leaves a family alone that was not asked about (fault 19)': {
    before: [{ A: empty('NODATA'), AAAA: found([x]) }],
    answer: { A: found([a], { partial: true }) },
    set: [a, x],
    changed: true,
    ttlMs: 5_000,
  },
  'a whole answer after a cut one removes what is gone': {
    before: [AB, { A: found([c], { partial: true }) }],
    answer: { A: found([c]) },
    set: [c],
    changed: true,
    ttlMs: 5_000,
  },
};

for (const [name, { before = [], answer, rule = 'keep', set, changed, error, ttlMs, failed: out }] of Object.entries(
  rules,
))
  test(name, () => {
    const previous = after(...before);
    const verdict = applyResolution(previous, resolution(answer), rule);
    assert.deepEqual(sorted(verdict.membership.addresses), sorted(set));
    assert.equal(verdict.changed, changed);
    assert.equal(verdict.error?.code ?? null, error ? `${CODE}${error}` : null);
    assert.equal(verdict.ttlMs, ttlMs ?? null);
    assert.equal(verdict.failed, out ?? false);
    if (!changed) assert.equal(verdict.membership.addresses, previous.addresses, 'the same array');
  });

test('an address that moves from one family to the other is no change, and its new family is remembered', () => {
  const before = after({ lookup: found([a]) });
  const moved = applyResolution(before, resolution({ A: found([a]) }), 'keep');
  assert.equal(moved.changed, false);
  assert.equal(moved.membership.addresses, before.addresses);
  assert.deepEqual([...moved.membership.bySource.keys()], ['A']);
});

const address = fc.constantFrom(...Array.from({ length: 8 }, (_, host) => `10.0.0.${host}`));
const addresses = fc.array(address, { maxLength: 8 });
const set = fc.uniqueArray(address);
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.tuple(fc.array(address, { minLength: 1 }), fc.boolean()).map(([list, partial]) => found(list, { partial })),
  fc.constantFrom(empty('NXDOMAIN'), empty('NODATA'), failed()),
);
const answer: fc.Arbitrary<Answers> = fc.oneof(
  outcome.map((A) => ({ A })),
  fc.tuple(outcome, outcome).map(([A, AAAA]) => ({ A, AAAA })),
);
const emptyRule = fc.constantFrom<EmptyRule>('keep', 'drop');

test('the difference, applied to the old set, gives the new one, and parts the two without overlap', () => {
  fc.assert(
    fc.property(set, set, (before, next) => {
      const { added, removed } = difference(new Set(before), new Set(next));
      const kept = before.filter((host) => next.includes(host));
      const applied = before.filter((host) => !removed.includes(host)).concat(added);
      assert.deepEqual(sorted(applied), sorted(next));
      assert.deepEqual(sorted([...removed, ...kept]), sorted(before));
      assert.deepEqual(sorted([...added, ...kept]), sorted(next));
      assert.equal(new Set([...added, ...removed, ...kept]).size, added.length + removed.length + kept.length);
    }),
  );
});

test('through any answers: each address is once in the set, and the array is another exactly when the set is', () => {
  fc.assert(
    fc.property(fc.array(answer), emptyRule, (answers, rule) => {
      let membership = EMPTY_MEMBERSHIP;
      for (const next of answers) {
        const verdict = applyResolution(membership, resolution(next), rule);
        const [old, now] = [membership.addresses, verdict.membership.addresses];
        assert.equal(new Set(now).size, now.length);
        assert.deepEqual(sorted([...new Set([...verdict.membership.bySource.values()].flat())]), sorted(now));
        assert.equal(verdict.changed, old !== now);
        assert.equal(verdict.changed, sorted(old).join() !== sorted(now).join());
        membership = verdict.membership;
      }
    }),
  );
});

test('after any answers, failures never change the set, and nothing but drop and an empty answer empties it', () => {
  fc.assert(
    fc.property(fc.array(answer), answer, emptyRule, (answers, last, rule) => {
      const before = after(...answers);
      assert.equal(applyResolution(before, resolution({ A: failed() }), rule).membership.addresses, before.addresses);
      const both = resolution({ A: failed(), AAAA: failed() });
      assert.equal(applyResolution(before, both, rule).membership.addresses, before.addresses);
      const { membership } = applyResolution(before, resolution(last), rule);
      if (before.addresses.length > 0 && membership.addresses.length === 0) assert.equal(rule, 'drop');
    }),
  );
});

test('after any answers, a whole answer to every question is the set, and a cut one never removes (fault 19)', () => {
  fc.assert(
    fc.property(fc.array(answer), addresses, address, emptyRule, (answers, some, one, rule) => {
      const before = after(...answers);
      const whole = applyResolution(before, resolution({ A: found([one, ...some]) }), rule).membership.addresses;
      assert.deepEqual(sorted(whole), sorted([...new Set([one, ...some])]));
      const cut = applyResolution(before, resolution({ A: found([one, ...some], { partial: true }) }), rule).membership
        .addresses;
      assert.deepEqual(sorted(cut), sorted([...new Set([one, ...some, ...before.addresses])]));
    }),
  );
});
