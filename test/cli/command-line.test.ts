import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommandLine } from '../../lib/cli/command-line.js';
import type { CommandEntry } from '../../lib/cli/commands.js';
import { captureCommand } from '../support/captured-command.js';

const commands: Record<string, CommandEntry> = {
  greet: {
    summary: 'Greets',
    load: async () => ({
      help: 'Usage: grpc-headless greet\n',
      run: async (args, { out }) => {
        out(args.join('+'));
        return 7;
      },
    }),
  },
};

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { context, out, err } = captureCommand();
  const code = await runCommandLine(commands, '1.2.3', args, context);
  return { code, out: out(), err: err() };
}

test('a command gets the rest of the line, and its result is the exit code', async () => {
  assert.deepEqual(await run('greet', 'a', '--b'), { code: 7, out: 'a+--b', err: '' });
});

test('--help lists the commands, and after a command explains that one', async () => {
  const { code, out } = await run('--help');
  assert.equal(code, 0);
  assert.match(out, /^ {2}greet {2}Greets$/m);
  assert.deepEqual(await run('greet', '--help'), { code: 0, out: 'Usage: grpc-headless greet\n', err: '' });
});

test('--version prints the version of the package', async () => {
  assert.deepEqual(await run('--version'), { code: 0, out: '1.2.3\n', err: '' });
});

test('no command, or an unknown one, exits with 2 and lists those that exist', async () => {
  const none = await run();
  assert.deepEqual([none.code, none.out], [2, '']);
  const unknown = await run('constructor');
  assert.equal(unknown.code, 2);
  assert.match(unknown.err, /no command "constructor"[\s\S]*greet/);
});
