/**
 * What a question leaves behind: `bench/results/<question>.json` with everything the report shows, and, where a
 * question keeps more than that, `bench/results/<question>.raw.json.gz` beside it. Each run overwrites the last one;
 * `bench/results/published/` holds the run that the documentation speaks of, and stands in where nothing was run yet.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describeMachine, type Machine } from './machine.js';
import type { Options } from './options.js';

export interface Result<Cell = unknown> {
  readonly question: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number;
  readonly mode: Options['mode'];
  readonly seed: number;
  readonly machine: Machine;
  /** Everything that was held fixed, with units in the names. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** One for each thing measured, rivals among them. */
  readonly cells: readonly Cell[];
}

const RESULTS = new URL('../results/', import.meta.url);

export class Recording {
  readonly #question: string;
  readonly #options: Pick<Options, 'mode' | 'seed'>;
  readonly #machine = describeMachine();
  readonly #startedAt = new Date();

  /** At the start of the run. */
  constructor(question: string, options: Pick<Options, 'mode' | 'seed'>) {
    this.#question = question;
    this.#options = options;
  }

  finish<Cell>(parameters: Result['parameters'], cells: readonly Cell[]): Result<Cell> {
    return {
      question: this.#question,
      startedAt: this.#startedAt.toISOString(),
      seconds: Math.round((Date.now() - this.#startedAt.getTime()) / 1000),
      mode: this.#options.mode,
      seed: this.#options.seed,
      machine: this.#machine,
      parameters,
      cells,
    };
  }
}

/** Returns the path of the JSON, for people. Infinity becomes null, as JSON has it: "never". */
export function writeResult(result: Result, raw?: unknown): string {
  mkdirSync(RESULTS, { recursive: true });
  const path = fileURLToPath(new URL(`${result.question}.json`, RESULTS));
  writeFileSync(path, `${JSON.stringify(result, rounded, 1)}\n`);
  if (raw !== undefined) writeFileSync(path.replace(/\.json$/, '.raw.json.gz'), gzipSync(JSON.stringify(raw)));
  return path;
}

/** Six digits say more than any measurement here; whole numbers are counts, seeds and moments. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}

/** The last run's; the published one where there is none; null where neither is. */
export function readResult<Cell>(question: string): Result<Cell> | null {
  for (const folder of ['', 'published/']) {
    const url = new URL(`${folder}${question}.json`, RESULTS);
    if (existsSync(url)) return JSON.parse(readFileSync(url, 'utf8')) as Result<Cell>;
  }
  return null;
}
