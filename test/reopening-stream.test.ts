import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { ImbalanceSource } from '../lib/reopening-queue.js';
import { type ReopenableCall, ReopeningStream } from '../lib/reopening-stream.js';
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

test('a wrong interval is refused', () => {
  const { stream } = fixture('a');
  for (const interval of [-1, Number.NaN, '5' as unknown as number])
    assert.throws(() => stream(interval), { code: 'ERR_HEADLESS_OPTION' });
});
