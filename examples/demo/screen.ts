/**
 * What the demo shows while it runs: on a terminal a table of pods and rates, elsewhere plain lines. Both leave each
 * finished step standing, so that the whole can be read from top to bottom afterwards.
 */
import type { WriteStream } from 'node:tty';
import { count, seconds } from '../../test/support/number-format.js';
import { ProgressDisplay } from '../../test/support/progress.js';
import { cut, pad, wrap } from '../../test/support/terminal-text.js';
import type { ClientLoad } from './client-load.js';
import type { PodRecord } from './cluster.js';
import { createPaint, type Paint } from './paint.js';

/** What there is to see. */
export interface View {
  readonly pods: readonly PodRecord[];
  readonly loads: readonly ClientLoad[];
  /** `performance.now()` at the first call. */
  readonly startedAt: number;
}

const MAX_WIDTH = 100;
const MIN_WIDTH = 20;
const REDRAW_MS = 200;
/** Between two plain lines of each client. */
const PLAIN_EVERY_MS = 2_000;
const SHOWN_EVENTS = 3;
const NAME_WIDTH = 7;
const STATE_WIDTH = 8;
/** ` 100` and `  1,204`. */
const RATE_WIDTH = 4;
const TOTAL_WIDTH = 7;
/** Both clients together call each pod at this rate at most, which is a whole bar. */
const FULL_BAR = 100;

export class Screen {
  readonly paint: Paint;
  readonly #isTerminal: boolean;
  readonly #display: ProgressDisplay;
  #view: View | undefined;
  #timer: NodeJS.Timeout | undefined;
  #events: string[] = [];
  /** Pods that had gone before this step are not shown. */
  #gone: ReadonlySet<PodRecord> = new Set();

  constructor(out: WriteStream) {
    this.#isTerminal = Boolean(out.isTTY);
    this.#display = new ProgressDisplay(out, { plainEveryMs: PLAIN_EVERY_MS });
    this.paint = createPaint(this.#display.redraws && !process.env.NO_COLOR);
  }

  /** Characters in a line. */
  get width(): number {
    return Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, this.#display.width));
  }

  /** A heading and what it means; ends the step before. */
  step(heading: string, explanation: string, view: View): void {
    this.end();
    const { paint, width } = this;
    this.print('', ...wrap(heading, width).map(paint.bold), ...wrap(explanation, width).map(paint.dim), '');
    this.#view = view;
    this.#events = [];
    this.#gone = new Set(view.pods.filter((pod) => pod.exitedAt !== undefined));
    this.#update();
    this.#timer = setInterval(() => this.#update(), REDRAW_MS);
  }

  /** Something happened. */
  event(text: string): void {
    const line = `${this.#clock()}  ${text}`;
    if (this.#display.redraws) {
      this.#events = [...this.#events, line].slice(-SHOWN_EVENTS);
      this.#update();
    } else this.print(line);
  }

  /** Ends the last step. */
  end(): void {
    if (this.#view === undefined) return;
    clearInterval(this.#timer);
    if (this.#display.redraws) this.#update();
    this.#display.end();
    this.#view = undefined;
  }

  print(...lines: string[]): void {
    // Files and logs may have lines as long as they need to be.
    this.#display.print(...lines.map((line) => (this.#isTerminal ? cut(line, this.width) : line)));
  }

  #update(): void {
    if (this.#view === undefined) return;
    this.#display.update(this.#display.redraws ? this.#table(this.#view) : this.#rates(this.#view));
  }

  #clock(): string {
    return this.#view === undefined ? '' : seconds(performance.now() - this.#view.startedAt).padStart(6);
  }

  /** A line for each client. */
  #rates({ pods, loads }: View): string[] {
    const running = pods.filter((pod) => pod.exitedAt === undefined);
    const label = Math.max(...loads.map((load) => load.name.length));
    return loads.map((load, index) => {
      const rates = running.map((pod) => `${pod.name} ${String(load.rate(pod.name)).padStart(3)}`).join('  ');
      const failed = load.recorder.failed > 0 ? `  failed so far ${load.recorder.failed}` : '';
      const time = index === 0 ? this.#clock() : ' '.repeat(6);
      return `${time}  ${load.name.padEnd(label)}  ${rates}  calls/s${failed}`;
    });
  }

  /** A row for each pod, a column for each client. */
  #table({ pods, loads }: View): string[] {
    const { paint } = this;
    const column = Math.floor((this.width - NAME_WIDTH - STATE_WIDTH) / loads.length) - 2;
    const bar = Math.max(0, Math.min(20, column - RATE_WIDTH - TOTAL_WIDTH));
    const cells = (make: (load: ClientLoad, index: number) => string) =>
      loads.map((load, index) => `  ${pad(make(load, index), bar + RATE_WIDTH + TOTAL_WIDTH)}`).join('');
    const heads = (make: (load: ClientLoad, index: number) => string) =>
      pad('', NAME_WIDTH + STATE_WIDTH) + cells(make);
    const units = `${'calls/s'.padStart(bar > 0 ? 0 : RATE_WIDTH).padEnd(bar + RATE_WIDTH)}${'total'.padStart(TOTAL_WIDTH)}`;
    const lines = [
      heads((load, index) => paint.bold(paint.column(index, load.name))),
      heads(() => paint.dim(bar + RATE_WIDTH >= 7 ? units : 'total'.padStart(bar + RATE_WIDTH + TOTAL_WIDTH))),
    ];
    for (const pod of pods) {
      if (this.#gone.has(pod)) continue;
      const state = pod.exitedAt ? 'gone' : pod.leftDnsAt ? 'leaving' : 'in DNS';
      const row =
        pad(pod.name, NAME_WIDTH) +
        pad(paint.dim(state), STATE_WIDTH) +
        cells((load, index) => {
          const rate = load.rate(pod.name);
          const length = Math.round((Math.min(rate, FULL_BAR) / FULL_BAR) * bar);
          const total = count(load.answeredBy([pod.name])).padStart(TOTAL_WIDTH);
          const drawn = paint.column(index, '█'.repeat(length));
          return pad(`${drawn}${String(rate).padStart(RATE_WIDTH)}`, bar + RATE_WIDTH) + total;
        });
      lines.push(pod.exitedAt ? paint.dim(row) : row);
    }
    lines.push(
      pad('failed', NAME_WIDTH + STATE_WIDTH) +
        cells(({ recorder }) => {
          const failed = count(recorder.failed).padStart(bar + RATE_WIDTH + TOTAL_WIDTH);
          return recorder.failed > 0 ? paint.bad(failed) : failed;
        }),
    );
    const shown = this.#events.length === 0 ? lines : [...lines, '', ...this.#events.map(paint.dim)];
    return shown.map((line) => cut(line, this.width));
  }
}
