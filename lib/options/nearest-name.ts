/** Which known name a misspelt one was probably meant to be. Pure. */

/**
 * The known name that is nearest to `given`.
 *
 * @param limit how many edits away a known name may be. Unset: three, and half of its own length. That covers a typo
 *   and a missing unit; names further apart are different names.
 */
export function nearestName<T extends string>(
  given: string,
  known: readonly T[],
  limit: (name: T) => number = (name) => Math.min(3, Math.ceil(name.length / 2)),
): T | undefined {
  const scored = known.map((name) => ({ name, distance: editDistance(given.toLowerCase(), name.toLowerCase()) }));
  scored.sort((a, b) => a.distance - b.distance);
  const best = scored[0];
  return best && best.distance <= limit(best.name) ? best.name : undefined;
}

/** Levenshtein distance, one row of the matrix at a time; two neighbours that changed places are one edit. */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line++) {
    const next = [line];
    for (let column = 1; column <= to.length; column++) {
      const substituted = (row[column - 1] ?? 0) + (from[line - 1] === to[column - 1] ? 0 : 1);
      const edits = [substituted, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1];
      const swapped = from[line - 2] === to[column - 1] && from[line - 1] === to[column - 2];
      if (line > 1 && column > 1 && swapped) edits.push((before[column - 2] ?? 0) + 1);
      next.push(Math.min(...edits));
    }
    before = row;
    row = next;
  }
  return row[to.length] ?? 0;
}
