import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BoundedValues } from '../../lib/telemetry/metrics/bounded-values.js';
import { CallTotals, type Counted } from '../../lib/telemetry/metrics/call-totals.js';

const counted = (key: string, picks: number, name = key): Counted => ({
  name,
  key,
  sums: { picks, ok: picks, error: 0 },
});
const picksOf = (totals: CallTotals): Record<string, number> =>
  Object.fromEntries(Array.from(totals.entries(), ([key, { picks }]) => [key, picks]));

test('channels of one key are summed, and the sum stays when one of them is gone', () => {
  const totals = new CallTotals();
  const [one, two] = [{}, {}];
  totals.add(one, [counted('a', 3)]);
  totals.add(two, [counted('a', 4)]);
  totals.add(two, [counted('a', 6)]);
  assert.deepEqual(picksOf(totals), { a: 9 });
});

test('an endpoint that left and returned counts from 0 again, and is added', () => {
  const totals = new CallTotals();
  const channel = {};
  for (const picks of [5, 2]) totals.add(channel, [counted('a', picks)]);
  assert.deepEqual(picksOf(totals), { a: 7 });
  totals.add(channel, []);
  totals.add(channel, [counted('a', 3)]);
  assert.deepEqual(picksOf(totals), { a: 10 });
});

test('names of one key are summed, and one of them may go', () => {
  const totals = new CallTotals();
  const channel = {};
  totals.add(channel, [counted('other', 10, 'a'), counted('other', 5, 'b')]);
  totals.add(channel, [counted('other', 6, 'b')]);
  assert.deepEqual(picksOf(totals), { other: 16 });
});

test('what moves to a source of its own goes on there, and its name counts from 0 in the first one', () => {
  const totals = new CallTotals();
  const [channel, released] = [{}, {}];
  totals.add(channel, [counted('a', 5), counted('b', 1)]);
  totals.move('a', channel, released);
  totals.add(released, [counted('a', 7)]);
  totals.add(channel, [counted('a', 9), counted('b', 1)]);
  totals.add(released, [counted('a', 8)]);
  assert.deepEqual(picksOf(totals), { a: 17, b: 1 });
  // Of a name that was never looked at, all counts.
  totals.move('c', channel, released);
  totals.add({}, [counted('c', 3)]);
  assert.deepEqual(picksOf(totals), { a: 17, b: 1, c: 3 });
});

test('no sum ever falls, and it counts each call once, whatever is looked at when', () => {
  const steps = fc.array(fc.record({ channel: fc.nat(2), calls: fc.nat(5) }), { maxLength: 40 });
  fc.assert(
    fc.property(steps, (list) => {
      const totals = new CallTotals();
      const channels = [{ picks: 0 }, { picks: 0 }, { picks: 0 }];
      let made = 0;
      for (const { channel, calls } of list) {
        const counting = channels[channel] as { picks: number };
        counting.picks += calls;
        made += calls;
        totals.add(counting, [counted('a', counting.picks)]);
        assert.equal(picksOf(totals).a, made);
      }
    }),
  );
});

test('the first values of an attribute stay as they are, and the others become one', () => {
  const values = new BoundedValues(2, 'other');
  assert.deepEqual(
    ['a', 'b', 'c', 'a', 'd', 'b'].map((value) => values.of(value)),
    ['a', 'b', 'other', 'a', 'other', 'b'],
  );
});
