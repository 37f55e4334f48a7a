import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { type Defer, leakCheck } from './leak-check.js';
import { claimLoopback, LOCK_PORT, unclaimedLoopback } from './loopback.js';

/** Takes a subnet's lock as another process would. */
async function holdLock(defer: Defer, ip: string): Promise<void> {
  const server = createServer();
  server.listen(LOCK_PORT, ip);
  await once(server, 'listening');
  defer(() => new Promise((resolve) => server.close(resolve)));
}

/** The first address of the subnet `steps` after this one. */
function after(ip: string, steps: number): string {
  const [, second, third] = ip.split('.').map(Number) as [number, number, number, number];
  const number = second * 256 + third + steps;
  return `127.${Math.floor(number / 256)}.${number % 256}.1`;
}

/** One that no other file of tests claims from: they run beside this one, and may hold any subnet of theirs. */
const SUITE = 'demo';

test('ranges have different addresses, and each has as many as were asked for', async (t) => {
  const defer = leakCheck(t);
  const [small, large] = [await claimLoopback(SUITE, 2), await claimLoopback(SUITE, 600)];
  for (const range of [small, large]) defer(() => range.release());
  const ips = [small.ip(0), small.ip(1), ...Array.from({ length: 600 }, (_, index) => large.ip(index))];
  assert.equal(new Set(ips).size, ips.length);
  for (const ip of ips) assert.match(ip, /^127\.\d+\.\d+\.\d+$/);
  assert.throws(() => large.ip(750), /750 addresses/);
});

test('a subnet that another process holds is passed over, also in the middle of a large range', async (t) => {
  const defer = leakCheck(t);
  const first = await claimLoopback(SUITE, 1);
  defer(() => first.release());
  const held = [after(first.ip(0), 1), after(first.ip(0), 3)];
  for (const ip of held) await holdLock(defer, ip);
  const range = await claimLoopback(SUITE, 500);
  defer(() => range.release());
  assert.deepEqual([range.ip(0), range.ip(250)], [after(first.ip(0), 2), after(first.ip(0), 4)]);
});

test('a range is held until it is released', async (t) => {
  const defer = leakCheck(t);
  const range = await claimLoopback(SUITE, 1);
  await assert.rejects(holdLock(defer, range.ip(0)), { code: 'EADDRINUSE' });
  await range.release();
  await holdLock(defer, range.ip(0));
});

test('suites have different ranges, and none has an unclaimed address', async (t) => {
  const defer = leakCheck(t);
  const claimed: string[] = [];
  for (const suite of ['test', 'bench', 'soak', 'demo'] as const) {
    const range = await claimLoopback(suite, 1);
    defer(() => range.release());
    claimed.push(range.ip(0));
  }
  const octets = claimed.map((ip) => Math.floor(Number(ip.split('.')[1]) / 16));
  assert.equal(new Set(octets).size, claimed.length);
  const unclaimed = unclaimedLoopback(10_000);
  assert.equal(new Set(unclaimed).size, 10_000);
  for (const ip of unclaimed) assert.ok(Number(ip.split('.')[1]) >= 128, ip);
});
