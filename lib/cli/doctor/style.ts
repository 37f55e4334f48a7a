/** The doctor's report on a terminal: colours where it wants them, and lines that fit it. */
import type { Terminal } from '../command.js';
import { createPaint, type Paint, wantsColour } from '../styled-text.js';

export interface Style extends Paint {
  readonly columns: number;
}

/** Longer lines are hard to read, on however wide a terminal. */
const MOST_COLUMNS = 100;
const LEAST_COLUMNS = 40;

/** No colours where the output is piped. */
export function styleFor(terminal: Terminal | null, env: Readonly<Record<string, string | undefined>>): Style {
  const columns = terminal?.columns ?? MOST_COLUMNS;
  return {
    ...createPaint(terminal !== null && wantsColour(env)),
    columns: Math.max(LEAST_COLUMNS, Math.min(MOST_COLUMNS, columns)),
  };
}

/** Breaks at spaces, but not within backticks. A word that is longer than a line keeps its own. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.match(/(?:`[^`]*`|[^\s`])+/g) ?? []) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
