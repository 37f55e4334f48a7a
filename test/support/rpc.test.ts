import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Defer, leakCheck } from './leak-check.js';
import { claimLoopback } from './loopback.js';
import type { PodProgram } from './pod-main.js';
import { RpcProcess } from './rpc.js';

/** Any program will do. */
async function start(defer: Defer): Promise<RpcProcess<PodProgram>> {
  const child = await RpcProcess.start<PodProgram>(new URL('./pod-main.ts', import.meta.url));
  defer(() => child.end());
  return child;
}

test('a call resolves with the result of the method, and rejects with its error, message and code included', async (t) => {
  const defer = leakCheck(t);
  const { call } = await start(defer);
  const range = await claimLoopback('test', 1);
  defer(() => range.release());
  const port = await call.startPod(range.ip(0), 0, { name: 'first' });
  assert.deepEqual(await call.stats(`${range.ip(0)}:${port}`), { calls: 0, inFlight: 0, connections: 0, accepted: 0 });
  await assert.rejects(call.startPod(range.ip(0), port, {}), (error: NodeJS.ErrnoException) => {
    assert.ok(error instanceof Error);
    assert.equal(error.code, 'EADDRINUSE');
    assert.match(error.message, /EADDRINUSE/);
    return true;
  });
  await assert.rejects(call.stats('nowhere'), /no pod at nowhere/);
  const unknown = call as unknown as { unknown(): Promise<void> };
  await assert.rejects(unknown.unknown(), /no method unknown/);
});

test('calls that a child does not answer before its end reject, and so do calls after it', async (t) => {
  const child = await start(leakCheck(t));
  child.pause();
  const pending = assert.rejects(child.call.asked('name'), /ended before it answered: SIGKILL/);
  await child.end();
  await pending;
  await assert.rejects(child.call.asked('name'), /has ended/);
});
