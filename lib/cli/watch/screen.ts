/**
 * A terminal that shows frames in place: on the alternate screen, each drawn over the last one from the top left, so that
 * nothing flickers. The terminal is as before when it ends, in whatever way the process does.
 */

import type { Clock, Timer } from '../../runtime.js';
import type { CommandContext, Terminal } from '../command.js';
import { widthOf } from '../styled-text.js';

/** Alternate screen, cursor hidden, no line wrap. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
/** Terminals that understand it show the frame at once; others ignore it. */
const BEGIN_FRAME = '\x1b[?2026h\x1b[H';
const END_FRAME = '\x1b[?2026l';
const CLEAR_REST_OF_LINE = '\x1b[K';
const CLEAR_REST_OF_SCREEN = '\x1b[J';

/** Ages are in seconds. */
const REDRAW_MS = 1_000;
/** Of a terminal that tells none. */
const DEFAULT_SIZE = { columns: 80, rows: 24 };

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export class Screen {
  readonly #out: CommandContext['out'];
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #draw: (size: Size) => readonly string[];
  #last = '';
  #timer: Timer | null = null;
  #stopResizes: (() => void) | null = null;

  /** @param draw makes the lines of a frame: at most `rows`, at most `columns` wide. */
  constructor(
    { out, terminal }: { out: CommandContext['out']; terminal: Terminal },
    clock: Clock,
    draw: (size: Size) => readonly string[],
  ) {
    this.#out = out;
    this.#terminal = terminal;
    this.#clock = clock;
    this.#draw = draw;
  }

  start(): void {
    this.#out(ENTER);
    // An error that nothing catches ends the process without running what awaits.
    process.once('exit', this.#leave);
    this.#stopResizes = this.#terminal.onResize(() => {
      // The terminal may have moved what was drawn.
      this.#last = '';
      this.redraw();
    });
    this.#tick();
  }

  /** Draws what there is now; nothing is written if it looks as before. */
  redraw(): void {
    if (this.#stopResizes === null) return;
    const columns = this.#terminal.columns || DEFAULT_SIZE.columns;
    const rows = this.#terminal.rows || DEFAULT_SIZE.rows;
    const lines = this.#draw({ columns, rows });
    // After the last column the cursor stays on it, and clearing the rest would clear what was written there.
    const whole = lines.map((line) => (widthOf(line) < columns ? `${line}${CLEAR_REST_OF_LINE}` : line));
    if (lines.length < rows) whole.push(CLEAR_REST_OF_SCREEN);
    const text = whole.join('\r\n');
    if (text === this.#last) return;
    this.#last = text;
    this.#out(`${BEGIN_FRAME}${text}${END_FRAME}`);
  }

  stop(): void {
    if (this.#stopResizes === null) return;
    this.#timer?.cancel();
    this.#stopResizes();
    this.#stopResizes = null;
    process.off('exit', this.#leave);
    this.#leave();
  }

  #tick(): void {
    this.redraw();
    this.#timer = this.#clock.setTimer(REDRAW_MS, () => this.#tick());
  }

  readonly #leave = (): void => this.#out(LEAVE);
}
