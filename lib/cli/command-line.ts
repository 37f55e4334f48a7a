/** Finds the command that a command line names, and runs it. */
import { type CommandContext, EXIT_COULD_NOT_RUN } from './command.js';
import type { CommandEntry } from './commands.js';

/** @returns the exit code of the process. */
export async function runCommandLine(
  commands: Readonly<Record<string, CommandEntry>>,
  version: string,
  args: readonly string[],
  context: CommandContext,
): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--version' || name === '-v') {
    context.out(`${version}\n`);
    return 0;
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const asked = name !== undefined;
    (asked ? context.out : context.err)(overview(commands));
    return asked ? 0 : EXIT_COULD_NOT_RUN;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!entry) {
    context.err(`There is no command ${JSON.stringify(name)}.\n\n${overview(commands)}`);
    return EXIT_COULD_NOT_RUN;
  }
  const command = await entry.load();
  if (rest.includes('--help') || rest.includes('-h')) {
    context.out(command.help);
    return 0;
  }
  return await command.run(rest, context);
}

function overview(commands: Readonly<Record<string, CommandEntry>>): string {
  const width = Math.max(0, ...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    'Usage: grpc-headless <command> [options]',
    '',
    'Commands:',
    ...lines,
    '',
    '`grpc-headless <command> --help` explains one command.',
    '',
  ].join('\n');
}
