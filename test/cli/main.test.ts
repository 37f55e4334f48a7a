/** The command in a process of its own: what keeps it alive, and what ends it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Cluster } from '../support/cluster.js';
import { type Defer, leakCheck } from '../support/leak-check.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Command {
  readonly child: ChildProcess;
  readonly output: AsyncIterable<string>;
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
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  defer(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, output: child.stdout.setEncoding('utf8'), ended, err: () => err };
}

async function watch(t: TestContext, ...more: string[]): Promise<Command> {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 1 });
  return start(defer, ['watch', cluster.target, '--server', cluster.dns.address, '--interval', '100ms', ...more]);
}

/** Reads until the text is there; the rest stays unread. */
async function readUntil(output: AsyncIterable<string>, pattern: RegExp): Promise<string> {
  let text = '';
  const chunks = output[Symbol.asyncIterator]();
  while (!pattern.test(text)) {
    const { done, value } = await chunks.next();
    assert.ok(!done, `the output ended: ${text}`);
    text += value;
  }
  return text;
}

test('--duration ends the command in time with the code of its last state, though no socket holds the process', async (t) => {
  const { ended, output, err } = await watch(t, '--duration', '1s');
  await readUntil(output, /ready/);
  assert.deepEqual([await ended, err()], [0, '']);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`${signal} ends the command in order`, async (t) => {
    const { child, output, ended, err } = await watch(t);
    await readUntil(output, /ready/);
    child.kill(signal);
    assert.deepEqual([await ended, err()], [0, '']);
  });

test('the command ends when the reader of its output has gone, as `head` does', async (t) => {
  const { child, output, ended, err } = await watch(t);
  await readUntil(output, /ready/);
  child.stdout?.destroy();
  assert.deepEqual([await ended, err()], [0, '']);
});

test('the version is that of the package, and an unknown command ends with 2', async (t) => {
  const defer = leakCheck(t);
  const version = start(defer, ['--version']);
  assert.match(await readUntil(version.output, /\n/), /^\d+\.\d+\.\d+\n$/);
  assert.equal(await version.ended, 0);
  assert.equal(await start(defer, ['sing']).ended, 2);
});
