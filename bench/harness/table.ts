/**
 * Figures as text: a table for the terminal, and each figure with its unit in as many digits as it can carry.
 * `null` and `undefined` show as a dash: not measured is not zero.
 */

export interface Column<Row> {
  readonly head: string;
  cell(row: Row): string;
  /** Default `right`, as figures want it. */
  readonly align?: 'left' | 'right';
}

/** Lines, the head and a rule first. A row that is null becomes an empty line between groups. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly (Row | null)[]): string {
  const texts = rows.map((row) => (row === null ? null : columns.map((column) => column.cell(row))));
  const heads = columns.map((column) => column.head.split('\n'));
  const widths = columns.map((_, index) =>
    Math.max(...(heads[index] ?? []).map((line) => line.length), ...texts.map((cells) => cells?.[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) =>
        columns[index]?.align === 'left' ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const headLines = Math.max(...heads.map((lines) => lines.length));
  const head = Array.from({ length: headLines }, (_, index) =>
    line(heads.map((lines) => lines[index - (headLines - lines.length)] ?? '')),
  );
  return [
    ...head,
    widths.map((width) => '─'.repeat(width)).join('  '),
    ...texts.map((cells) => (cells === null ? '' : line(cells))),
  ].join('\n');
}

const DASH = '–';

/** `340 ms`, `1.24 s`, `12.4 s`, `3.1 min`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return DASH;
  if (!Number.isFinite(ms)) return 'never';
  const size = Math.abs(ms);
  if (size === 0) return '0 ms';
  if (size < 1) return `${significant(ms * 1000)} µs`;
  if (size < 999.5) return `${significant(ms)} ms`;
  if (size < 119_950) return `${significant(ms / 1000)} s`;
  return `${significant(ms / 60_000)} min`;
}

/** `12.4 %`. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined || Number.isNaN(share) ? DASH : `${significant(share * 100)} %`;
}

/** `1,204`, `12.4`. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return DASH;
  return Number.isInteger(value) ? value.toLocaleString('en-US') : significant(value);
}

/** `×1.03`. */
export function ratio(value: number | null | undefined): string {
  return value === null || value === undefined || Number.isNaN(value) ? DASH : `×${significant(value)}`;
}

/** Three digits that count; whole numbers from 100 on. */
export function significant(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  if (size >= 10) return value.toFixed(1);
  return value === 0 ? '0' : value.toFixed(2);
}
