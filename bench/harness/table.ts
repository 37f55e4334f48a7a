/** A table of figures for the terminal. */

export interface Column<Row> {
  readonly head: string;
  cell(row: Row): string;
  /** Default `right`, for figures. */
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
