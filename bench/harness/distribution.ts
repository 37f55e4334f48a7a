/**
 * An empirical distribution in few points: results are published, and a chart shows no more than this. A sample of at
 * most `POINTS` values keeps all of them, so that its curve is exact.
 */
import { sorted } from './statistics.js';

const POINTS = 32;

export interface Point {
  readonly x: number;
  /** Share of the sample at or below x. */
  readonly share: number;
}

/** At most `POINTS` of the values, ascending: evenly spaced by rank, the smallest and the largest included. */
export function thinned(values: readonly number[]): number[] {
  const ascending = sorted(values);
  const kept = Math.min(POINTS, ascending.length);
  return Array.from({ length: kept }, (_, index) => ascending[rankOf(index, kept, ascending.length)] as number);
}

/**
 * The distribution function through thinned values.
 *
 * @param happened number of values before they were thinned.
 * @param total those that never happened included: the curve ends at `happened / total`.
 */
export function steps(thinnedValues: readonly number[], happened: number, total: number): Point[] {
  return thinnedValues.map((x, index) => ({
    x,
    share: (rankOf(index, thinnedValues.length, happened) + 1) / total,
  }));
}

/** Rank among `of` values of the kept value with this index. */
function rankOf(index: number, kept: number, of: number): number {
  return kept <= 1 ? 0 : Math.round((index * (of - 1)) / (kept - 1));
}
