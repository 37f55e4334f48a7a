/** Text with or without colours, and lists in words. */

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

/** `a`, `a and b`, `a, b and c`. */
export function list(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
