import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import type { CallEnd } from './hello-calls.js';
import { type EndedCall, Recorder } from './recorder.js';

function end(changes: Partial<CallEnd> = {}): CallEnd {
  return { pod: '127.0.0.9', peer: null, code: status.OK, details: '', committed: true, mismatch: null, ...changes };
}

const refused = end({ pod: null, code: status.UNAVAILABLE, details: 'refused', committed: false });

test('every call is accounted for: started calls are answered, failed or under way', () => {
  const steps = fc.array(fc.constantFrom('start', 'answer', 'fail', 'reset'), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (list) => {
      const recorder = new Recorder();
      for (const step of list) {
        const [oldest] = recorder.underWay;
        if (step === 'start') recorder.start('unary', 0);
        else if (step === 'reset') recorder.reset();
        else if (oldest) recorder.end(oldest, step === 'answer' ? end() : refused, 1);
        assert.equal(recorder.started, recorder.answered + recorder.failed + recorder.underWay.size);
        assert.equal(recorder.ended, recorder.answered + recorder.failed);
      }
    }),
  );
});

test('answers are counted by pod, failures by status, and latencies of answers from the moment the call was due', () => {
  const recorder = new Recorder();
  recorder.end(recorder.start('unary', 1_000), end(), 1_010);
  recorder.end(recorder.start('unary', 1_000), end({ pod: '127.0.0.8' }), 1_030);
  recorder.end(recorder.start('unary', 1_000), end(), 1_020);
  recorder.end(recorder.start('unary', 1_000), refused, 9_000);
  const { latency, ...counts } = recorder.report();
  assert.deepEqual(counts, {
    started: 4,
    answered: 3,
    failed: 1,
    byPod: { '127.0.0.9': 2, '127.0.0.8': 1 },
    failedByStatus: { UNAVAILABLE: 1 },
  });
  assert.equal(latency.count, 3);
  assert.ok(Math.abs(latency.maxMs - 30) < 0.1, `${latency.maxMs}`);
  assert.ok(Math.abs(latency.p50Ms - 20) < 0.1, `${latency.p50Ms}`);
});

test('listeners get each call once, when it has ended, until they unsubscribe', () => {
  const recorder = new Recorder();
  const ended: EndedCall[] = [];
  const unsubscribe = recorder.subscribe((call) => ended.push(call));
  const call = recorder.start('server stream', 5);
  assert.deepEqual(ended, []);
  recorder.end(call, refused, 7);
  assert.deepEqual(ended, [{ ...call, ...refused, endedAt: 7 }]);
  assert.deepEqual(recorder.failures, ended);
  unsubscribe();
  recorder.end(recorder.start('unary', 8), end(), 9);
  assert.equal(ended.length, 1);
});

test('a call cannot end twice', () => {
  const recorder = new Recorder();
  const call = recorder.start('unary', 0);
  recorder.end(call, end(), 1);
  assert.throws(() => recorder.end(call, end(), 2), /not under way/);
});

test('until() resolves at once when its condition is true, or at the call that makes it true', async () => {
  const recorder = new Recorder();
  await recorder.until(() => true);
  const [first, second] = [recorder.start('unary', 0), recorder.start('unary', 0)];
  let resolved = false;
  const enough = recorder
    .until(() => recorder.ended >= 2)
    .then(() => {
      resolved = true;
    });
  recorder.end(first, end(), 1);
  await Promise.resolve();
  assert.equal(resolved, false);
  recorder.end(second, refused, 1);
  await enough;
});

test('a long run keeps its first failures only, and counts all', () => {
  const recorder = new Recorder();
  for (let call = 0; call < 1_500; call++) recorder.end(recorder.start('unary', call), refused, call);
  assert.equal(recorder.failed, 1_500);
  assert.equal(recorder.failures.length, 1_000);
  assert.equal(recorder.failures[0]?.dueAt, 0);
});
