/** The rule `adaptive` beside the schedule: one extra query just after each expiry, and none without a cache. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheReading } from '../../lib/discovery/cache-reading.js';
import { Schedule } from '../../lib/discovery/schedule.js';
import { PLAIN_BITS } from '../../lib/dns/message.js';
import { covers } from '../faults/covers.js';

/** A poller's part of the work: an interval without jitter and bursts, and a channel that is READY. */
class Polling {
  readonly schedule: Schedule;
  readonly reading: CacheReading;

  constructor(intervalMs = 5_000) {
    this.schedule = new Schedule({ intervalMs, jitter: 0, minIntervalMs: 1_000, burstMs: 0 }, () => 0);
    const { floorMs } = this.schedule;
    this.reading = new CacheReading({ intervalMs, floorMs, jitter: 0, ttl: 'adaptive' }, () => 0);
  }

  answered(now: number, ttlMs: number): void {
    this.schedule.answered();
    const answer = { denied: false, ttlMs, addresses: ['10.0.0.1'] };
    this.reading.answered(now, PLAIN_BITS, new Map([['A', answer]]));
  }

  failed(now: number): void {
    this.schedule.failed();
    this.reading.failed(now, PLAIN_BITS);
  }

  nextDelay(now: number): number {
    const failing = this.schedule.failures > 0;
    const { delayMs, bits } = this.reading.next(now, {
      regularDelayMs: this.schedule.nextDelay(now, false),
      ready: true,
      failing,
    });
    assert.equal(bits, PLAIN_BITS);
    return delayMs;
  }

  /** When queries are made until `endMs`, if each is answered at once with the TTL of its moment. */
  times(endMs: number, ttlAt: (now: number) => number): number[] {
    const times: number[] = [];
    for (let now = 0; now < endMs; now += this.nextDelay(now)) {
      times.push(now);
      this.answered(now, ttlAt(now));
    }
    return times;
  }
}

const seconds = (ms: number): number => Math.ceil(ms / 1_000) * 1_000;

/** A cache that others keep filled: its entry expires every 30 s, first at 1234 ms, and its TTL counts down. */
const cached = (now: number): number => seconds(30_000 - ((((now - 1_234) % 30_000) + 30_000) % 30_000));

test('a live server, whose TTL is the same each time, gets one extra query at the start and no other', () => {
  for (const ttlMs of [0, 3_000, 30_000]) {
    const { length } = new Polling().times(300_000, () => ttlMs);
    assert.ok(length >= 60 && length <= 61, `TTL ${ttlMs}: ${length} queries`);
  }
});

test('behind a cache, where the TTL counts down, one extra query comes just after each expiry', () => {
  const times = new Polling().times(300_000, cached);
  for (let expiry = 31_234; expiry < 300_000; expiry += 30_000) {
    const after = times.filter((time) => time >= expiry && time < expiry + 1_000);
    assert.equal(after.length, 1, `expiry at ${expiry}`);
  }
  assert.ok(times.length <= 60 + 11, `${times.length} queries`);
});

/** A cache of 5 s that only this client fills: an entry lives from the query that found none. */
function loneCache(): (now: number) => number {
  let filledAt = Number.NEGATIVE_INFINITY;
  return (now) => {
    if (now - filledAt >= 5_000) filledAt = now;
    return seconds(filledAt + 5_000 - now);
  };
}

test('a cache whose entries live shorter than the interval stays known, though each query finds it empty', () => {
  const times = new Polling(20_000).times(600_000, loneCache());
  const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  assert.ok(Math.max(...waits) <= 5_050, `a wait of ${Math.max(...waits)} ms`);
  // A few look into the middle of an entry's life.
  assert.ok(times.length <= (600_000 / 5_050) * 1.1 + 2, `${times.length} queries`);
});

test('a cache that was first seen late in the lives of its entries stays known', () => {
  // Others keep it filled; the first regular queries come 21 and 22 s after an entry did.
  const filledAt = (now: number): number => 30_000 * Math.floor((now + 21_000) / 30_000) - 21_000;
  const ttlAt = (now: number): number => 30_000 - 1_000 * Math.floor((now - filledAt(now)) / 1_000);
  const times = new Polling(31_000).times(1_800_000, ttlAt);
  for (let expiry = 39_000; expiry < 1_800_000; expiry += 30_000)
    assert.ok(
      times.some((time) => time >= expiry && time <= expiry + 1_050),
      `the entry that came at ${expiry} was seen late`,
    );
});

test('a cache that lives shorter than the interval is forgotten soon after it is taken away', () => {
  const ttlAt = loneCache();
  const times = new Polling(20_000).times(600_000, (now) => (now < 100_000 ? ttlAt(now) : 5_000));
  const late = times.filter((time) => time > 250_000);
  assert.ok(late.length > 0 && late.length <= 350_000 / 20_000 + 1, `${late.length} queries`);
});

test('a cache that is taken away is forgotten after a few answers that do not count down', () => {
  const polling = new Polling();
  polling.answered(0, 9_000);
  polling.answered(2_000, 7_000);
  let now = 2_000;
  let answers = 0;
  for (; polling.reading.status(now).state !== 'none'; answers++) {
    now += polling.nextDelay(now);
    polling.answered(now, 9_000);
    assert.ok(answers < 80, 'the cache is never forgotten');
  }
  assert.equal(polling.nextDelay(now), 5_000);
});

test('a TTL of 0 behind a cache waits for the floor at least; a huge one for the interval', covers(27), () => {
  const polling = new Polling();
  polling.answered(0, 3_000);
  polling.answered(1_100, 2_000);
  polling.answered(3_000, 0);
  assert.ok(polling.nextDelay(3_000) >= 1_000);
  polling.answered(4_000, 2_147_483_647_000);
  assert.equal(polling.nextDelay(4_000), 5_000);
});

test('after a failure the backoff holds, whatever the cache was about to do', () => {
  const polling = new Polling();
  polling.answered(0, 9_000);
  polling.answered(5_000, 4_000);
  polling.failed(6_000);
  assert.equal(polling.nextDelay(6_000), 1_000);
});
