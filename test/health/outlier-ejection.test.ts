import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { OutlierEjection, type OutlierSettings } from '../../lib/health/outlier-ejection.js';
import { resolveOptions } from '../../lib/options.js';
import { covers } from '../faults/covers.js';
import { balancerFixture } from '../support/balancer-fixture.js';
import type { FakeSubchannel } from '../support/fake-subchannel.js';

const { OK, UNAVAILABLE, DEADLINE_EXCEEDED, NOT_FOUND, CANCELLED } = status;
const DEFAULTS = resolveOptions({ outlier: true }).outlier as OutlierSettings;

/** Pods named by letters, all READY, with outlier ejection. */
function fixture(pods: string, settings: Partial<OutlierSettings> = {}) {
  const made = balancerFixture({
    monitors: ({ emit, runtime: { clock } }) => [new OutlierEjection({ ...DEFAULTS, ...settings }, { clock, emit })],
  });
  made.give(pods);
  made.up(pods);
  /** Begins a call on this pod, which has to be picked; the function ends it. */
  const callOn = (pod: string): ((code: status) => void) => {
    for (let pick = 0; pick < 100; pick++) {
      const result = made.pick();
      if ((result.subchannel as FakeSubchannel | null)?.address !== `${pod}:50051`) continue;
      result.onCallStarted?.();
      return (code) => result.onCallEnded?.(code, '', {} as never);
    }
    throw new Error(`${pod} is not picked`);
  };
  const calls = (pod: string, times: number, code: status): void => {
    const ends = Array.from({ length: times }, () => callOn(pod));
    for (const end of ends) end(code);
  };
  const ejected = (pod: string) =>
    made.balancer.endpoints().find(({ address }) => address === `${pod}:50051`)?.ejected ?? null;
  const told = (): string[] =>
    made.events.flatMap((event) =>
      event.kind === 'ejected' || event.kind === 'ejection_ended' ? [`${event.kind} ${event.address[0]}`] : [],
    );
  return { ...made, callOn, calls, ejected, told };
}

test('a pod with five failures in a row gets no calls for ten seconds, and the snapshot tells why and till when', async () => {
  const { calls, serving, ejected, clock, events, counters, states } = fixture('abc');
  calls('a', 4, UNAVAILABLE);
  assert.equal(serving(), 'abc');
  calls('a', 1, DEADLINE_EXCEEDED);
  assert.equal(serving(), 'bc');
  const ejection = {
    reason: 'consecutive_failures',
    details: '5 failures in a row, the last one DEADLINE_EXCEEDED',
    since: clock.wallTime(),
    untilMs: clock.wallTime() + 10_000,
    ejections: 1,
  };
  assert.deepEqual(ejected('a'), ejection);
  assert.deepEqual(events.at(-1), { kind: 'ejected', address: 'a:50051', ejection });
  assert.equal(counters.ejections, 1);
  assert.equal(states()['a'], 'ready');
  await clock.advance(9_999);
  assert.equal(serving(), 'bc');
  await clock.advance(1);
  assert.equal(serving(), 'abc');
  assert.equal(ejected('a'), null);
  assert.deepEqual(events.at(-1), { kind: 'ejection_ended', address: 'a:50051' });
});

test('a success between failures starts the count anew', () => {
  const { calls, serving } = fixture('ab');
  for (let round = 0; round < 5; round++) {
    calls('a', 4, UNAVAILABLE);
    calls('a', 1, OK);
  }
  assert.equal(serving(), 'ab');
});

test('codes that are not listed show that the pod answers; a cancelled call shows nothing', () => {
  const { calls, serving } = fixture('ab');
  calls('a', 50, NOT_FOUND);
  calls('a', 4, UNAVAILABLE);
  calls('a', 10, NOT_FOUND);
  calls('a', 4, UNAVAILABLE);
  calls('a', 10, CANCELLED);
  assert.equal(serving(), 'ab');
  calls('a', 1, UNAVAILABLE);
  assert.equal(serving(), 'b');
});

test("the user's codes take the place of the default ones", () => {
  const { calls, serving } = fixture('ab', { codes: ['NOT_FOUND'] });
  calls('a', 50, UNAVAILABLE);
  assert.equal(serving(), 'ab');
  calls('b', 5, NOT_FOUND);
  assert.equal(serving(), 'a');
});

