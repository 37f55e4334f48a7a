/**
 * Says what runs and how long is left. On a terminal: one line, redrawn four times a second. Elsewhere: a plain line
 * at the start of each step, and one every half minute of a long step. Always on stderr: stdout is for results.
 *
 *     const progress = new Progress([{ name: 'start pods', ms: 5_000 }, { name: 'measure', ms: 60_000 }]);
 *     await progress.during('measure', async () => { ...; progress.tell('12 of 96 events'); });
 *     progress.end();
 *
 * Estimates are the plan's own: a step that takes longer than planned shows 0:00 and waits, one that is quicker gives
 * its time back at once.
 */

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
  readonly #out: NodeJS.WriteStream;
  readonly #left: Step[];
  readonly #totalMs: number;
  readonly #timer: NodeJS.Timeout;
  #running: Running | null = null;
  #ended = false;

  constructor(plan: readonly Step[], out: NodeJS.WriteStream = process.stderr) {
    this.#out = out;
    this.#left = [...plan];
    this.#totalMs = Math.max(1, sum(plan));
    this.#timer = setInterval(() => this.#draw(), out.isTTY ? REDRAW_MS : PLAIN_LINE_MS);
    this.#timer.unref();
  }

  /** Begins the planned step of that name; the one before it ends. */
  begin(name: string): void {
    const index = this.#left.findIndex((step) => step.name === name);
    if (index < 0) throw new Error(`"${name}" is not (or no longer) in the plan of this run`);
    // Steps before it were skipped.
    const [step] = this.#left.splice(0, index + 1).slice(-1);
    this.#running = { step: step as Step, startedAt: performance.now(), note: '' };
    this.#draw();
  }

  /** Runs one planned step. */
  async during<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.begin(name);
    return await work();
  }

  /** How far the step is, in a few words. */
  tell(note: string): void {
    if (this.#running) this.#running.note = note;
  }

  /** A line that stays, above the bar. */
  print(line: string): void {
    this.#out.write(`${this.#erase}${line}\n`);
    if (this.#out.isTTY) this.#draw();
  }

  /** No line comes after this. Idempotent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#timer);
    this.#out.write(this.#erase);
  }

  get #erase(): string {
    return this.#out.isTTY ? '\r\x1b[K' : '';
  }

  #draw(): void {
    if (this.#ended || !this.#running) return;
    const { step, startedAt, note } = this.#running;
    const elapsedMs = performance.now() - startedAt;
    const leftMs = Math.max(0, step.ms - elapsedMs) + sum(this.#left);
    const done = Math.min(1, Math.max(0, 1 - leftMs / this.#totalMs));
    const what = note === '' ? step.name : `${step.name}: ${note}`;
    const left = `${clock(leftMs)} left`;
    if (!this.#out.isTTY) {
      this.#out.write(`[${String(Math.round(done * 100)).padStart(3)} %, ${left}] ${what}\n`);
      return;
    }
    const filled = Math.round(done * BAR_WIDTH);
    const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
    // A line that wraps could not be redrawn in place.
    const line = `${bar} ${left}  ${what}`.slice(0, Math.max(20, (this.#out.columns ?? 80) - 1));
    this.#out.write(`${this.#erase}${line}`);
  }
}

function sum(steps: readonly Step[]): number {
  return steps.reduce((total, step) => total + step.ms, 0);
}

function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
