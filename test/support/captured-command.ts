/** What surrounds a command of the command line in a test: nothing but what the test gives, and its output kept. */
import type { CommandContext } from '../../lib/cli/command.js';

export interface CapturedCommand {
  readonly context: CommandContext;
  /** All that was written so far. */
  out(): string;
  err(): string;
}

/** Without an environment, without a terminal and never interrupted, unless `surroundings` says otherwise. */
export function captureCommand(surroundings: Partial<CommandContext> = {}): CapturedCommand {
  let out = '';
  let err = '';
  return {
    context: {
      env: {},
      terminal: null,
      signal: new AbortController().signal,
      ...surroundings,
      out(text) {
        out += text;
        surroundings.out?.(text);
      },
      err(text) {
        err += text;
        surroundings.err?.(text);
      },
    },
    out: () => out,
    err: () => err,
  };
}
