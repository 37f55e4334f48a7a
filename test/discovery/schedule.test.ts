import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type RefreshSettings, Schedule } from '../../lib/discovery/schedule.js';
import type { Random } from '../../lib/runtime.js';
import { covers } from '../faults/covers.js';
import { scriptedRandom, seededRandom } from '../support/fake-random.js';

const SETTINGS: RefreshSettings = {
  intervalMs: 5_000,
  jitter: 0,
  minIntervalMs: 1_000,
  burstMs: 30_000,
  ttl: 'adaptive',
};

function make(settings: Partial<RefreshSettings> = {}, random: Random = () => 0): Schedule {
  return new Schedule({ ...SETTINGS, ...settings }, random);
}

/** When queries are made until `endMs`, if each is answered at once with the TTL of its moment. */
function queryTimes(schedule: Schedule, endMs: number, ttlAt: (now: number) => number | null): number[] {
  const times: number[] = [];
  for (let now = 0; now < endMs; now += schedule.nextDelay(now)) {
    times.push(now);
    schedule.answered(now, ttlAt(now));
  }
  return times;
}

/** A cache that others keep filled: its entry expires every 30 s, first at 1234 ms, and its TTL counts down. */
const cached = (now: number): number => 30_000 - ((((now - 1_234) % 30_000) + 30_000) % 30_000);

test('waits are the interval and up to the jitter more, never less', () => {
  const schedule = make({ jitter: 0.2 }, scriptedRandom(0, 0.5, 0.999));
  assert.deepEqual(
    [1, 2, 3].map(() => Math.round(schedule.nextDelay(0))),
    [5_000, 5_500, 5_999],
  );
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, jitter) => {
      const delay = make({ jitter }, seededRandom(seed)).nextDelay(0);
      assert.ok(delay >= 5_000 && delay <= 5_000 * (1 + jitter), `${delay}`);
    }),
  );
});

test('a change brings a burst of polls at the floor, for as long as burstMs', () => {
  const schedule = make();
  schedule.changed(100);
  assert.equal(schedule.nextDelay(100), 1_000);
  assert.equal(schedule.nextDelay(30_099), 1_000);
  assert.equal(schedule.nextDelay(30_100), 5_000);
  schedule.changed(40_000);
  assert.equal(schedule.nextDelay(40_000), 1_000, 'the next change brings the next burst');
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
  assert.equal(schedule.nextDelay(0), 5_000);
  assert.equal(schedule.unreadyAt(0), null);
});

test('a burst is jittered too, so that clients do not ask at the same moments after a scale-up', () => {
  const schedule = make({ jitter: 0.1 }, () => 0.5);
  schedule.changed(0);
  assert.equal(schedule.nextDelay(0), 1_050);
});

test('an interval below minIntervalMs is the floor itself: bursts never slow polling down', () => {
  const schedule = make({ intervalMs: 200 });
  assert.equal(schedule.floorMs, 200);
  schedule.changed(0);
  assert.equal(schedule.nextDelay(0), 200);
});

test('failures back off from 1 s by 1.6, up to the interval, and one answer ends that', () => {
  const schedule = make({ intervalMs: 10_000 });
  const delays = Array.from({ length: 7 }, () => {
    schedule.failed();
    return Math.round(schedule.nextDelay(0));
  });
  assert.deepEqual(delays, [1_000, 1_600, 2_560, 4_096, 6_554, 10_000, 10_000]);
  assert.equal(schedule.failures, 7);
  schedule.answered(0, 5_000);
  assert.equal(schedule.failures, 0);
  assert.equal(schedule.nextDelay(0), 10_000);
  schedule.failed();
  assert.equal(schedule.nextDelay(0), 1_000);
});

test('backoff is at most 30 s, however long the interval and the outage', () => {
  const schedule = make({ intervalMs: 600_000 });
  for (let failure = 0; failure < 5_000; failure++) schedule.failed();
  assert.equal(schedule.nextDelay(0), 30_000);
});

test('backoff is jittered upwards, and no burst cuts it short', () => {
  const schedule = make({ intervalMs: 10_000, jitter: 0.5 }, () => 1 / 2);
  schedule.changed(0);
  schedule.setUnready(0, true);
  for (let failure = 0; failure < 4; failure++) schedule.failed();
  assert.equal(Math.round(schedule.nextDelay(0)), 5_120);
});

test('a live server, whose TTL is the same each time, gets no extra query', () => {
  for (const ttlMs of [0, 3_000, 30_000])
    assert.equal(queryTimes(make(), 300_000, () => ttlMs).length, 60, `TTL ${ttlMs}`);
});

test('behind a cache, where the TTL counts down, one extra query comes just after each expiry', () => {
  const times = queryTimes(make(), 300_000, cached);
  for (let expiry = 31_234; expiry < 300_000; expiry += 30_000) {
    const after = times.filter((time) => time >= expiry && time < expiry + 1_000);
    assert.equal(after.length, 1, `expiry at ${expiry}`);
    assert.ok((after[0] ?? 0) - expiry <= 50);
  }
  assert.ok(times.length <= 60 + 10, `${times.length} queries`);
});

