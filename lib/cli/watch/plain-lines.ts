/** One line for each change, for pipes, files and logs: the time, what it is about, and what happened. */
import { printable } from '../styled-text.js';
import type { ChangeView } from './view.js';

export interface PlainLinesOptions {
  /** One JSON object a line. */
  readonly json: boolean;
  /** Leave out DNS answers that changed nothing. */
  readonly changesOnly: boolean;
}

export class PlainLines {
  readonly #out: (text: string) => void;
  readonly #options: PlainLinesOptions;

  constructor(out: (text: string) => void, options: PlainLinesOptions) {
    this.#out = out;
    this.#options = options;
  }

  write(changes: readonly ChangeView[]): void {
    const shown = changes.filter(({ routine }) => !(routine && this.#options.changesOnly));
    if (shown.length > 0) this.#out(shown.map((change) => `${this.#line(change)}\n`).join(''));
  }

  #line({ at, about, address, text, tone }: ChangeView): string {
    const time = new Date(at).toISOString();
    if (this.#options.json) return JSON.stringify({ time, about, address, text, tone });
    const subject = address === null ? '' : `${address} `;
    return `${time} ${about.padEnd(7)} ${subject}${printable(text)}`;
  }
}
