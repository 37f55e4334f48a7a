import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { ImbalanceSource } from '../lib/reopening-queue.js';
import { type ReopenableCall, ReopeningStream } from '../lib/reopening-stream.js';
import { MAX_TIMER_MS } from '../lib/runtime.js';
import type { ImbalanceEvent } from '../lib/telemetry/channel-events.js';
import { FakeClock } from './support/fake-clock.js';
import { seededRandom } from './support/fake-random.js';

class FakeCall extends EventEmitter implements ReopenableCall {
  cancelled = false;
  readonly peer: string;

  constructor(peer: string) {
    super();
    this.peer = peer;
  }

  cancel(): void {
    this.cancelled = true;
    this.emit('status');
  }

  getPeer(): string {
    return this.peer;
  }
}

/** `peers` are the pods that the next calls go to; then the last of them is repeated. */
function fixture(...peers: string[]) {
  const emitter = new EventEmitter();
  const clock = new FakeClock();
  const runtime = { clock, random: seededRandom(7), turns: { current: () => 0 } };
  const calls: FakeCall[] = [];
  const open = (): FakeCall => {
    const call = new FakeCall(peers[Math.min(calls.length, peers.length - 1)] ?? 'a');
    calls.push(call);
    return call;
  };
  const stream = (intervalMs?: number) =>
    new ReopeningStream(emitter as unknown as ImbalanceSource, open, { intervalMs }, runtime);
  const uneven = (excess: Record<string, number>): void => {
    const endpoints = Object.entries(excess).map(([address, more]) => ({ address, streams: 9, excess: more }));
    emitter.emit('imbalance', { share: 3, endpoints } satisfies ImbalanceEvent);
  };
  return { emitter, clock, calls, open, stream, uneven };
}

test('a stream on a pod with too many is opened anew, and the old call is cancelled when the new one has its headers', async () => {
  const { stream, calls, uneven, clock } = fixture('a', 'b');
  const one = stream();
  assert.equal(one.current, calls[0]);
  uneven({ a: 1 });
  await clock.advance(10_000);
  assert.deepEqual([calls.length, one.current === calls[0], calls[0]?.cancelled], [2, true, false]);
  calls[1]?.emit('metadata');
  assert.deepEqual([one.current === calls[1], calls[0]?.cancelled, calls[1]?.cancelled], [true, true, false]);
});

test('streams on other pods stay, and no more are moved than are too many', async () => {
  const { stream, calls, uneven, clock } = fixture('a', 'a', 'a', 'a', 'b', 'c');
  for (let count = 0; count < 5; count++) stream();
  uneven({ a: 2 });
  await clock.advance(10_000);
  assert.equal(calls.length, 7);
  for (const call of calls.slice(5)) call.emit('metadata');
  assert.equal(calls.filter(({ peer, cancelled }) => peer === 'a' && cancelled).length, 2);
  assert.equal(calls[4]?.cancelled, false);
});

test('reopenings are spaced by the interval and a random part, and end in time for the next event', async () => {
  const { stream, calls, uneven, clock } = fixture('a');
  for (let count = 0; count < 100; count++) stream(100);
  const before = calls.length;
  const at: number[] = [];
  uneven({ a: 100 });
  for (let ms = 0; ms < 10_000; ms += 10) {
    await clock.advance(10);
    while (at.length < calls.length - before) at.push(ms);
  }
  assert.ok((at[0] ?? 0) < 3_000);
  for (const [index, ms] of at.entries()) if (index > 0) assert.ok(ms - (at[index - 1] ?? 0) >= 90);
  assert.ok(at.length > 20 && at.length < 80, `${at.length} reopened`);
  assert.ok((at.at(-1) ?? 0) <= 8_000);
});

test('a stream that moved or ended meanwhile is not opened anew', async () => {
  const { stream, calls, uneven, clock } = fixture('a', 'a', 'b');
  const [ends, moves] = [stream(), stream()];
  uneven({ a: 2 });
  calls[0]?.emit('status');
  moves.reopen();
  calls[2]?.emit('metadata');
  await clock.advance(10_000);
  assert.equal(calls.length, 3);
  assert.equal(ends.current, calls[0]);
  assert.equal(moves.current, calls[2]);
});