/** A cache of 5 s that only this client fills: an entry lives from the query that found none. */
function loneCache(): (now: number) => number {
  let filledAt = Number.NEGATIVE_INFINITY;
  return (now) => {
    if (now - filledAt >= 5_000) filledAt = now;
    return Math.ceil((filledAt + 5_000 - now) / 1_000) * 1_000;
  };
}

test('a cache whose entries live shorter than the interval stays known, though each query finds it empty', () => {
  const schedule = make({ intervalMs: 20_000 });
  const ttlAt = loneCache();
  schedule.answered(-2_000, ttlAt(-2_000));
  const times = queryTimes(schedule, 600_000, ttlAt);
  const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  assert.ok(Math.max(...waits) <= 5_050, `a wait of ${Math.max(...waits)} ms`);
  // One in nine looks into the middle of an entry's life.
  assert.ok(times.length <= (600_000 / 5_050) * 1.1 + 2, `${times.length} queries`);
});

test('a cache that was first seen late in the lives of its entries stays known', () => {
  // Others keep it filled; the first regular queries come 21 and 22 s after an entry did.
  const filledAt = (now: number): number => 30_000 * Math.floor((now + 21_000) / 30_000) - 21_000;
  const ttlAt = (now: number): number => 30_000 - 1_000 * Math.floor((now - filledAt(now)) / 1_000);
  const times = queryTimes(make({ intervalMs: 31_000 }), 1_800_000, ttlAt);
  for (let expiry = 39_000; expiry < 1_800_000; expiry += 30_000)
    assert.ok(
      times.some((time) => time >= expiry && time <= expiry + 1_050),
      `the entry that came at ${expiry} was seen late`,
    );
});

test('a cache that lives shorter than the interval is forgotten soon after it is taken away', () => {
  const schedule = make({ intervalMs: 20_000 });
  const ttlAt = loneCache();
  schedule.answered(-2_000, ttlAt(-2_000));
  const times = queryTimes(schedule, 600_000, (now) => (now < 100_000 ? ttlAt(now) : 5_000));
  const late = times.filter((time) => time > 170_000);
  assert.ok(late.length > 0 && late.length <= 430_000 / 20_000 + 1, `${late.length} queries`);
});

test("ttl 'ignore' asks at the interval whatever TTLs do", () => {
  assert.deepEqual(
    queryTimes(make({ ttl: 'ignore' }), 300_000, cached),
    Array.from({ length: 60 }, (_, poll) => poll * 5_000),
  );
});

test('a cache that is taken away is forgotten after eight answers', () => {
  const schedule = make();
  schedule.answered(0, 9_000);
  const delays = Array.from({ length: 9 }, () => {
    schedule.answered(0, 4_000);
    return schedule.nextDelay(0);
  });
  assert.deepEqual(delays, [...Array(7).fill(4_050), 5_000, 5_000]);
});

test('a TTL of 0 behind a cache waits for the floor; a huge one for the interval', covers(27), () => {
  const schedule = make();
  schedule.answered(0, 1_000);
  schedule.answered(0, 0);
  assert.equal(schedule.nextDelay(0), 1_000);
  schedule.answered(0, 2_147_483_647_000);
  assert.equal(schedule.nextDelay(0), 5_000);
  schedule.answered(0, Number.POSITIVE_INFINITY);
  assert.equal(schedule.nextDelay(0), 5_000);
});

test('an expiry is forgotten when a failure or an empty answer follows', () => {
  const schedule = make();
  schedule.answered(0, 9_000);
  schedule.answered(0, 4_000);
  schedule.failed();
  assert.equal(schedule.nextDelay(0), 1_000);
  schedule.answered(0, null);
  assert.equal(schedule.nextDelay(0), 5_000);
});

test('whatever happens, no wait is shorter than the floor or longer than the interval with its jitter', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('answered' as const), ttl: fc.option(fc.nat(60_000)) }),
    fc.record({ kind: fc.constantFrom('failed' as const, 'changed' as const, 'unready' as const, 'ready' as const) }),
  );
  const interval = fc.integer({ min: 10, max: 100_000 });
  fc.assert(
    fc.property(interval, interval, fc.integer(), fc.array(event), (intervalMs, minIntervalMs, seed, events) => {
      const schedule = make({ intervalMs, minIntervalMs, jitter: 0.1 }, seededRandom(seed));
      let now = 0;
      for (const step of events) {
        if (step.kind === 'answered') schedule.answered(now, step.ttl);
        else if (step.kind === 'failed') schedule.failed();
        else if (step.kind === 'changed') schedule.changed(now);
        else schedule.setUnready(now, step.kind === 'unready');
        const delay = schedule.nextDelay(now);
        assert.ok(delay >= Math.min(schedule.floorMs, 1_000), `${delay} after ${step.kind}`);
        assert.ok(delay <= intervalMs * 1.1 + 1e-6, `${delay} after ${step.kind}`);
        now += delay;
      }
    }),
  );
});
