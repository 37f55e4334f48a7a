import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BoundedValues } from '../../lib/telemetry/metrics/bounded-values.js';
import { type CallSums, CallTotals } from '../../lib/telemetry/metrics/call-totals.js';

const sums = (picks: number): CallSums => ({ picks, ok: picks, error: 0 });
const picksOf = (totals: CallTotals): Record<string, number> =>
  Object.fromEntries(Array.from(totals.entries(), ([key, { picks }]) => [key, picks]));

test('channels of one key are summed, and the sum stays when one of them is gone', () => {
  const totals = new CallTotals();
  const [one, two] = [{}, {}];
  totals.add(one, new Map([['a', sums(3)]]));
  totals.add(two, new Map([['a', sums(4)]]));
  totals.add(two, new Map([['a', sums(6)]]));
  assert.deepEqual(picksOf(totals), { a: 9 });
});

test('an endpoint that left and returned counts from 0 again, and is added', () => {
  const totals = new CallTotals();
  const channel = {};
  for (const counted of [sums(5), sums(2)]) totals.add(channel, new Map([['a', counted]]));
  assert.deepEqual(picksOf(totals), { a: 7 });
  totals.add(channel, new Map());
  totals.add(channel, new Map([['a', sums(3)]]));
  assert.deepEqual(picksOf(totals), { a: 10 });
});

test('no sum ever falls, and it counts each call once, whatever is looked at when', () => {
  const steps = fc.array(fc.record({ channel: fc.nat(2), calls: fc.nat(5) }), { maxLength: 40 });
  fc.assert(
    fc.property(steps, (list) => {
      const totals = new CallTotals();
      const channels = [{ picks: 0 }, { picks: 0 }, { picks: 0 }];
      let made = 0;
      for (const { channel, calls } of list) {
        const counted = channels[channel] as { picks: number };
        counted.picks += calls;
        made += calls;
        totals.add(counted, new Map([['a', sums(counted.picks)]]));
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
