#!/usr/bin/env node
/** The command `grpc-headless`. */
import { createRequire } from 'node:module';
import { MessageChannel } from 'node:worker_threads';
import { runCommandLine } from './command-line.js';
import { COMMANDS } from './commands.js';

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort());

const { version } = createRequire(import.meta.url)('grpc-headless/package.json') as { version: string };
const { stdout, stderr, env } = process;

// Whoever reads the output may end before the command does, as `head` does: then the command ends too.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  interrupt.abort();
});

// The library's timers and sockets do not keep a process alive. A message port that is listened to does.
const hold = new MessageChannel().port1;
hold.on('message', () => {});

// Not `await`: the published form is CommonJS.
void runCommandLine(COMMANDS, version, process.argv.slice(2), {
  out: (text) => stdout.write(text),
  err: (text) => stderr.write(text),
  interactive: stderr.isTTY === true,
  env,
  terminal: stdout.isTTY
    ? {
        get columns() {
          return stdout.columns;
        },
        get rows() {
          return stdout.rows;
        },
        onResize(listener) {
          stdout.on('resize', listener);
          return () => stdout.off('resize', listener);
        },
      }
    : null,
  signal: interrupt.signal,
})
  .then((code) => {
    process.exitCode = code;
  })
  .finally(() => hold.close());