test('0 consecutive failures turns that rule off', () => {
  const { calls, serving } = fixture('ab', { consecutiveFailures: 0 });
  calls('a', 500, UNAVAILABLE);
  assert.equal(serving(), 'ab');
});

test('a pod where half of ten calls or more failed in an interval is ejected as the interval ends', async () => {
  const { calls, serving, ejected, clock } = fixture('abc');
  for (let call = 0; call < 5; call++) {
    calls('a', 1, UNAVAILABLE);
    calls('a', 1, OK);
  }
  // Four of nine are too few calls, and eleven of 23 too few failures.
  for (let call = 0; call < 4; call++) {
    calls('b', 1, UNAVAILABLE);
    calls('b', 1, OK);
  }
  calls('b', 1, UNAVAILABLE);
  for (let call = 0; call < 11; call++) {
    calls('c', 1, UNAVAILABLE);
    calls('c', 1, OK);
  }
  calls('c', 1, OK);
  assert.equal(serving(), 'abc');
  await clock.advance(10_000);
  assert.equal(serving(), 'bc');
  assert.deepEqual(
    [ejected('a')?.reason, ejected('a')?.details],
    ['failure_percentage', '5 of 10 calls failed in 10000 ms'],
  );
});

test('failures of an interval that has ended do not count in the next', async () => {
  const { calls, serving, clock } = fixture('ab', { consecutiveFailures: 0 });
  calls('a', 9, UNAVAILABLE);
  await clock.advance(10_000);
  calls('a', 9, UNAVAILABLE);
  await clock.advance(10_000);
  assert.equal(serving(), 'ab');
});

test('of several pods that fail, the worst are ejected, no more than the allowed part of the set', async () => {
  const { calls, serving, clock } = fixture('abcd', { consecutiveFailures: 0 });
  for (const [pod, failures] of [
    ['a', 6],
    ['b', 10],
    ['c', 7],
    ['d', 9],
  ] as const) {
    calls(pod, failures, UNAVAILABLE);
    calls(pod, 10 - failures, OK);
  }
  await clock.advance(10_000);
  assert.equal(serving(), 'ac');
});

test('a small part of a small set is no pod at all', () => {
  const { calls, serving } = fixture('abcd', { maxEjectionPercent: 24 });
  calls('a', 50, UNAVAILABLE);
  assert.equal(serving(), 'abcd');
});

test('one pod stays, whatever part of the set may be ejected', () => {
  const { calls, serving } = fixture('ab', { maxEjectionPercent: 100 });
  calls('a', 5, UNAVAILABLE);
  calls('b', 50, UNAVAILABLE);
  assert.equal(serving(), 'b');
});

test('a single pod is never ejected', () => {
  const { calls, serving } = fixture('a', { maxEjectionPercent: 100 });
  calls('a', 50, UNAVAILABLE);
  assert.equal(serving(), 'a');
});

test('a pod is not ejected while no other one is connected', () => {
  const { calls, serving, pod } = fixture('ab', { maxEjectionPercent: 100 });
  pod('b').become('IDLE');
  calls('a', 5, UNAVAILABLE);
  assert.equal(serving(), 'a');
  pod('b').become('READY');
  calls('a', 5, UNAVAILABLE);
  assert.equal(serving(), 'b');
});

test('a pod that could not be ejected is ejected after five failures more, once it may be', async () => {
  const { calls, serving, clock } = fixture('ab');
  calls('a', 5, UNAVAILABLE);
  calls('b', 5, UNAVAILABLE);
  assert.equal(serving(), 'b');
  await clock.advance(10_000);
  calls('a', 1, OK);
  calls('b', 4, UNAVAILABLE);
  assert.equal(serving(), 'ab');
  calls('b', 1, UNAVAILABLE);
  assert.equal(serving(), 'a');
});

test('after an ejection one call tries the pod, alone; it succeeds, and the pod is back', async () => {
  const { calls, callOn, serving, clock, told } = fixture('abc');
  calls('a', 5, UNAVAILABLE);
  await clock.advance(10_000);
  const end = callOn('a');
  assert.equal(serving(), 'bc');
  end(OK);
  assert.equal(serving(), 'abc');
  calls('a', 4, UNAVAILABLE);
  assert.equal(serving(), 'abc');
  assert.deepEqual(told(), ['ejected a', 'ejection_ended a']);
});

