/** Text for a terminal: colours that can be turned off, and lines of a given width. Escape sequences take no room. */

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  info(text: string): string;
}

export function createPaint(coloured: boolean): Paint {
  const style = (open: number, close: number) => (text: string) =>
    coloured && text !== '' ? `\x1b[${open}m${text}\x1b[${close}m` : text;
  return {
    bold: style(1, 22),
    dim: style(2, 22),
    good: style(32, 39),
    warn: style(33, 39),
    bad: style(31, 39),
    info: style(36, 39),
  };
}

/** https://no-color.org: set to anything but the empty string. */
export function wantsColour(env: Readonly<Record<string, string | undefined>>): boolean {
  return (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence starts with one.
const STYLED = /(\x1b\[[0-9;]*m)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g;

/** Text from elsewhere (a server's error, say) without anything that would move the cursor. */
export function printable(text: string): string {
  return text.replace(CONTROL, ' ');
}

export function widthOf(text: string): number {
  return text.split(STYLED).reduce((sum, part, index) => sum + (index % 2 === 1 ? 0 : [...part].length), 0);
}

/** At most `width` characters; `…` in the place of the last one where something is missing. */
export function cut(line: string, width: number): string {
  if (widthOf(line) <= width) return line;
  let left = Math.max(0, width - 1);
  let ended = false;
  return line
    .split(STYLED)
    .map((part, index) => {
      // Colours that were begun are ended.
      if (index % 2 === 1) return part;
      const kept = [...part].slice(0, left);
      left -= kept.length;
      if (ended || kept.length === [...part].length) return kept.join('');
      ended = true;
      left = 0;
      return width > 0 ? `${kept.join('')}…` : '';
    })
    .join('');
}

/** Pads on the right. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** Pads on the left. */
export function padLeft(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text;
}
