/**
 * The steps of a run of the benchmark, and how long is left. Shown on stderr, since stdout is for results: on a terminal
 * as a bar, elsewhere as a line at the start of each step and every half minute of a long one.
 *
 *     const progress = new Progress([{ name: 'start pods', ms: 5_000 }, { name: 'measure', ms: 60_000 }]);
 *     progress.begin('measure');
 *     progress.setNote('12 of 96 events');
 *     progress.end();
 *
 * Estimates come from the plan: a step that takes longer shows 0:00 until it ends, and the time that a quick step saves
 * is taken off at once.
 */
import { clockTime } from '../../test/support/number-format.js';
import { ProgressDisplay } from '../../test/support/progress.js';

export interface Step {
  readonly name: string;
  /** How long it should take. */
  readonly ms: number;
}

interface Running {
  readonly step: Step;
  readonly startedAt: number;
  note: string;
}

const REDRAW_MS = 250;
const PLAIN_LINE_MS = 30_000;
const BAR_WIDTH = 24;

export class Progress {
  readonly #display: ProgressDisplay;
  readonly #left: Step[];
  readonly #totalMs: number;
  readonly #timer: NodeJS.Timeout;
  #running: Running | null = null;

  constructor(plan: readonly Step[]) {
    this.#display = new ProgressDisplay(process.stderr, { plainEveryMs: PLAIN_LINE_MS });
    this.#left = [...plan];
    this.#totalMs = Math.max(1, sum(plan));
    this.#timer = setInterval(() => this.#update(), REDRAW_MS);
    this.#timer.unref();
  }

  /** Begins the planned step of that name; the one before it ends. */
  begin(name: string): void {
    const index = this.#left.findIndex((step) => step.name === name);
    if (index < 0) throw new Error(`"${name}" is not (or no longer) in the plan of this run`);
    // Steps before it were skipped.
    const [step] = this.#left.splice(0, index + 1).slice(-1);
    this.#running = { step: step as Step, startedAt: performance.now(), note: '' };
    this.#update(true);
  }

  /** How far the step is, in a few words. */
  setNote(note: string): void {
    if (this.#running) this.#running.note = note;
  }

  /** A line that stays. */
  print(line: string): void {
    this.#display.print(line);
  }

  /** Takes the bar off the terminal until the next update, for output that does not go through this. */
  hide(): void {
    this.#display.clear();
  }

  /** Nothing shows after this. Idempotent. */
  end(): void {
    clearInterval(this.#timer);
    this.#running = null;
    this.#display.clear();
  }

  #update(now = false): void {
    if (!this.#running) return;
    const { step, startedAt, note } = this.#running;
    const leftMs = Math.max(0, step.ms - (performance.now() - startedAt)) + sum(this.#left);
    const done = Math.min(1, Math.max(0, 1 - leftMs / this.#totalMs));
    const what = note === '' ? step.name : `${step.name}: ${note}`;
    const left = `${clockTime(leftMs)} left`;
    const filled = Math.round(done * BAR_WIDTH);
    const line = this.#display.redraws
      ? `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${left}  ${what}`
      : `[${String(Math.round(done * 100)).padStart(3)} %, ${left}] ${what}`;
    this.#display.update([line], { now });
  }
}

function sum(steps: readonly Step[]): number {
  return steps.reduce((total, step) => total + step.ms, 0);
}
