import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventClock } from '../../bench/fleet/event-clock.js';
import { EventQueue } from '../../bench/fleet/event-queue.js';

test('events are taken in the order of time, and those of one moment in the order in which they were added', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), (times) => {
      const queue = new EventQueue();
      for (const at of times) queue.add(at, () => {});
      const taken = times.map(() => queue.take());
      const expected = times.map((at, order) => ({ at, order })).toSorted((a, b) => a.at - b.at || a.order - b.order);
      assert.deepEqual(
        taken.map((event) => ({ at: event?.at, order: event?.order })),
        expected,
      );
      assert.equal(queue.take(), undefined);
      assert.equal(queue.nextAt, undefined);
    }),
  );
});

test('the queue is in order after any mixture of additions and removals', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(50), { nil: undefined })), (steps) => {
      const queue = new EventQueue();
      const model: number[] = [];
      for (const at of steps) {
        if (at === undefined) assert.equal(queue.take()?.at, model.shift());
        else {
          queue.add(at, () => {});
          model.push(at);
          model.sort((a, b) => a - b);
        }
        assert.equal(queue.nextAt, model[0]);
      }
    }),
  );
});

test('the clock shows the time of each timer that fires, and leaves out cancelled ones', async () => {
  const clock = new EventClock();
  const fired: [string, number][] = [];
  const note = (name: string) => () => fired.push([name, clock.now()]);
  clock.setTimer(30, note('late'));
  clock.setTimer(10.5, note('early'));
  const cancelled = clock.setTimer(20, note('cancelled'));
  clock.setTimer(15, () => cancelled.cancel());
  clock.setTimer(31, note('after the end'));
  await clock.run(30);
  assert.deepEqual(fired, [
    ['early', 10.5],
    ['late', 30],
  ]);
  assert.equal(clock.now(), 30);
});

test('timers that a promise sets after a timer fire in their turn', async () => {
  const clock = new EventClock();
  const fired: string[] = [];
  const later = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    clock.setTimer(5, () => fired.push('set by a promise'));
  };
  clock.setTimer(10, () => void later());
  clock.setTimer(20, () => fired.push('set before'));
  await clock.run(100);
  assert.deepEqual(fired, ['set by a promise', 'set before']);
});
