/**
 * Shows how a program gets on. On a terminal: a few lines, redrawn in place. Elsewhere (a file, a CI log): the same
 * lines now and then. Lines that are printed stay, above those.
 */
import { type Clock, systemRuntime } from '../../lib/runtime.js';
import { cut } from './terminal-text.js';

/** A `tty.WriteStream`, as far as it is needed here. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

export interface ProgressOptions {
  /** Where lines are not redrawn: they are written at most so often. */
  readonly plainEveryMs: number;
  readonly clock?: Clock;
}

const DEFAULT_COLUMNS = 100;
const DEFAULT_ROWS = 24;
const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const ERASE_BELOW = '\x1b[J';

export class ProgressDisplay {
  /** Whether lines are redrawn in place. */
  readonly redraws: boolean;
  readonly #out: ProgressOutput;
  readonly #plainEveryMs: number;
  readonly #clock: Clock;
  #lines: readonly string[] = [];
  /** Lines on the terminal that the next ones replace. */
  #drawn = 0;
  #active = false;
  #lastPlainAt = Number.NEGATIVE_INFINITY;
  readonly #showCursor = (): void => void this.#out.write(SHOW_CURSOR);
  /** The terminal has wrapped the lines anew, and their number of rows is unknown: the next ones start below. */
  readonly #forgetDrawn = (): void => {
    this.#drawn = 0;
  };

  constructor(out: ProgressOutput, { plainEveryMs, clock = systemRuntime.clock }: ProgressOptions) {
    this.#out = out;
    this.#plainEveryMs = plainEveryMs;
    this.#clock = clock;
    this.redraws = Boolean(out.isTTY) && process.env['TERM'] !== 'dumb';
  }

  /** Characters that fit into a line. */
  get width(): number {
    // One column is left free: some terminals wrap as soon as the last one is written. A pseudo-terminal without a size
    // has 0 columns.
    return (this.#out.columns || DEFAULT_COLUMNS) - 1;
  }

  /** Replaces the lines; may be called as often as one likes. `now`: writes them also where it is too early for that. */
  update(lines: readonly string[], { now = false } = {}): void {
    if (this.redraws) {
      this.#activate();
      this.#lines = lines;
      this.#draw();
      return;
    }
    const at = this.#clock.now();
    if (!now && at - this.#lastPlainAt < this.#plainEveryMs) return;
    this.#lastPlainAt = at;
    this.#write(lines);
  }

  /** Lines that stay. */
  print(...lines: readonly string[]): void {
    this.#erase();
    this.#write(lines);
    if (this.#active) this.#draw();
  }

  /** Leaves the last lines on the terminal. What is updated after this starts below. Idempotent. */
  end(): void {
    this.#lastPlainAt = Number.NEGATIVE_INFINITY;
    this.#drawn = 0;
    this.#lines = [];
    if (!this.#active) return;
    this.#active = false;
    this.#showCursor();
    process.off('exit', this.#showCursor);
    this.#out.off('resize', this.#forgetDrawn);
  }

  /** Ends without a trace. */
  clear(): void {
    this.#erase();
    this.end();
  }

  #activate(): void {
    if (this.#active) return;
    this.#active = true;
    this.#out.write(HIDE_CURSOR);
    process.once('exit', this.#showCursor);
    this.#out.on('resize', this.#forgetDrawn);
  }

  #draw(): void {
    this.#erase();
    // More lines than the terminal has rows could not be redrawn in place, and neither could a line that wraps.
    const lines = this.#lines.slice(-Math.max(1, (this.#out.rows || DEFAULT_ROWS) - 1));
    this.#write(lines.map((line) => cut(line, this.width)));
    this.#drawn = lines.length;
  }

  #erase(): void {
    if (this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A${ERASE_BELOW}`);
    this.#drawn = 0;
  }

  #write(lines: readonly string[]): void {
    if (lines.length > 0) this.#out.write(lines.map((line) => `${line}\n`).join(''));
  }
}
