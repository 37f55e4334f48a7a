/**
 * What may be said of a sample. Pure; randomness comes in, so that a seed repeats every interval.
 *
 * Intervals are percentile bootstraps at 95 % (Efron & Tibshirani 1993, ch. 13). Observations that share a cause (two
 * pods found by the same poll) are resampled together, as clusters: alone they would pass for more evidence than they are.
 */
import type { Random } from '../../lib/runtime.js';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Summary {
  readonly count: number;
  readonly mean: number;
  /** Of the mean. */
  readonly interval: Interval;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

const RESAMPLES = 1_000;
const CONFIDENCE = 0.95;

export function sorted(values: readonly number[]): number[] {
  return Array.from(Float64Array.from(values).sort());
}

/** Of sorted values, linear between neighbours (type 7 of Hyndman & Fan). NaN of none. */
export function quantile(ascending: readonly number[], share: number): number {
  if (ascending.length === 0) return Number.NaN;
  const position = (ascending.length - 1) * share;
  const below = ascending[Math.floor(position)] as number;
  const above = ascending[Math.ceil(position)] as number;
  // Infinity stands for "never": its difference to itself would be NaN.
  return above === below ? below : below + (above - below) * (position - Math.floor(position));
}

export function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

export function deviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(values.reduce((total, value) => total + (value - centre) ** 2, 0) / Math.max(1, values.length - 1));
}

/**
 * Null where there is nothing to summarise.
 *
 * @param clusters which observations belong together, in the order of `values`; default: none.
 */
export function summarise(values: readonly number[], random: Random, clusters?: readonly number[]): Summary | null {
  if (values.length === 0) return null;
  const ascending = sorted(values);
  return {
    count: values.length,
    mean: mean(values),
    interval: meanInterval(values, random, clusters),
    min: ascending[0] as number,
    p50: quantile(ascending, 0.5),
    p90: quantile(ascending, 0.9),
    p99: quantile(ascending, 0.99),
    max: ascending.at(-1) as number,
  };
}

/** Bootstrap interval of the mean. */
export function meanInterval(values: readonly number[], random: Random, clusters?: readonly number[]): Interval {
  const groups = new Map<number, { sum: number; count: number }>();
  for (const [index, value] of values.entries()) {
    const key = clusters?.[index] ?? index;
    const group = groups.get(key) ?? { sum: 0, count: 0 };
    group.sum += value;
    group.count += 1;
    groups.set(key, group);
  }
  const drawn = [...groups.values()];
  return bootstrap(drawn.length, random, (pick) => {
    let sum = 0;
    let count = 0;
    for (let index = 0; index < drawn.length; index++) {
      const group = drawn[pick()] as { sum: number; count: number };
      sum += group.sum;
      count += group.count;
    }
    return sum / count;
  });
}

export interface Ratio extends Interval {
  /** Geometric mean of numerator over denominator. */
  readonly value: number;
  readonly pairs: number;
}

/** Of pairs measured side by side: what the machine did to both cancels out. All numbers must be positive. */
export function ratioOfPairs(pairs: readonly (readonly [number, number])[], random: Random): Ratio {
  const logs = pairs.map(([numerator, denominator]) => Math.log(numerator / denominator));
  const { low, high } = meanInterval(logs, random);
  return { value: Math.exp(mean(logs)), low: Math.exp(low), high: Math.exp(high), pairs: pairs.length };
}

/** Kolmogorov's and Smirnov's: the largest vertical distance between two empirical distributions. */
export function ksDistance(a: readonly number[], b: readonly number[]): number {
  const left = sorted(a);
  const right = sorted(b);
  let [i, j, distance] = [0, 0, 0];
  while (i < left.length && j < right.length) {
    const x = Math.min(left[i] as number, right[j] as number);
    while (i < left.length && (left[i] as number) <= x) i += 1;
    while (j < right.length && (right[j] as number) <= x) j += 1;
    distance = Math.max(distance, Math.abs(i / left.length - j / right.length));
  }
  return distance;
}

/** `pick` draws an index below `size`. */
function bootstrap(size: number, random: Random, statistic: (pick: () => number) => number): Interval {
  const pick = (): number => Math.floor(random() * size);
  const results = sorted(Array.from({ length: RESAMPLES }, () => statistic(pick)));
  const tail = (1 - CONFIDENCE) / 2;
  return { low: quantile(results, tail), high: quantile(results, 1 - tail) };
}
