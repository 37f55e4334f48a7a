/** Text for terminals of any width. Escape sequences for colours take no room. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence starts with one.
const STYLED = /(\x1b\[[0-9;]*m)/;

/** At most `width` visible characters. */
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

/** Lines of at most `width` characters; a longer word has a line of its own. */
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
