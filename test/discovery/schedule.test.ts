import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Schedule, type ScheduleSettings } from '../../lib/discovery/schedule.js';
import type { Random } from '../../lib/runtime.js';
import { scriptedRandom, seededRandom } from '../support/fake-random.js';

const SETTINGS: ScheduleSettings = {
  intervalMs: 5_000,
  jitter: 0,
  minIntervalMs: 1_000,
  burstMs: 30_000,
};

function make(settings: Partial<ScheduleSettings> = {}, random: Random = () => 0): Schedule {
  return new Schedule({ ...SETTINGS, ...settings }, random);
}

/** A schedule whose first wait, which is shorter, has passed. */
function running(settings: Partial<ScheduleSettings> = {}, random: Random = () => 0): Schedule {
  const schedule = make(settings, random);
  schedule.nextDelay(0, true);
  return schedule;
}

test('waits are the interval and up to the jitter more, never less', () => {
  const schedule = running({ jitter: 0.2 }, scriptedRandom(0, 0, 0.5, 0.999));
  assert.deepEqual(
    [1, 2, 3].map(() => Math.round(schedule.nextDelay(0, true))),
    [5_000, 5_500, 5_999],
  );
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, jitter) => {
      const delay = running({ jitter }, seededRandom(seed)).nextDelay(0, true);
      assert.ok(delay >= 5_000 && delay <= 5_000 * (1 + jitter), `${delay}`);
    }),
  );
});

test('the first wait after a start or a burst is anything from the floor to the interval, so that clients part', () => {
  const delays = [0, 0.5, 0.999].map((random) => make({ jitter: 0.1 }, () => random).nextDelay(0, true));
  assert.deepEqual(delays.map(Math.round), [5_000, 3_150, 1_104]);
  const schedule = running({ jitter: 0.1 }, () => 0.5);
  schedule.changed(0);
  const waits = [0, 30_000, 33_150].map((now) => Math.round(schedule.nextDelay(now, true)));
  assert.deepEqual(waits, [1_050, 3_150, 5_250]);
});

test('while every channel has a READY pod, a failure is not urgent: the backoff starts near the default interval', () => {
  const schedule = make({ intervalMs: 600_000 });
  const delays = Array.from({ length: 6 }, () => {
    schedule.failed();
    return Math.round(schedule.nextDelay(0, true));
  });
  assert.deepEqual(delays, [4_500, 7_200, 11_520, 18_432, 29_491, 30_000]);
  const short = make({ intervalMs: 5_000 });
  short.failed();
  short.failed();
  assert.equal(short.nextDelay(0, true), 5_000);
});

test('a change brings a burst of polls at the floor, for as long as burstMs', () => {
  const schedule = make();
  schedule.changed(100);
  assert.equal(schedule.nextDelay(100, false), 1_000);
  assert.equal(schedule.nextDelay(30_099, false), 1_000);
  assert.equal(schedule.nextDelay(30_100, false), 5_000);
  schedule.changed(40_000);
  assert.equal(schedule.nextDelay(40_000, false), 1_000, 'the next change brings the next burst');
});

test('while nothing is READY there is a burst, until something is or burstMs have passed', () => {
  const schedule = make();
  assert.equal(schedule.unreadyAt(0), null);
  schedule.setUnready(0, true);
  assert.equal(schedule.unreadyAt(29_999), 30_999);
  assert.equal(schedule.unreadyAt(30_000), null);
  schedule.setUnready(50_000, true);
  assert.equal(schedule.unreadyAt(50_000), 51_000);
  schedule.setUnready(50_001, false);
  assert.equal(schedule.unreadyAt(50_001), null);
});

test('the burst of an unready channel begins after the floor, so that one that is unready for a moment causes none', () => {
  const schedule = make();
  schedule.setUnready(4_000, true);
  assert.equal(schedule.unreadyAt(1_000), 5_000);
});

test('a channel that is unready again and again has one burst, until it stays ready for as long as a burst', () => {
  const schedule = make();
  for (let now = 0; now <= 30_000; now += 2_000) {
    schedule.setUnready(now, true);
    if (now < 30_000) assert.equal(schedule.unreadyAt(now), now + 1_000);
    schedule.setUnready(now + 1_500, false);
  }
  schedule.setUnready(40_000, true);
  assert.equal(schedule.unreadyAt(40_000), null);
  schedule.setUnready(41_000, false);
  schedule.setUnready(71_000, true);
  assert.equal(schedule.unreadyAt(71_000), 72_000);
});

