import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AnswerAge, type TimedAnswer } from '../../lib/discovery/answer-age.js';

function answer(ttl: number, ...addresses: string[]): TimedAnswer {
  return { denied: addresses.length === 0, ttlMs: ttl * 1_000, addresses };
}

test('an answer that expires later was made later, and replaces the set', () => {
  const age = new AnswerAge();
  assert.equal(age.answered(0, answer(10, 'a', 'b'), true), 'replace');
  assert.equal(age.answered(1_000, answer(20, 'c'), true), 'replace');
});

test('an older answer changes nothing, neither by its additions nor by its removals', () => {
  const age = new AnswerAge();
  age.answered(0, answer(30, 'a'), true);
  assert.equal(age.answered(1_000, answer(20, 'a', 'b'), true), 'ignore');
  assert.equal(age.answered(2_000, answer(10, 'c'), true), 'ignore');
  assert.equal(age.waiting, true, 'what it says waits for a newer answer');
  assert.equal(age.answered(9_000, answer(30, 'a'), true), 'replace');
  assert.equal(age.waiting, false);
});

test('where the order cannot be told, additions count and removals wait for an answer that is surely newer', () => {
  const age = new AnswerAge();
  age.answered(0, answer(30, 'a', 'b'), true);
  assert.equal(age.answered(1_000, answer(30, 'a', 'c'), true), 'add');
  assert.equal(age.answered(2_000, answer(30, 'a', 'c'), true), 'ignore', 'less than two seconds after the addition');
  assert.equal(age.answered(3_000, answer(30, 'a', 'c'), true), 'replace');
});

test('frequent answers do not put a removal off, because only additions move the mark', () => {
  const age = new AnswerAge();
  age.answered(0, answer(30, 'a', 'b'), true);
  age.answered(1_000, answer(30, 'a'), true);
  assert.equal(age.answered(2_000, answer(30, 'a'), true), 'replace');
});

test('an address that was taken out does not return with an answer that may be older', () => {
  const age = new AnswerAge();
  age.answered(0, answer(10, 'a', 'b'), true);
  age.answered(1_000, answer(30, 'a'), true);
  assert.equal(age.answered(2_000, answer(28, 'a', 'b'), true), 'ignore');
  assert.equal(age.answered(8_000, answer(30, 'a', 'b'), true), 'replace');
});

test('a longer TTL seen later tells that an earlier answer was older than it seemed', () => {
  const age = new AnswerAge();
  age.answered(0, answer(5), true);
  age.answered(0, answer(10, 'a'), true);
  // The full TTL of denials is 30 s, so the first one was 25 s old, and this one is as new as can be.
  assert.equal(age.answered(5_000, answer(30), true), 'replace');
  assert.equal(age.answered(5_000, answer(5, 'a'), true), 'ignore');
});

test('while no address was ever found, an answer with addresses is used however old it is', () => {
  const age = new AnswerAge();
  age.answered(0, answer(30), true);
  assert.equal(age.answered(1_000, answer(3, 'a'), true), 'add');
});

test("a live server's answers are used in the order of arrival", () => {
  const age = new AnswerAge();
  age.answered(0, answer(30, 'a', 'b'), false);
  assert.equal(age.answered(500, answer(30, 'a'), false), 'replace');
  assert.equal(age.answered(1_000, answer(5, 'b'), false), 'replace');
});

test('an address that leaves and returns again and again shows that the TTLs do not tell the order', () => {
  const age = new AnswerAge();
  const flip = (round: number): boolean[] =>
    [answer(5, 'a', 'b'), answer(5, 'a')].map((given, index) => {
      age.answered(round * 5_000 + index * 2_500, given, true);
      return age.contradicted;
    });
  assert.deepEqual([0, 1, 2].flatMap(flip), [false, false, false, false, false, false]);
  assert.deepEqual(flip(3), [true, false]);
});

test('a pod that is not ready now and then contradicts nothing', () => {
  const age = new AnswerAge();
  for (let now = 0; now < 3_600_000; now += 60_000) {
    age.answered(now, answer(30, 'a', 'b'), true);
    assert.equal(age.contradicted, false);
    age.answered(now + 30_000, answer(30, 'a'), true);
    assert.equal(age.contradicted, false);
  }
});

test('an absurd TTL that was shown once holds nothing up for more than five minutes', () => {
  const age = new AnswerAge();
  age.answered(0, answer(4_294_967_295, 'a'), true);
  const uses = [60, 200, 271, 273].map((at) => age.answered(at * 1_000, answer(30, 'b'), true));
  assert.deepEqual(uses, ['ignore', 'ignore', 'add', 'replace']);
});

/** Answers of a cache that counts down: when it was read, and how long before that it was made. */
const readings = fc.array(fc.record({ gapMs: fc.integer({ min: 200, max: 20_000 }), ageMs: fc.nat(29_999) }), {
  minLength: 2,
  maxLength: 60,
});

test('while pods only come, no address is taken out, in whatever order the answers of many caches are read', () => {
  fc.assert(
    fc.property(readings, fc.integer({ min: 500, max: 10_000 }), (list, podEveryMs) => {
      const age = new AnswerAge();
      let now = 100_000;
      let known = new Set<string>();
      // One reading of the full TTL first: what the full TTL is must be known.
      for (const { gapMs, ageMs } of [{ gapMs: 0, ageMs: 0 }, ...list]) {
        now += gapMs;
        const pods = Array.from({ length: Math.floor((now - ageMs) / podEveryMs) }, (_, pod) => `${pod}`);
        const use = age.answered(now, answer(30 - Math.floor(ageMs / 1_000), ...pods), true);
        if (use === 'replace') {
          assert.ok(
            [...known].every((pod) => pods.includes(pod)),
            `at ${now}`,
          );
          known = new Set(pods);
        } else if (use === 'add') known = new Set([...known, ...pods]);
      }
    }),
  );
});

test('no set that every answer repeats is refused longer than the longest TTL, however the TTLs lie', () => {
  const lies = fc.array(
    fc.record({ gapMs: fc.integer({ min: 100, max: 10_000 }), ttl: fc.nat(60), set: fc.nat(3), denied: fc.boolean() }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(lies, fc.array(fc.nat(60), { minLength: 80, maxLength: 80 }), (before, ttls) => {
      const age = new AnswerAge();
      let now = 0;
      let longestMs = 0;
      let known = '';
      const read = (ttl: number, addresses: string[]): void => {
        longestMs = Math.max(longestMs, ttl * 1_000);
        const use = age.answered(now, answer(ttl, ...addresses), true);
        if (use === 'replace') known = addresses.join();
        else if (use === 'add') known = `${known}+`;
      };
      for (const { gapMs, ttl, set, denied } of before) {
        now += gapMs;
        read(ttl, denied ? [] : [`${set}`, 'x']);
      }
      const since = now + 1_000;
      for (const ttl of ttls) {
        now += 1_000;
        read(ttl, ['final']);
        if (now - since >= longestMs) assert.equal(known, 'final', `refused for ${now - since} ms`);
      }
    }),
  );
});
