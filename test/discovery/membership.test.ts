import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyResolution, EMPTY_MEMBERSHIP, type EmptyRule, type Membership } from '../../lib/discovery/membership.js';
import type { Outcome, OutcomeSource } from '../../lib/dns/resolution.js';
import { type Coverage, covers } from '../faults/covers.js';
import { empty, failed, found, resolution } from '../support/scripted-resolver.js';

type Answers = Partial<Record<OutcomeSource, Outcome>>;

function after(...answers: Answers[]): Membership {
  return answers.reduce<Membership>(
    (before, answer) => applyResolution(before, resolution(answer), 'keep').membership,
    EMPTY_MEMBERSHIP,
  );
}

const sorted = (hosts: Iterable<string>): string[] => [...hosts].sort();

const [a, b, c] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
const [x, y] = ['fd00::1', 'fd00::2'];
const CODE = 'ERR_HEADLESS_DNS_';

interface Rule {
  coverage?: Coverage;
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
  'records shuffled are the same set': {
    coverage: covers(28),
    before: [AB],
    answer: { A: found([b, a]) },
    set: [a, b],
    changed: false,
    ttlMs: 5_000,
  },
  'records repeated are the same set': {
    coverage: covers(28),
    before: [AB],
    answer: { A: found([b, a, b, b]) },
    set: [a, b],
    changed: false,
    ttlMs: 5_000,
  },
  'a failure keeps the set': {
    coverage: covers(23),
    before: [AB],
    answer: { A: failed('SERVFAIL') },
    set: [a, b],
    changed: false,
    error: 'SERVFAIL',
    failed: true,
  },
  'a failure keeps the set under drop too': {
    coverage: covers(23),
    before: [AB],
    answer: { A: failed('TIMEOUT') },
    rule: 'drop',
    set: [a, b],
    changed: false,
    error: 'TIMEOUT',
    failed: true,
  },
  'NXDOMAIN keeps a working set, and is told': {
    coverage: covers(24),
    before: [AB],
    answer: { A: empty('NXDOMAIN') },
    set: [a, b],
    changed: false,
    error: 'NXDOMAIN',
  },
  'NODATA keeps a working set, and is told': {
    coverage: covers(24),
    before: [AB],
    answer: { A: empty('NODATA'), AAAA: empty('NODATA') },
    set: [a, b],
    changed: false,
    error: 'NODATA',
  },
  'NXDOMAIN empties the set under drop': {
    coverage: covers(24),
    before: [AB],
    answer: { A: empty('NXDOMAIN') },
    rule: 'drop',
    set: [],
    changed: true,
    error: 'NXDOMAIN',
  },
  'NODATA of both families empties the set under drop': {
    coverage: covers(24),
    before: [DUAL],
    answer: { A: empty('NODATA'), AAAA: empty('NODATA') },
    rule: 'drop',
    set: [],
    changed: true,
    error: 'NODATA',
  },
  'NXDOMAIN at cold start changes nothing': {
    coverage: covers(25),
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
  'A answered and AAAA failed: A is updated, AAAA kept': {
    coverage: covers(26),
    before: [DUAL],
    answer: { A: found([b]), AAAA: failed() },
    set: [b, x],
    changed: true,
    error: 'SERVFAIL',
    ttlMs: 5_000,
  },
  'AAAA answered and A failed: AAAA is updated, A kept': {
    coverage: covers(26),
    before: [DUAL],
    answer: { A: failed(), AAAA: found([y]) },
    set: [a, y],
    changed: true,
    error: 'SERVFAIL',
    ttlMs: 5_000,
  },
  'A empty and AAAA failed: what AAAA had is kept': {
    coverage: covers(26),
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
  'a cut answer adds and never removes': {
    coverage: covers(19),
    before: [AB],
    answer: { A: found([c], { partial: true }) },
    set: [a, b, c],
    changed: true,
    ttlMs: 5_000,
  },
  'a cut answer with nothing new changes nothing': {
    coverage: covers(19),
    before: [AB],
    answer: { A: found([b], { partial: true }) },
    set: [a, b],
    changed: false,
    ttlMs: 5_000,
  },
  'a cut answer leaves a family alone that was not asked about': {
    coverage: covers(19),
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

for (const [
  name,
  { coverage = {}, before = [], answer, rule = 'keep', set, changed, error, ttlMs, failed: out },
] of Object.entries(rules))
  test(name, coverage, () => {
    const previous = after(...before);
    const update = applyResolution(previous, resolution(answer), rule);
    assert.deepEqual(sorted(update.membership.hosts), sorted(set));
    assert.equal(update.changed, changed);
    assert.equal(update.error?.code ?? null, error ? `${CODE}${error}` : null);
    assert.equal(update.ttlMs, ttlMs ?? null);
    assert.equal(update.failed, out ?? false);
    if (!changed) assert.deepEqual([...update.membership.hosts], [...previous.hosts], 'in the same order');
  });

test('an address that moves from one family to the other is no change, and its new family is remembered', () => {
  const before = after({ lookup: found([a]) });
  const moved = applyResolution(before, resolution({ A: found([a]) }), 'keep');
  assert.equal(moved.changed, false);
  assert.deepEqual(moved.membership.hosts, before.hosts);
  assert.deepEqual([...moved.membership.bySource.keys()], ['A']);
});

const address = fc.constantFrom(...Array.from({ length: 8 }, (_, host) => `10.0.0.${host}`));
const addresses = fc.array(address, { maxLength: 8 });
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.tuple(fc.array(address, { minLength: 1 }), fc.boolean()).map(([list, partial]) => found(list, { partial })),
  fc.constantFrom(empty('NXDOMAIN'), empty('NODATA'), failed()),
);
const answer: fc.Arbitrary<Answers> = fc.oneof(
  outcome.map((A) => ({ A })),
  fc.tuple(outcome, outcome).map(([A, AAAA]) => ({ A, AAAA })),
);
const emptyRule = fc.constantFrom<EmptyRule>('keep', 'drop');

test('through any answers: the set is the union of its sources, and it is called changed exactly when it is another one', () => {
  fc.assert(
    fc.property(fc.array(answer), emptyRule, (answers, rule) => {
      let membership = EMPTY_MEMBERSHIP;
      for (const next of answers) {
        const update = applyResolution(membership, resolution(next), rule);
        const [old, now] = [membership.hosts, update.membership.hosts];
        assert.deepEqual(sorted([...new Set([...update.membership.bySource.values()].flat())]), sorted(now));
        assert.equal(update.changed, sorted(old).join() !== sorted(now).join());
        membership = update.membership;
      }
    }),
  );
});

test('after any answers, failures never change the set, and nothing but drop and an empty answer empties it', () => {
  fc.assert(
    fc.property(fc.array(answer), answer, emptyRule, (answers, last, rule) => {
      const before = after(...answers);
      assert.deepEqual(applyResolution(before, resolution({ A: failed() }), rule).membership.hosts, before.hosts);
      const both = resolution({ A: failed(), AAAA: failed() });
      assert.deepEqual(applyResolution(before, both, rule).membership.hosts, before.hosts);
      const { membership } = applyResolution(before, resolution(last), rule);
      if (before.hosts.size > 0 && membership.hosts.size === 0) assert.equal(rule, 'drop');
    }),
  );
});

test('after any answers, a whole answer to every question is the set, and a cut one never removes', covers(19), () => {
  fc.assert(
    fc.property(fc.array(answer), addresses, address, emptyRule, (answers, some, one, rule) => {
      const before = after(...answers);
      const whole = applyResolution(before, resolution({ A: found([one, ...some]) }), rule).membership.hosts;
      assert.deepEqual(sorted(whole), sorted([...new Set([one, ...some])]));
      const cut = applyResolution(before, resolution({ A: found([one, ...some], { partial: true }) }), rule).membership
        .hosts;
      assert.deepEqual(sorted(cut), sorted([...new Set([one, ...some, ...before.hosts])]));
    }),
  );
});
