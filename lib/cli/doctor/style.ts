/** Colours where a terminal wants them, and lines that fit it. */
import type { Terminal } from '../command.js';

export interface Style {
  readonly columns: number;
  bold(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
}

/** Longer lines are hard to read, on however wide a terminal. */
const MOST_COLUMNS = 100;
const LEAST_COLUMNS = 40;

/** No colours where the output is piped, or NO_COLOR is set and not empty (https://no-color.org), or the terminal is dumb. */
export function styleFor(terminal: Terminal | null, env: Readonly<Record<string, string | undefined>>): Style {
  const coloured = terminal !== null && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  // SGR codes of ECMA-48: begin and end.
  const code = (begin: number, end: number) => (text: string) =>
    coloured ? `\u001b[${begin}m${text}\u001b[${end}m` : text;
  const columns = terminal?.columns ?? MOST_COLUMNS;
  return {
    columns: Math.max(LEAST_COLUMNS, Math.min(MOST_COLUMNS, columns)),
    bold: code(1, 22),
    red: code(31, 39),
    green: code(32, 39),
    yellow: code(33, 39),
    cyan: code(36, 39),
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
