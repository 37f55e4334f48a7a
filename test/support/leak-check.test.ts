import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually } from './eventually.js';
import { leakCheck } from './leak-check.js';

/** Starts a check as a test would, and gives back what node:test would run at that test's end. */
function check(options = { timeoutMs: 50 }) {
  let end = async (): Promise<void> => {};
  const t = {
    after: (hook: () => Promise<void>) => {
      end = hook;
    },
  };
  const defer = leakCheck(t as unknown as TestContext, options);
  return { defer, end: () => end() };
}

test("a socket, a listener or a timer left behind fails the test and is named, unref'd sockets too", async () => {
  const { end } = check();
  const listener = createServer().listen(0, '127.0.0.1');
  const socket = createSocket('udp4').bind(0, '127.0.0.1').unref();
  await Promise.all([once(listener, 'listening'), once(socket, 'listening')]);
  const timer = setTimeout(() => {}, 60_000);
  await assert.rejects(end(), (error: assert.AssertionError) => {
    const leaks = (error.actual as string[]).join('\n');
    assert.match(leaks, /tcp 127\.0\.0\.1:\d+ listening/);
    assert.match(leaks, /udp 127\.0\.0\.1:\d+ \(unref'd\)/);
    assert.match(leaks, /1 timer/);
    return true;
  });
  clearTimeout(timer);
  socket.close();
  listener.close();
});

test('clean-ups run last in, first out, each of them, and what closes a little later is waited for', async () => {
  const { defer, end } = check({ timeoutMs: 2_000 });
  const order: string[] = [];
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  defer(() => {
    order.push('first');
    setTimeout(() => socket.close(), 60).unref();
  });
  defer(() => {
    order.push('second');
    throw new Error('of the second');
  });
  await assert.rejects(end(), /of the second/);
  assert.deepEqual(order, ['second', 'first']);
});

test('eventually gives the value, or the last error of its check', async () => {
  let calls = 0;
  assert.equal(await eventually(() => ++calls >= 3 && calls, { intervalMs: 1 }), 3);
  await assert.rejects(
    eventually(() => assert.equal(calls, 4), { timeoutMs: 20, intervalMs: 5 }),
    assert.AssertionError,
  );
  await assert.rejects(
    eventually(() => false, { timeoutMs: 20, intervalMs: 5 }),
    /still false after 20 ms/,
  );
});
