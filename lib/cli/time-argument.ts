/** Times on a command line: `5s`, `500ms`, `2m`, `1h`, or a bare number of milliseconds as the options of the package have them. */

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

export interface TimeLimits {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** That of the option `refresh.intervalMs`. */
export const INTERVAL_LIMITS: TimeLimits = { leastMs: 10, mostMs: 86_400_000 };

/** In milliseconds; null where the text is no time, or one beyond the limits. */
export function readTime(text: string, { leastMs, mostMs }: TimeLimits): number | null {
  const [, number, unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const value = Math.round(Number(number) * (UNITS[unit] ?? Number.NaN));
  return value >= leastMs && value <= mostMs ? value : null;
}

/** What an option that takes a time says of a wrong value. */
export function refuseTime(option: string, text: string, { leastMs, mostMs }: TimeLimits): string {
  const limits = `${shortTime(leastMs)} to ${shortTime(mostMs)}`;
  const unit = 'a number without a unit means milliseconds';
  return `${option} takes a time from ${limits} such as 5s, 500ms or 2m (${unit}), got ${JSON.stringify(text)}`;
}

/** In the largest unit that is not larger than the time, without its fraction. */
function shortTime(ms: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, each]) => ms >= each) ?? ['ms', 1];
  return `${Math.floor(ms / size)}${unit}`;
}