test('while DNS fails, an unready channel waits for the backoff', () => {
  const schedule = make();
  schedule.setUnready(0, true);
  schedule.failed();
  assert.equal(schedule.unreadyAt(0), null);
});

test('with burstMs 0 there is no burst', () => {
  const schedule = make({ burstMs: 0 });
  schedule.changed(0);
  schedule.setUnready(0, true);
  assert.equal(schedule.nextDelay(0, false), 5_000);
  assert.equal(schedule.unreadyAt(0), null);
});

test('a burst is jittered too, so that clients do not ask at the same moments after a scale-up', () => {
  const schedule = make({ jitter: 0.1 }, () => 0.5);
  schedule.changed(0);
  assert.equal(schedule.nextDelay(0, false), 1_050);
});

test('an interval below minIntervalMs is the floor itself: bursts never slow polling down', () => {
  const schedule = make({ intervalMs: 200 });
  assert.equal(schedule.floorMs, 200);
  schedule.changed(0);
  assert.equal(schedule.nextDelay(0, false), 200);
});

test('failures back off from 1 s by 1.6, up to the interval, and one answer ends that', () => {
  const schedule = make({ intervalMs: 10_000 });
  const delays = Array.from({ length: 7 }, () => {
    schedule.failed();
    return Math.round(schedule.nextDelay(0, false));
  });
  assert.deepEqual(delays, [1_000, 1_600, 2_560, 4_096, 6_554, 10_000, 10_000]);
  assert.equal(schedule.failures, 7);
  schedule.answered();
  assert.equal(schedule.failures, 0);
  assert.equal(schedule.nextDelay(0, false), 10_000);
  schedule.failed();
  assert.equal(schedule.nextDelay(0, false), 1_000);
});

test('no failure is followed by a query before minIntervalMs have passed', () => {
  const schedule = make({ intervalMs: 30_000, minIntervalMs: 5_000 });
  schedule.failed();
  assert.equal(schedule.nextDelay(0, false), 5_000);
});

test('backoff is at most 30 s, however long the interval and the outage', () => {
  const schedule = make({ intervalMs: 600_000 });
  for (let failure = 0; failure < 5_000; failure++) schedule.failed();
  assert.equal(schedule.nextDelay(0, false), 30_000);
});

test('backoff is jittered upwards, and no burst cuts it short', () => {
  const schedule = make({ intervalMs: 10_000, jitter: 0.5 }, () => 1 / 2);
  schedule.changed(0);
  schedule.setUnready(0, true);
  for (let failure = 0; failure < 4; failure++) schedule.failed();
  assert.equal(Math.round(schedule.nextDelay(0, false)), 5_120);
});

test('whatever happens, no wait is shorter than the floor or longer than the interval with its jitter', () => {
  const event = fc.oneof(
    fc.record({
      kind: fc.constantFrom(
        'answered' as const,
        'failed' as const,
        'changed' as const,
        'unready' as const,
        'ready' as const,
      ),
    }),
  );
  const interval = fc.integer({ min: 10, max: 100_000 });
  fc.assert(
    fc.property(interval, interval, fc.integer(), fc.array(event), (intervalMs, minIntervalMs, seed, events) => {
      const schedule = make({ intervalMs, minIntervalMs, jitter: 0.1 }, seededRandom(seed));
      let now = 0;
      for (const step of events) {
        if (step.kind === 'answered') schedule.answered();
        else if (step.kind === 'failed') schedule.failed();
        else if (step.kind === 'changed') schedule.changed(now);
        else schedule.setUnready(now, step.kind === 'unready');
        const delay = schedule.nextDelay(now, false);
        assert.ok(delay >= Math.min(schedule.floorMs, 1_000), `${delay} after ${step.kind}`);
        assert.ok(delay <= intervalMs * 1.1 + 1e-6, `${delay} after ${step.kind}`);
        now += delay;
      }
    }),
  );
});
