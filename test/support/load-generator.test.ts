import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { FakeClock, settle } from './fake-clock.js';
import { seededRandom } from './fake-random.js';
import type { Call, CallEnd } from './hello-calls.js';
import { ClosedLoop, OpenLoop } from './load-generator.js';

const ANSWER: CallEnd = { pod: 'pod', peer: null, code: status.OK, details: '', committed: true, mismatch: null };

/** Each call takes so long on the clock. */
function callOf(clock: FakeClock, ms: number): Call & { most: number } {
  let now = 0;
  return {
    kind: 'unary',
    most: 0,
    start() {
      this.most = Math.max(this.most, ++now);
      return new Promise((resolve) =>
        clock.setTimer(ms, () => {
          now -= 1;
          resolve(ANSWER);
        }),
      );
    },
  };
}

/** Stops while time goes on. */
async function stop(clock: FakeClock, load: { stop(): Promise<void> }, ms = 1_000): Promise<void> {
  const stopped = load.stop();
  await clock.advance(ms);
  await stopped;
}

test('an open loop starts calls at its rate, whether or not earlier ones have ended', async () => {
  const clock = new FakeClock();
  const call = callOf(clock, 500);
  const load = new OpenLoop(call, { callsPerSecond: 100, random: () => 0, clock });
  load.start();
  await clock.advance(995);
  assert.equal(load.recorder.started, 100);
  assert.equal(load.recorder.answered, 50);
  assert.equal(call.most, 50);
  await stop(clock, load);
  assert.equal(load.recorder.started, 100);
  assert.equal(load.recorder.answered, 100);
  assert.equal(clock.timers, 0);
});

test('latency in an open loop counts from the moment a call was due, also when the generator was late', async () => {
  const clock = new FakeClock();
  const load = new OpenLoop(callOf(clock, 10), { callsPerSecond: 10, random: () => 0, clock });
  const due: number[] = [];
  load.recorder.subscribe(({ dueAt }) => due.push(dueAt));
  const startedAt = clock.now();
  load.start();
  await clock.advance(50);
  // The event loop stood still: the timer of the second call fires 300 ms late.
  clock.stall(350);
  await clock.advance(10);
  assert.deepEqual(
    due.map((at) => at - startedAt),
    [0, 100, 200, 300, 400],
  );
  const { maxMs } = load.recorder.report().latency;
  assert.ok(Math.abs(maxMs - 310) < 1, `${maxMs}`);
  await stop(clock, load);
});

test('poisson arrivals keep the rate on average, and are not evenly spaced', async () => {
  const clock = new FakeClock();
  const random = seededRandom(7);
  const load = new OpenLoop(callOf(clock, 1), { callsPerSecond: 100, arrivals: 'poisson', random, clock });
  const due: number[] = [];
  load.recorder.subscribe(({ dueAt }) => due.push(dueAt));
  load.start();
  await clock.advance(20_000);
  await stop(clock, load);
  assert.ok(due.length > 1_800 && due.length < 2_200, `${due.length} calls in 20 s`);
  const gaps = due.slice(1).map((at, index) => at - (due[index] as number));
  assert.ok(Math.min(...gaps) < 1 && Math.max(...gaps) > 30);
});

test('a closed loop keeps N calls in flight, and starts none after it is stopped', async () => {
  const clock = new FakeClock();
  const call = callOf(clock, 100);
  const load = new ClosedLoop(call, { inFlight: 3, clock });
  load.start();
  await clock.advance(1_050);
  assert.equal(load.recorder.answered, 30);
  assert.equal(load.recorder.underWay.size, 3);
  assert.equal(call.most, 3);
  await stop(clock, load);
  assert.equal(load.recorder.answered, 33);
  assert.equal(clock.timers, 0);
});

test('a closed loop pauses between two calls, and stopping it ends the pauses', async () => {
  const clock = new FakeClock();
  const load = new ClosedLoop(callOf(clock, 10), { inFlight: 2, pauseMs: () => 90, clock });
  load.start();
  await clock.advance(450);
  assert.equal(load.recorder.answered, 10);
  await load.stop();
  await settle();
  assert.equal(clock.timers, 0);
  assert.equal(load.recorder.started, 10);
});

test('a closed loop with a number of calls makes exactly those', async () => {
  const clock = new FakeClock();
  const load = new ClosedLoop(callOf(clock, 10), { inFlight: 4, calls: 10, clock });
  const done = load.run();
  await clock.advance(100);
  await done;
  assert.equal(load.recorder.answered, 10);
});

test('a call that rejects, as on a closed client, is a failed call', async () => {
  const clock = new FakeClock();
  const call: Call = { kind: 'unary', start: () => Promise.reject(new Error('closed')) };
  const load = new ClosedLoop(call, { inFlight: 1, calls: 2, clock });
  await load.run();
  assert.deepEqual(
    load.recorder.failures.map(({ code, details }) => [code, details]),
    [
      [status.UNKNOWN, 'closed'],
      [status.UNKNOWN, 'closed'],
    ],
  );
});
