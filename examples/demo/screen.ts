/**
 * Shows the experiment as it goes: a table redrawn in place on a terminal, plain lines elsewhere (a file, a CI log).
 * Both leave each finished step standing, so that the whole can be read from top to bottom afterwards.
 */
import type { WriteStream } from 'node:tty';
import type { PodRecord } from './cluster.js';
import type { Load } from './client-load.js';
import { count, createPaint, cut, type Paint, pad, seconds, wrap } from './paint.js';

/** What there is to see. */
export interface View {
  readonly pods: readonly PodRecord[];
  readonly loads: readonly Load[];
  /** `performance.now()` at the first call. */
  readonly startedAt: number;
}

export interface Screen {
  readonly paint: Paint;
  /** Characters in a line. */
  readonly width: number;
  /** A heading and what it means; ends the step before. */
  step(heading: string, explanation: string, view: View): void;
  /** Something happened. */
  event(text: string): void;
  /** Ends the last step. */
  end(): void;
  print(...lines: string[]): void;
}

export function openScreen(out: WriteStream): Screen {
  const coloured = Boolean(out.isTTY) && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
  const paint = createPaint(coloured);
  const redraws = Boolean(out.isTTY) && process.env.TERM !== 'dumb';
  return redraws ? new LiveScreen(out, paint) : new LineScreen(out, paint);
}

const MAX_WIDTH = 100;
const MIN_WIDTH = 20;

abstract class BaseScreen implements Screen {
  readonly paint: Paint;
  protected readonly out: WriteStream;
  protected view: View | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(out: WriteStream, paint: Paint) {
    this.out = out;
    this.paint = paint;
  }

  get width(): number {
    // One column is left free: some terminals wrap as soon as the last one is written.
    // 0 is what a pseudo-terminal says that nobody has given a size.
    const columns = this.out.columns || MAX_WIDTH;
    return Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, columns - 1));
  }

  step(heading: string, explanation: string, view: View): void {
    this.end();
    const { paint, width } = this;
    this.print('', ...wrap(heading, width).map(paint.bold), ...wrap(explanation, width).map(paint.dim), '');
    this.view = view;
    this.opened();
    this.#timer = setInterval(() => this.tick(), this.tickMs);
  }

  end(): void {
    if (this.view === undefined) return;
    clearInterval(this.#timer);
    this.closed();
    this.view = undefined;
  }

  print(...lines: string[]): void {
    // Files and logs may have lines as long as they need to be.
    for (const line of lines) this.out.write(`${this.out.isTTY ? cut(line, this.width) : line}\n`);
  }

  abstract event(text: string): void;
  protected abstract readonly tickMs: number;
  protected abstract tick(): void;
  protected opened(): void {}
  protected closed(): void {}

  protected clock(): string {
    return this.view === undefined ? '' : seconds(performance.now() - this.view.startedAt).padStart(6);
  }
}

/** A line for each client every two seconds. */
class LineScreen extends BaseScreen {
  protected readonly tickMs = 2_000;

  event(text: string): void {
    this.print(`${this.clock()}  ${text}`);
  }

  protected tick(): void {
    const { pods, loads } = this.view as View;
    const alive = pods.filter((pod) => pod.exitedAt === undefined);
    const label = Math.max(...loads.map((load) => load.name.length));
    for (const [index, load] of loads.entries()) {
      const rates = alive.map((pod) => `${pod.name} ${String(load.rate(pod.name)).padStart(3)}`).join('  ');
      const failed = load.failed.length > 0 ? `  failed so far ${load.failed.length}` : '';
      const time = index === 0 ? this.clock() : ' '.repeat(6);
      this.print(`${time}  ${load.name.padEnd(label)}  ${rates}  calls/s${failed}`);
    }
  }
}

const SHOWN_EVENTS = 3;
const NAME_WIDTH = 7;
const STATE_WIDTH = 8;
/** ` 100` and `  1,204`. */
const RATE_WIDTH = 4;
const TOTAL_WIDTH = 7;
/** Both clients together call each pod at this rate at most, which is a whole bar. */
const FULL_BAR = 100;

