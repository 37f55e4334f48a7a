import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { OutstandingCalls } from '../../lib/balancer/outstanding-calls.js';
import type { PickResult } from '../../lib/grpc/experimental.js';
import { FakeSubchannel } from '../support/fake-subchannel.js';

function fixture() {
  let started = 0;
  let ended = 0;
  const calls = new OutstandingCalls(new FakeSubchannel('a'), {
    onStarted: () => {
      started += 1;
    },
    onEnded: () => {
      ended += 1;
    },
  });
  let turn = 0;
  const pick = (): PickResult => {
    calls.recordPick(++turn);
    return calls.pickResult;
  };
  const begin = (): ((code?: status) => void) => {
    const { onCallStarted, onCallEnded } = pick();
    onCallStarted?.();
    return (code = status.OK) => onCallEnded?.(code, '', {} as never);
  };
  /** The rotation comes by so often while other endpoints have so many calls; whether a call is due at the last one. */
  const turns = (count: number, other = 0): boolean => {
    let isDue = false;
    for (let turn = 0; turn < count; turn++) isDue = calls.recordTurn(other);
    return isDue;
  };
  const counts = (): [load: number, setAside: number] => [calls.load(turn + 1), calls.setAside];
  return { calls, pick, begin, turns, counts, tally: () => started - ended };
}

test('calls that are old are set aside when a call that began after them is answered', () => {
  const { begin, turns, counts } = fixture();
  for (let stream = 0; stream < 3; stream++) begin();
  assert.deepEqual(counts(), [3, 0]);
  assert.equal(turns(15), false);
  assert.equal(turns(1), true);
  const answer = begin();
  assert.deepEqual(counts(), [4, 0]);
  answer();
  assert.deepEqual(counts(), [0, 3]);
});

test('young calls are not set aside, whatever is answered', () => {
  const { begin, turns, counts } = fixture();
  begin();
  for (let call = 0; call < 15; call++) {
    turns(1);
    begin()();
  }
  assert.deepEqual(counts(), [1, 0]);
});

for (const code of [status.DEADLINE_EXCEEDED, status.CANCELLED, status.UNAVAILABLE])
  test(`the end of a call with ${status[code]} is no answer: it sets nothing aside`, () => {
    const { begin, turns, counts } = fixture();
    begin();
    turns(16);
    begin()(code);
    assert.deepEqual(counts(), [1, 0]);
  });

for (const code of [status.OK, status.NOT_FOUND, status.INTERNAL])
  test(`the end of a call with ${status[code]} is an answer`, () => {
    const { begin, turns, counts } = fixture();
    begin();
    turns(16);
    begin()(code);
    assert.deepEqual(counts(), [0, 1]);
  });

test('the end of an old call sets no other old call aside', () => {
  const { begin, turns, counts } = fixture();
  const [one] = [begin(), begin()];
  turns(16);
  begin();
  one?.();
  assert.deepEqual(counts(), [2, 0]);
});

test('a call set aside is taken off the count of those set aside when it ends', () => {
  const { begin, turns, counts } = fixture();
  const [one, two] = [begin(), begin()];
  turns(16);
  begin()();
  one?.();
  assert.deepEqual(counts(), [0, 1]);
  two?.();
  assert.deepEqual(counts(), [0, 0]);
});

test('the more calls the other endpoints have, the older a call must be to be set aside', () => {
  const { begin, turns, counts } = fixture();
  turns(1_000, 10);
  begin();
  assert.equal(turns(16 * 11 - 1, 10), false);
  begin()();
  assert.deepEqual(counts(), [1, 0]);
  assert.equal(turns(16 * 11, 10), true);
  begin()();
  assert.deepEqual(counts(), [0, 1]);
});

test('an idle endpoint among busy ones lowers the limit at once', () => {
  const { begin, turns, counts } = fixture();
  turns(1_000, 100);
  begin();
  turns(15, 100);
  turns(1, 0);
  begin()();
  assert.deepEqual(counts(), [0, 1]);
});

test('an endpoint that answers nothing is tried after 16 turns, then after twice as many each time, and again after 16 once it answered', () => {
  const { begin, turns } = fixture();
  const first = begin();
  for (const wait of [16, 32, 64, 128, 256, 512, 1024, 1024]) {
    assert.equal(turns(wait - 1), false);
    assert.equal(turns(1), true, `after ${wait} turns`);
    begin();
  }
  first();
  assert.equal(turns(15), false);
  assert.equal(turns(1), true);
});

test('all counts agree whatever the order of picks, starts and ends, and with calls that begin long after their picks', () => {
  const step = fc.record({ what: fc.constantFrom('pick', 'start', 'end', 'turns'), which: fc.nat(50) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const { calls, pick, turns, counts, tally } = fixture();
      const picked: PickResult[] = [];
      const started: PickResult[] = [];
      const takeFrom = (list: PickResult[], which: number): PickResult | undefined =>
        list.splice(which % Math.max(1, list.length), 1)[0];
      for (const { what, which } of steps) {
        if (what === 'pick') picked.push(pick());
        else if (what === 'turns') turns(which);
        else if (what === 'start') {
          const result = takeFrom(picked, which);
          result?.onCallStarted?.();
          if (result) started.push(result);
        } else takeFrom(started, which)?.onCallEnded?.(which % 3 ? status.OK : status.CANCELLED, '', {} as never);
        const [load, setAside] = counts();
        assert.ok(load >= 0 && setAside >= 0, `${load} and ${setAside}`);
        assert.equal(load + setAside, started.length);
        assert.deepEqual([calls.total, tally()], [started.length, started.length]);
      }
      for (const result of started) result.onCallEnded?.(status.OK, '', {} as never);
      assert.deepEqual(counts(), [0, 0]);
    }),
  );
});

test('pick results are used again: a busy endpoint makes a few for any number of calls', () => {
  const { calls, begin, turns } = fixture();
  const results = new Set<PickResult>();
  const open: ((code?: status) => void)[] = [];
  for (let call = 0; call < 10_000; call++) {
    turns(1, 2);
    open.push(begin());
    results.add(calls.pickResult);
    if (open.length > 5) open.shift()?.();
  }
  assert.ok(results.size > 1 && results.size <= 3, `${results.size}`);
  assert.equal(calls.setAside, 0);
});

test('pick results that are used again name the subchannel that was set meanwhile', () => {
  const { calls, begin, turns } = fixture();
  const old = begin();
  turns(16);
  const [next] = [begin()];
  const replacement = new FakeSubchannel('b');
  calls.subchannel = replacement;
  // The first generation ends after the change, and is used for the third one.
  old();
  turns(16);
  begin();
  assert.equal(calls.pickResult.subchannel, replacement);
  next();
});
