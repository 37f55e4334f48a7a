/** What a command of `grpc-headless` is: a contract between lib/cli/main.ts, which finds it, and the command's own file. */

/** Where a command writes and what surrounds it. Tests give their own. */
export interface CommandContext {
  /** Writes text as it is, without a line feed of its own. */
  readonly out: (text: string) => void;
  /** As `out`, for errors and progress. */
  readonly err: (text: string) => void;
  /** `err` writes to a terminal, where a line of progress can be overwritten. Default: it does not. */
  readonly interactive?: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The terminal that `out` writes to; null where the output is piped or redirected. */
  readonly terminal: Terminal | null;
  /** Aborted when the user interrupts the command. */
  readonly signal: AbortSignal;
}

export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  /** Calls the listener after each change of the size. Returns how to stop that. */
  onResize(listener: () => void): () => void;
}

export interface Command {
  /** What `--help` prints. Its first line is a summary of at most 60 characters. */
  readonly help: string;
  /** @returns the exit code of the process. */
  run(args: readonly string[], context: CommandContext): Promise<number>;
}

/** The command could not run: wrong arguments, or nothing to work on. Every command uses the code so. */
export const EXIT_COULD_NOT_RUN = 2;