test('a stream that ended by itself is opened anew on request, and is in use at once', () => {
  const { stream, calls } = fixture('a');
  const one = stream();
  calls[0]?.emit('status');
  one.reopen();
  assert.equal(one.current, calls[1]);
  one.reopen();
  one.reopen();
  assert.equal(calls.length, 3, 'one new call at a time');
});

test('a new call that fails before its headers leaves the old one in use', () => {
  const { stream, calls } = fixture('a');
  const one = stream();
  one.reopen();
  calls[1]?.emit('status');
  assert.deepEqual([one.current === calls[0], calls[0]?.cancelled], [true, false]);
  one.reopen();
  calls[2]?.emit('metadata');
  assert.equal(one.current, calls[2]);
});

test('after close nothing is opened, and neither a listener nor a timer is left', async () => {
  const { stream, calls, uneven, emitter, clock } = fixture('a');
  const [one, other] = [stream(), stream()];
  uneven({ a: 2 });
  one.reopen();
  one.close();
  one.close();
  assert.deepEqual([calls[0]?.cancelled, calls[2]?.cancelled, calls[1]?.cancelled], [true, true, false]);
  other.close();
  one.reopen();
  assert.deepEqual([emitter.listenerCount('imbalance'), clock.timers], [0, 0]);
  await clock.advance(10_000);
  assert.equal(calls.length, 3);
});

test('a function that throws is told at construction, and later leaves the call in use', async () => {
  const { emitter, stream, calls, uneven, clock } = fixture('a');
  const failing = (): never => {
    throw new Error('the channel is closed');
  };
  assert.throws(() => new ReopeningStream(emitter as unknown as ImbalanceSource, failing), /is closed/);
  assert.equal(emitter.listenerCount('imbalance'), 0);
  const one = stream();
  calls.push = failing;
  assert.throws(() => one.reopen(), /is closed/);
  uneven({ a: 1 });
  await clock.advance(10_000);
  assert.equal(one.current, calls[0]);
  assert.equal(calls[0]?.cancelled, false);
});

/** The user's listener opens the stream again, a second after its current call ended. */
function keptOpen() {
  const clock = new FakeClock();
  const runtime = { clock, random: seededRandom(7), turns: { current: () => 0 } };
  const calls: FakeCall[] = [];
  const told: string[] = [];
  const stream: ReopeningStream<FakeCall> = new ReopeningStream(
    new EventEmitter() as unknown as ImbalanceSource,
    () => {
      const call = new FakeCall('a');
      const number = calls.push(call);
      for (const event of ['error', 'status'])
        call.on(event, () => {
          if (call !== stream.current) return;
          told.push(`${event} of ${number}`);
          if (event === 'status') clock.setTimer(1_000, () => stream.reopen());
        });
      return call;
    },
    {},
    runtime,
  );
  /** In the order of grpc-js. */
  const fail = (number: number): void => {
    calls[number - 1]?.emit('error', new Error('UNAVAILABLE'));
    calls[number - 1]?.emit('status');
  };
  return { stream, clock, calls, told, fail };
}

test('a call on its way is the current one as soon as the old one ends, and its own end is told', async () => {
  const { stream, clock, calls, told, fail } = keptOpen();
  calls[0]?.emit('metadata');
  stream.reopen();
  fail(1);
  assert.equal(stream.current, calls[1]);
  assert.deepEqual(told, [], 'the old call was replaced before its listeners were called');
  await clock.advance(2_000);
  assert.equal(calls.length, 2);
  fail(2);
  assert.deepEqual(told, ['error of 2', 'status of 2']);
  await clock.advance(1_000);
  assert.deepEqual([calls.length, stream.current === calls[2]], [3, true]);
  // Its life goes on: another reopening replaces it when the headers come.
  calls[2]?.emit('metadata');
  stream.reopen();
  calls[3]?.emit('metadata');
  assert.deepEqual([stream.current === calls[3], calls[2]?.cancelled, told.length], [true, true, 2]);
});