test('where the call that tries it fails, the pod is ejected again, each time for longer, up to the longest time', async () => {
  const { callOn, calls, ejected, serving, clock } = fixture('abc', { maxEjectionMs: 25_000 });
  calls('a', 5, UNAVAILABLE);
  const durations: number[] = [];
  for (let round = 0; round < 4; round++) {
    const { since, untilMs } = ejected('a') ?? assert.fail();
    durations.push(untilMs - since);
    await clock.advance(untilMs - since);
    callOn('a')(UNAVAILABLE);
    assert.equal(serving(), 'bc');
    assert.equal(ejected('a')?.reason, 'failed_return');
  }
  assert.deepEqual(durations, [10_000, 20_000, 25_000, 25_000]);
});

test('an ejection time grows by the ejections that are not yet made good by intervals without one', async () => {
  const { calls, ejected, clock } = fixture('abc');
  const nextMs = (): number => {
    calls('a', 5, UNAVAILABLE);
    const { since, untilMs } = ejected('a') ?? assert.fail();
    return untilMs - since;
  };
  assert.equal(nextMs(), 10_000);
  await clock.advance(10_000);
  calls('a', 1, OK);
  assert.equal(nextMs(), 20_000);
  await clock.advance(20_000);
  calls('a', 1, OK);
  await clock.advance(20_000);
  assert.equal(nextMs(), 10_000);
});

test('a call that stays open does not keep its pod out after an ejection', async () => {
  const { calls, callOn, serving, clock } = fixture('abc');
  calls('a', 5, UNAVAILABLE);
  await clock.advance(10_000);
  const end = callOn('a');
  await clock.advance(10_000);
  assert.equal(serving(), 'abc');
  // Its end decides all the same.
  end(UNAVAILABLE);
  assert.equal(serving(), 'bc');
});

test('calls that were in flight at the ejection change nothing when they end', async () => {
  const { calls, callOn, serving, ejected, clock } = fixture('abc');
  const ends = Array.from({ length: 20 }, () => callOn('a'));
  calls('a', 5, UNAVAILABLE);
  for (const end of ends) end(UNAVAILABLE);
  assert.equal(ejected('a')?.ejections, 1);
  await clock.advance(10_000);
  assert.equal(serving(), 'abc');
});

test('an ejection outlasts a lost connection', async () => {
  const { calls, serving, pod, clock } = fixture('abc');
  calls('a', 5, UNAVAILABLE);
  pod('a').become('IDLE');
  pod('a').become('READY');
  assert.equal(serving(), 'bc');
  await clock.advance(10_000);
  assert.equal(serving(), 'abc');
});

test('a pod that drains is not ejected, and is no part of the set', () => {
  const { callOn, calls, give, serving, told } = fixture('abcd');
  const ends = Array.from({ length: 5 }, () => callOn('d'));
  calls('a', 5, UNAVAILABLE);
  give('abc');
  for (const end of ends) end(UNAVAILABLE);
  // Two of three would be more than half.
  calls('b', 5, UNAVAILABLE);
  assert.equal(serving(), 'bc');
  assert.deepEqual(told(), ['ejected a']);
});

test('an ejected pod that is alone in the set serves: panic, and it is told', covers(59), async () => {
  const { calls, serving, pod, events, counters, clock } = fixture('ab');
  calls('a', 5, UNAVAILABLE);
  pod('b').become('IDLE');
  assert.equal(serving(), 'none');
  await clock.advance(1_000);
  assert.equal(serving(), 'a');
  assert.deepEqual(events.at(-1), { kind: 'panic', active: true, addresses: ['a:50051'] });
  assert.equal(counters.panics, 1);
  pod('b').become('READY');
  assert.equal(serving(), 'b');
  assert.deepEqual(events.at(-1), { kind: 'panic', active: false, addresses: [] });
});

test('a channel that is closed leaves no timer', () => {
  const { calls, balancer, clock } = fixture('ab');
  calls('a', 5, UNAVAILABLE);
  assert.ok(clock.timers > 0);
  balancer.destroy();
  assert.equal(clock.timers, 0);
});
