/**
 * What a question leaves behind: `bench/results/<question>.json`, a summary with everything that the report shows. It
 * is small enough to be published as it is. A question that keeps more than that writes
 * `bench/results/<question>.raw.json.gz` beside it, which is never published. Each run overwrites the last one;
 * `bench/results/published/` holds the run that the documentation speaks of, and is read where nothing was run yet.
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
  /** A sentence for readers about figures that are not of this run; shown where the machine is. */
  readonly note?: string;
}

const RESULTS = new URL('../results/', import.meta.url);
export const PUBLISHED = new URL('published/', RESULTS);
const LINE_WIDTH = 240;

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

/** Returns the path of the JSON, for people. */
export function writeResult(result: Result, raw?: unknown): string {
  mkdirSync(RESULTS, { recursive: true });
  const path = fileURLToPath(new URL(`${result.question}.json`, RESULTS));
  writeFileSync(path, asJson(result));
  if (raw !== undefined) writeFileSync(path.replace(/\.json$/, '.raw.json.gz'), gzipSync(JSON.stringify(raw)));
  return path;
}

export function publish(result: Result): void {
  writeFileSync(new URL(`${result.question}.json`, PUBLISHED), asJson(result));
}

/** Text of a result, short and still readable in a diff. Infinity becomes null, as JSON has it: "never". */
export function asJson(result: Result): string {
  return `${laidOut(JSON.parse(JSON.stringify(result, rounded)), '\n')}\n`;
}

/** What fits on a line is on one, and so is a list of numbers of any length. */
function laidOut(value: unknown, lineBreak: string): string {
  const flat = JSON.stringify(value);
  const isList = Array.isArray(value);
  if (flat.length <= LINE_WIDTH || (isList && value.every((item) => typeof item !== 'object'))) return flat;
  const inner = `${lineBreak} `;
  const parts = isList
    ? value.map((item) => laidOut(item, inner))
    : Object.entries(value as object).map(([key, item]) => `${JSON.stringify(key)}: ${laidOut(item, inner)}`);
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  return `${open}${inner}${parts.join(`,${inner}`)}${lineBreak}${close}`;
}

/**
 * Six digits: no measurement here is as exact. Three in a list, which is only drawn. Whole numbers are counts, seeds and
 * moments, and stay as they are.
 */
function rounded(this: unknown, _key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isInteger(value)) return value;
  return Number(value.toPrecision(Array.isArray(this) ? 3 : 6));
}

/** The last run's; the published one where there is none; null where neither is. */
export function readResult<Cell>(question: string): Result<Cell> | null {
  return readFrom([RESULTS, PUBLISHED], question);
}

/** The result that the documentation speaks of; null where none was published. */
export function readPublished<Cell>(question: string): Result<Cell> | null {
  return readFrom([PUBLISHED], question);
}

function readFrom<Cell>(folders: readonly URL[], question: string): Result<Cell> | null {
  for (const folder of folders) {
    const url = new URL(`${question}.json`, folder);
    if (existsSync(url)) return JSON.parse(readFileSync(url, 'utf8')) as Result<Cell>;
  }
  return null;
}