test('where the new call fails first, the end of the old one is told, and the stream is opened again', async () => {
  const { stream, clock, calls, told, fail } = keptOpen();
  stream.reopen();
  fail(2);
  assert.deepEqual([stream.current === calls[0], told], [true, []]);
  fail(1);
  assert.deepEqual(told, ['error of 1', 'status of 1']);
  await clock.advance(1_000);
  assert.deepEqual([calls.length, stream.current === calls[2]], [3, true]);
});

test('a stream that ends without an error is replaced by the call on its way, too', () => {
  const { stream, calls, told } = keptOpen();
  stream.reopen();
  calls[0]?.emit('status');
  assert.deepEqual([stream.current === calls[1], told], [true, []]);
  stream.reopen();
  assert.equal(calls.length, 3, 'one more may be opened while the current one has no headers');
});

test('a call whose methods are the least that is asked for is replaced as well', () => {
  const listeners: (() => void)[] = [];
  const open = () => ({
    cancel: () => {},
    getPeer: () => 'a',
    once: (event: string, listener: () => void) => event === 'status' && listeners.push(listener),
  });
  const stream = new ReopeningStream(new EventEmitter() as unknown as ImbalanceSource, open);
  const first = stream.current;
  stream.reopen();
  assert.equal(stream.current, first);
  listeners[0]?.();
  assert.notEqual(stream.current, first);
});

test('an error that nobody listens to stays uncaught', () => {
  const { stream, calls } = fixture('a');
  stream();
  assert.throws(() => calls[0]?.emit('error', new Error('UNAVAILABLE')), /UNAVAILABLE/);
});

test('wrong arguments and options are refused, with their names, the value and the remedy', () => {
  const { emitter, open } = fixture('a');
  const channel = emitter as unknown as ImbalanceSource;
  const make = (...args: unknown[]) => Reflect.construct(ReopeningStream, args);
  const refused: [args: unknown[], message: string][] = [
    [[channel, open, { interval: 5 }], 'unknown option ReopeningStream.interval (value 5): did you mean "intervalMs"?'],
    [[channel, open, 5], 'option ReopeningStream must be an object, got 5'],
    [[channel, null], 'option ReopeningStream.open must be a function that makes a call and returns it, got null'],
    [
      [channel, () => null],
      'option ReopeningStream.open must return the call that it made, such as client.Watch(request), got null',
    ],
    [[null, open], 'option ReopeningStream.channel must be a HeadlessChannel such as client.getChannel(), got null'],
    ...[-1, Number.NaN, '5', 2 ** 31, 3_000_000_000, Number.POSITIVE_INFINITY].map((value): [unknown[], string] => [
      [channel, open, { intervalMs: value }],
      `option ReopeningStream.intervalMs must be a number of milliseconds from 0 to 2147483647, got ${
        typeof value === 'string' ? JSON.stringify(value) : value
      }`,
    ]),
  ];
  for (const [args, message] of refused) assert.throws(() => make(...args), { code: 'ERR_HEADLESS_OPTION', message });
  assert.equal(emitter.listenerCount('imbalance'), 0);
});

test('with the longest interval one stream is moved, and no timer is longer than timers can be', async () => {
  const { stream, calls, uneven, clock } = fixture('a');
  for (let count = 0; count < 5; count++) stream(MAX_TIMER_MS);
  const delays: number[] = [];
  const { setTimer } = clock;
  clock.setTimer = (delayMs, callback) => {
    delays.push(delayMs);
    return setTimer.call(clock, delayMs, callback);
  };
  uneven({ a: 5 });
  await clock.advance(20_000);
  assert.equal(calls.length, 6);
  assert.deepEqual([delays.length, Math.max(...delays)], [2, MAX_TIMER_MS]);
});
