/**
 * One benchmark: a plan, a run, and a way to show the result on a terminal. `npm run bench` runs all of them under one
 * progress bar; `runIfMain()` runs one from its own file.
 */
import { pathToFileURL } from 'node:url';
import type { Random } from '../../lib/runtime.js';
import { seededRandom } from '../../test/support/fake-random.js';
import { machineLine } from './machine.js';
import { type NumberFlag, type Options, readOptions } from './options.js';
import { Progress, type Step } from './progress.js';
import { type Result, writeResult } from './result.js';

export interface Context<Own extends string = string> {
  readonly options: Options<Own>;
  readonly progress: Progress;
  /** Seeded by `--seed`. */
  readonly random: Random;
}

export interface Outcome<Cell> {
  readonly result: Result<Cell>;
  /** More than the report needs; goes into a file beside. */
  readonly raw?: unknown;
  /** Why the process should end with code 1, though it ran to its end: a limit that the figures exceed. */
  readonly broken?: readonly string[];
}

export interface Benchmark<Cell = unknown, Own extends string = string> {
  /** The name of its result and of its script, `bench:<name>`. */
  readonly name: string;
  readonly flags?: Readonly<Record<Own, NumberFlag>>;
  /** Accepts `--simulate`. */
  readonly simulates?: boolean;
  /** Steps' names are unique among all benchmarks: begin them with the benchmark's. */
  plan(options: Options<Own>): Step[];
  run(context: Context<Own>): Promise<Outcome<Cell>>;
  /** Lines for a terminal; figures come from the result alone. */
  show(result: Result<Cell>): string;
}

/** Runs a benchmark if `file` (its `import.meta.url`) is the program that was started. */
export async function runIfMain<Cell, Own extends string>(
  file: string,
  benchmark: Benchmark<Cell, Own>,
): Promise<void> {
  if (process.argv[1] === undefined || pathToFileURL(process.argv[1]).href !== file) return;
  // `exit` runs the handlers that end pods and clients.
  process.on('SIGINT', () => process.exit(130));
  process.on('SIGTERM', () => process.exit(143));
  const options = readOptions(`bench:${benchmark.name}`, {
    simulates: benchmark.simulates ?? false,
    ...(benchmark.flags ? { flags: benchmark.flags } : {}),
  });
  const progress = new Progress(benchmark.plan(options));
  try {
    const outcome = await benchmark.run({ options, progress, random: seededRandom(options.seed) });
    progress.end();
    report(benchmark, outcome, options);
  } finally {
    progress.end();
  }
}

/** Writes and prints an outcome. Ends with exit code 1 where it is broken. */
export function report<Cell, Own extends string>(
  benchmark: Benchmark<Cell, Own>,
  { result, raw, broken = [] }: Outcome<Cell>,
  options: Options<Own>,
): void {
  const path = writeResult(result, raw);
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    const facts = `${machineLine(result.machine)}\nseed ${result.seed}, ${result.mode} run of ${result.seconds} s`;
    process.stdout.write(`\n${benchmark.show(result)}\n\n${facts}\nwritten to ${path}\n`);
  }
  for (const sentence of broken) process.stderr.write(`${sentence}\n`);
  if (broken.length > 0) process.exitCode = 1;
}
