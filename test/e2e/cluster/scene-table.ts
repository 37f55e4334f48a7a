/** The table of the scenes: what became of their calls, and how long new pods waited for their first one. */

export interface Row {
  readonly title: string;
  readonly calls: number;
  readonly failed: number;
  /** Ready to first call, of each new pod, in milliseconds. */
  readonly times: readonly number[];
  readonly bound: string;
}

const HEAD = ['scene', 'calls', 'failed', 'new pods', 'Ready → first call, median', 'max', 'bound'];

/** In Markdown. */
export function sceneTable(rows: readonly Row[]): string {
  const cells = rows.map(({ title, calls, failed, times, bound }) => {
    const sorted = times.toSorted((a, b) => a - b);
    const median = sorted[Math.floor((sorted.length - 1) / 2)];
    return [title, `${calls}`, `${failed}`, `${times.length}`, timeOf(median), timeOf(sorted.at(-1)), bound];
  });
  const widths = HEAD.map((head, column) => Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string => {
    const padded = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 || column === HEAD.length - 1 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${padded.join(' | ')} |`;
  };
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(HEAD), rule, ...cells.map(line)].join('\n');
}

function timeOf(ms: number | undefined): string {
  if (ms === undefined) return '–';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
