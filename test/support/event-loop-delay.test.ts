import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventLoopDelay, longestTurn } from './event-loop-delay.js';

/** Keeps the event loop and the CPU busy. */
function block(ms: number): void {
  for (const { user, system } = process.cpuUsage(), before = user + system; ; ) {
    const now = process.cpuUsage();
    if (now.user + now.system - before >= ms * 1000) return;
  }
}

test('a blocked event loop shows in the delay, until the measurement begins anew', async () => {
  const delay = new EventLoopDelay(1);
  delay.start();
  await sleep(5);
  block(60);
  await sleep(5);
  assert.ok(delay.maxMs >= 50, `${delay.maxMs} ms`);
  assert.ok(delay.p99Ms <= delay.maxMs);
  delay.start();
  assert.equal(delay.maxMs, 0);
  delay.stop();
});

test('the longest turn is the CPU time of one turn, not of several, and waiting does not count', async () => {
  const longest = await longestTurn(async () => {
    block(20);
    await sleep(30);
    block(60);
    await sleep(150);
  });
  // Time of the collector in those turns does not count.
  assert.ok(longest >= 40 && longest < 140, `${longest} ms`);
});
