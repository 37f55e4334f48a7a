/** The command in a process of its own: what keeps it alive, and what ends it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { type Defer, leakCheck } from '../support/leak-check.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A process that compiles what it runs takes a second on a machine at rest, and many on a busy one. */
const PATIENCE = { timeoutMs: 60_000 };

interface Command {
  readonly child: ChildProcess;
  /** What it wrote so far. */
  readonly out: () => string;
  /** The exit code, or the name of the signal. */
  readonly ended: Promise<number | string>;
  readonly err: () => string;
}

function start(defer: Defer, args: readonly string[]): Command {
  const child = spawn(process.execPath, ['--import', './.ts-node.mjs', 'lib/cli/main.ts', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  defer(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, out: () => out, err: () => err, ended };
}

async function watch(t: TestContext, ...more: string[]): Promise<Command> {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 1 });
  return start(defer, ['watch', cluster.target, '--server', cluster.dns.address, '--interval', '100ms', ...more]);
}

test('--duration ends the command in time with the code of its last state, though no socket holds the process', async (t) => {
  const { ended, out, err } = await watch(t, '--duration', '4s');
  await eventually(() => /ready/.test(out()), PATIENCE);
  assert.deepEqual([await ended, err()], [0, '']);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`${signal} ends the command in order`, async (t) => {
    const { child, out, ended, err } = await watch(t);
    await eventually(() => /ready/.test(out()), PATIENCE);
    child.kill(signal);
    assert.deepEqual([await ended, err()], [0, '']);
  });

test('the command ends when the reader of its output has gone, as `head` does', async (t) => {
  const { child, out, ended, err } = await watch(t);
  await eventually(() => /ready/.test(out()), PATIENCE);
  child.stdout?.destroy();
  assert.deepEqual([await ended, err()], [0, '']);
});

test('the version is that of the package, and an unknown command ends with 2', async (t) => {
  const defer = leakCheck(t);
  const version = start(defer, ['--version']);
  assert.equal(await version.ended, 0);
  assert.match(version.out(), /^\d+\.\d+\.\d+\n$/);
  assert.equal(await start(defer, ['sing']).ended, 2);
});
