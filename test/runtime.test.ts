import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemRuntime } from '../lib/runtime.js';

const { clock, random, turns } = systemRuntime;

test('a turn keeps its number, through microtasks and ticks too', async () => {
  const first = turns.current();
  assert.equal(turns.current(), first);
  await Promise.resolve();
  assert.equal(turns.current(), first);
  await new Promise<void>((resolve) => process.nextTick(resolve));
  assert.equal(turns.current(), first);
});

test('every later turn has a number of its own', async () => {
  const seen = new Set<number>();
  for (let turn = 0; turn < 5; turn++) {
    seen.add(turns.current());
    await nextTurn();
  }
  assert.equal(seen.size, 5);
});

test('the clock is monotonic, its wall time is the date, and randomness is within [0, 1)', () => {
  const before = clock.now();
  assert.ok(clock.now() >= before);
  assert.ok(Math.abs(clock.wallTime() - Date.now()) < 1_000);
  const roll = random();
  assert.ok(roll >= 0 && roll < 1);
});

test('a timer fires once; a cancelled one never; cancelling again, or after it fired, does nothing', async () => {
  let fired = 0;
  const cancelled = clock.setTimer(0, () => assert.fail('it was cancelled'));
  cancelled.cancel();
  cancelled.cancel();
  // Node's timers are unref'd here, and so would let this test end the process before they fire.
  const alive = setInterval(() => {}, 1);
  const timer = await new Promise<{ cancel(): void }>((resolve) => {
    const set = clock.setTimer(1, () => {
      fired += 1;
      resolve(set);
    });
  });
  timer.cancel();
  clearInterval(alive);
  assert.equal(fired, 1);
});

test('neither a timer nor the counting of turns keeps the process alive', async () => {
  const code = `
    import { systemRuntime } from './lib/runtime.ts';
    systemRuntime.clock.setTimer(3_600_000, () => {});
    systemRuntime.turns.current();
  `;
  const root = new URL('..', import.meta.url);
  const child = spawn(process.execPath, ['--import', './.ts-node.mjs', '--input-type=module', '--eval', code], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 60_000,
  });
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});
