/** Text for terminals of any width, with or without colour. */

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  /** The colours of the two clients, by column. */
  column(index: number, text: string): string;
}

export function createPaint(coloured: boolean): Paint {
  const style = (open: number, close: number) => (text: string) =>
    coloured ? `\x1b[${open}m${text}\x1b[${close}m` : text;
  const columns = [style(33, 39), style(36, 39)];
  return {
    bold: style(1, 22),
    dim: style(2, 22),
    good: style(32, 39),
    bad: style(31, 39),
    column: (index, text) => columns[index % columns.length]?.(text) ?? text,
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence starts with one.
const STYLED = /(\x1b\[[0-9;]*m)/;

/** At most `width` visible characters: a line that wraps would spoil a picture that is redrawn in place. */
export function cut(line: string, width: number): string {
  let left = width;
  return line
    .split(STYLED)
    .map((part, index) => {
      if (index % 2 === 1) return part;
      const kept = part.slice(0, Math.max(0, left));
      left -= kept.length;
      return kept;
    })
    .join('');
}

/** Pads by visible characters. */
export function pad(text: string, width: number): string {
  const visible = text.split(STYLED).reduce((sum, part, index) => sum + (index % 2 === 1 ? 0 : part.length), 0);
  return text + ' '.repeat(Math.max(0, width - visible));
}

export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** `1.2 s`. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** `1,204`. */
export function count(number: number): string {
  return number.toLocaleString('en-US');
}

/** `a`, `a and b`, `a, b and c`. */
export function list(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