class LiveScreen extends BaseScreen {
  protected readonly tickMs = 200;
  #drawn = 0;
  #events: string[] = [];
  /** Pods that had gone before this step: no longer of interest. */
  #past = new Set<PodRecord>();
  readonly #showCursor = (): void => void this.out.write('\x1b[?25h');
  /** The terminal has re-flowed what we drew: its height is unknown, so the next picture starts afresh below. */
  readonly #forget = (): void => {
    this.#drawn = 0;
  };

  event(text: string): void {
    this.#events = [...this.#events, `${this.clock()}  ${text}`].slice(-SHOWN_EVENTS);
    this.tick();
  }

  protected override opened(): void {
    this.#drawn = 0;
    this.#events = [];
    this.#past = new Set(this.view?.pods.filter((pod) => pod.exitedAt !== undefined));
    this.out.write('\x1b[?25l');
    process.once('exit', this.#showCursor);
    this.out.on('resize', this.#forget);
    this.tick();
  }

  protected override closed(): void {
    this.tick();
    this.#showCursor();
    process.off('exit', this.#showCursor);
    this.out.off('resize', this.#forget);
  }

  protected tick(): void {
    // A picture higher than the terminal could not be redrawn in place.
    const lines = this.#picture().slice(-Math.max(1, (this.out.rows || 24) - 1));
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : '';
    this.out.write(`${up}\x1b[J${lines.map((line) => `${cut(line, this.width)}\n`).join('')}`);
    this.#drawn = lines.length;
  }

  #picture(): string[] {
    const { pods, loads } = this.view as View;
    const { paint } = this;
    const column = Math.floor((this.width - NAME_WIDTH - STATE_WIDTH) / loads.length) - 2;
    const bar = Math.max(0, Math.min(20, column - RATE_WIDTH - TOTAL_WIDTH));
    const cells = (make: (load: Load, index: number) => string) =>
      loads.map((load, index) => `  ${pad(make(load, index), bar + RATE_WIDTH + TOTAL_WIDTH)}`).join('');
    const heads = (make: (load: Load, index: number) => string) => pad('', NAME_WIDTH + STATE_WIDTH) + cells(make);
    const units = `${'calls/s'.padStart(bar > 0 ? 0 : RATE_WIDTH).padEnd(bar + RATE_WIDTH)}${'total'.padStart(TOTAL_WIDTH)}`;
    const lines = [
      heads((load, index) => paint.bold(paint.column(index, load.name))),
      heads(() => paint.dim(bar + RATE_WIDTH >= 7 ? units : 'total'.padStart(bar + RATE_WIDTH + TOTAL_WIDTH))),
    ];
    for (const pod of pods) {
      if (this.#past.has(pod)) continue;
      const state = pod.exitedAt ? 'gone' : pod.leftDnsAt ? 'leaving' : 'in DNS';
      const row =
        pad(pod.name, NAME_WIDTH) +
        pad(paint.dim(state), STATE_WIDTH) +
        cells((load, index) => {
          const rate = load.rate(pod.name);
          const length = Math.round((Math.min(rate, FULL_BAR) / FULL_BAR) * bar);
          const total = count(load.byPod.get(pod.name)?.answered ?? 0).padStart(TOTAL_WIDTH);
          const drawn = paint.column(index, '█'.repeat(length));
          return pad(`${drawn}${String(rate).padStart(RATE_WIDTH)}`, bar + RATE_WIDTH) + total;
        });
      lines.push(pod.exitedAt ? paint.dim(row) : row);
    }
    lines.push(
      pad('failed', NAME_WIDTH + STATE_WIDTH) +
        cells((load) => {
          const failed = count(load.failed.length).padStart(bar + RATE_WIDTH + TOTAL_WIDTH);
          return load.failed.length > 0 ? paint.bad(failed) : failed;
        }),
    );
    return this.#events.length === 0 ? lines : [...lines, '', ...this.#events.map(paint.dim)];
  }
}
