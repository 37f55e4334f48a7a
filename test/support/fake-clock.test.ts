import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from './fake-clock.js';

test('timers fire in the order of their times; of two at one moment, the one set first', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(20), { maxLength: 20 }), async (delays) => {
      const clock = new FakeClock({ startMs: 0, settleTurns: 1 });
      const fired: { delay: number; index: number }[] = [];
      for (const [index, delay] of delays.entries())
        clock.setTimer(delay, () => {
          assert.equal(clock.now(), delay);
          fired.push({ delay, index });
        });
      await clock.advance(20);
      const expected = delays.map((delay, index) => ({ delay, index })).sort((a, b) => a.delay - b.delay);
      assert.deepEqual(fired, expected);
      assert.equal(clock.timers, 0);
    }),
    { numRuns: 50 },
  );
});

test('promises settle after each timer, so a timer set by an earlier one fires in the same advance', async () => {
  const clock = new FakeClock();
  const start = clock.now();
  const times: number[] = [];
  clock.setTimer(10, () => {
    void Promise.resolve().then(() => clock.setTimer(10, () => times.push(clock.now() - start)));
  });
  await clock.advance(25);
  assert.deepEqual(times, [20]);
  assert.equal(clock.now() - start, 25);
});

test('a cancelled timer does not fire, and cancelling it again changes nothing', async () => {
  const clock = new FakeClock();
  const timer = clock.setTimer(10, () => assert.fail('it fired'));
  const other = clock.setTimer(20, () => {});
  timer.cancel();
  timer.cancel();
  assert.equal(clock.nextIn, 20);
  await clock.advance(30);
  other.cancel();
  assert.equal(clock.nextIn, undefined);
});

test('after a stall timers fire late, and time never goes back', async () => {
  const clock = new FakeClock();
  const start = clock.now();
  const times: number[] = [];
  clock.setTimer(10, () => times.push(clock.now() - start));
  clock.setTimer(150, () => times.push(clock.now() - start));
  clock.stall(100);
  assert.deepEqual(times, []);
  await clock.advance(60);
  assert.deepEqual(times, [100, 150]);
});

test('a jump of the wall clock moves no timer', async () => {
  const clock = new FakeClock();
  const before = clock.wallTime();
  clock.setTimer(10, () => assert.fail('it fired'));
  clock.jumpWallTime(3_600_000);
  await clock.advance(5);
  assert.equal(clock.wallTime(), before + 3_600_005);
  assert.equal(clock.timers, 1);
});
