/** The command line of the soak: its values, or an error whose sentence says what is wrong. */
import { parseArgs } from 'node:util';

export interface Flags {
  readonly help: boolean;
  /** The rolling restart and the hard kills, counted in calls, instead of the random scenario. */
  readonly rolling: boolean;
  /** The clients of the random scenario have every option for special cases on. */
  readonly everything: boolean;
  readonly durationMs: number;
  /** Null: draw one. */
  readonly seed: number | null;
  /** At most so many at a time; at least two fifths of it. */
  readonly pods: number;
  /** Of each of the three parts of `--rolling`. */
  readonly calls: number;
}

export class FlagError extends Error {}

export const USAGE = `npm run soak -- [flags]

  --seconds N | --minutes N | --hours N   how long; default 10 minutes
  --seed N                                the scenario of an earlier run, which printed it
  --pods N                                pods at a time, at most; default 50
  --everything                            with every option for special cases: retry, outlier, health, slow start, ...
  --rolling                               instead: 20 pods restarted, with and without grace, then 20 killed
  --calls N                               of each part of --rolling; default 100000`;

const UNITS = { seconds: 1_000, minutes: 60_000, hours: 3_600_000 } as const;
const DEFAULT_DURATION_MS = 10 * UNITS.minutes;
/** Shorter ones have no sample in their first and last tenth. */
const SHORTEST_MS = 20_000;
const LONGEST_MS = 24 * 31 * UNITS.hours;

/** @throws {FlagError} whose message is for the user. */
export function readFlags(args: readonly string[]): Flags {
  const values = parse(args);
  const durations = (Object.keys(UNITS) as (keyof typeof UNITS)[]).filter((unit) => values[unit] !== undefined);
  if (durations.length > 1)
    throw new FlagError(`give one of ${durations.map((unit) => `--${unit}`).join(', ')}, not several`);
  const [unit] = durations;
  const durationMs = unit ? readNumber(`--${unit}`, values[unit]) * UNITS[unit] : DEFAULT_DURATION_MS;
  if (durationMs < SHORTEST_MS || durationMs > LONGEST_MS)
    throw new FlagError(`--${unit} must come to between 20 seconds and 31 days, got ${values[unit ?? 'seconds']}`);
  if (values.rolling && unit) throw new FlagError(`--rolling is counted in calls (--calls): leave --${unit} out`);
  if (values.rolling && values.everything)
    throw new FlagError('--everything is for the random scenario, not for --rolling');
  if (values.calls !== undefined && !values.rolling) throw new FlagError('--calls goes with --rolling only');
  if (values.pods !== undefined && values.rolling) throw new FlagError('--rolling has 20 pods: leave --pods out');
  return {
    help: values.help ?? false,
    rolling: values.rolling ?? false,
    everything: values.everything ?? false,
    durationMs,
    seed: values.seed === undefined ? null : readInteger('--seed', values.seed, 0, 2 ** 32 - 1),
    pods: values.pods === undefined ? 50 : readInteger('--pods', values.pods, 10, 200),
    calls: values.calls === undefined ? 100_000 : readInteger('--calls', values.calls, 2_000, 100_000_000),
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        seconds: text,
        minutes: text,
        hours: text,
        seed: text,
        pods: text,
        calls: text,
        rolling: flag,
        everything: flag,
        help: flag,
      },
    }).values;
  } catch (cause) {
    throw new FlagError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function readNumber(flag: string, text: string | undefined): number {
  const value = Number(text);
  if (!text?.trim() || !Number.isFinite(value)) throw new FlagError(`${flag} must be a number, got "${text}"`);
  return value;
}

function readInteger(flag: string, text: string, min: number, max: number): number {
  const value = readNumber(flag, text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new FlagError(`${flag} must be a whole number from ${min} to ${max}, got ${text}`);
}
