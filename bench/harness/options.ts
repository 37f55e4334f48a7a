/**
 * A benchmark's command line. Every benchmark has the common flags below and may add its own; a wrong flag or value is
 * told in one sentence on stderr and ends the process with code 2, `--help` with code 0.
 *
 *     const options = readOptions('bench:tail', { inFlight: { default: 40, min: 1, max: 500, help: 'calls in flight' } });
 *     options.mode; options.seed; options.own.inFlight
 */
import { parseArgs } from 'node:util';

/** `short`: a part of `npm run bench`; `full`: the whole grid, however long it takes. */
export type Mode = 'short' | 'default' | 'full';

/** A number of the benchmark's own. Its name in camelCase becomes a flag in kebab-case. */
export interface NumberFlag {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly help: string;
}

export interface Options<Own extends string = string> {
  readonly mode: Mode;
  /** Of every random choice; printed with the result, so that a run can be repeated. */
  readonly seed: number;
  /** Only the simulation on a fake clock. A benchmark without a simulation refuses the flag. */
  readonly simulate: boolean;
  /** The result goes to stdout as JSON, instead of the table. */
  readonly json: boolean;
  /** Values of the benchmark's own flags. */
  readonly own: Readonly<Record<Own, number>>;
}

export interface OptionRules<Own extends string> {
  readonly flags?: Readonly<Record<Own, NumberFlag>>;
  readonly simulates?: boolean;
}

const DEFAULT_SEED = 20_241_101;
const MAX_SEED = 2 ** 31 - 1;

/** What is wrong with the command line, in one sentence. */
class OptionError extends Error {}

/** Reads `process.argv`, or ends the process with a message. */
export function readOptions<Own extends string = never>(script: string, rules: OptionRules<Own> = {}): Options<Own> {
  try {
    const parsed = parseOptions(process.argv.slice(2), rules);
    if (parsed !== 'help') return parsed;
    process.stdout.write(usage(script, rules));
    process.exit(0);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    process.stderr.write(`${error.message}\nnpm run ${script} -- --help lists what there is.\n`);
    process.exit(2);
  }
}

/** @throws {OptionError} naming the flag and the value. */
function parseOptions<Own extends string>(
  args: readonly string[],
  { flags, simulates = false }: OptionRules<Own>,
): Options<Own> | 'help' {
  const own = Object.entries(flags ?? {}) as [Own, NumberFlag][];
  let values: Record<string, string | boolean | undefined>;
  try {
    values = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        help: { type: 'boolean', short: 'h' },
        short: { type: 'boolean' },
        full: { type: 'boolean' },
        json: { type: 'boolean' },
        seed: { type: 'string' },
        ...(simulates ? { simulate: { type: 'boolean' as const } } : {}),
        ...Object.fromEntries(own.map(([name]) => [kebab(name), { type: 'string' as const }])),
      },
    }).values;
  } catch (error) {
    throw new OptionError((error as Error).message, { cause: error });
  }
  if (values['help']) return 'help';
  if (values['short'] && values['full']) throw new OptionError('--short and --full cannot both be asked for.');
  return {
    mode: values['short'] ? 'short' : values['full'] ? 'full' : 'default',
    seed: number('seed', values['seed'], { default: DEFAULT_SEED, min: 0, max: MAX_SEED, help: '' }, true),
    simulate: values['simulate'] === true,
    json: values['json'] === true,
    own: Object.fromEntries(
      own.map(([name, flag]) => [name, number(kebab(name), values[kebab(name)], flag)]),
    ) as Record<Own, number>,
  };
}

function number(name: string, given: string | boolean | undefined, flag: NumberFlag, whole = false): number {
  if (given === undefined) return flag.default;
  const value = Number(given);
  const fits = given !== '' && value >= flag.min && value <= flag.max && (!whole || Number.isInteger(value));
  if (fits) return value;
  throw new OptionError(
    `--${name} must be a ${whole ? 'whole number' : 'number'} from ${flag.min} to ${flag.max}, got "${given}".`,
  );
}

function usage(script: string, { flags, simulates = false }: OptionRules<string>): string {
  const lines: [string, string][] = [
    ['--short', 'a smaller run, as in npm run bench'],
    ['--full', 'the whole grid, however long it takes'],
    ...(simulates ? [['--simulate', 'on a virtual clock, beside the last real run'] as [string, string]] : []),
    ['--seed N', `of every random choice (default ${DEFAULT_SEED})`],
    ['--json', 'the result on stdout as JSON, instead of the table'],
    ...Object.entries(flags ?? {}).map(([name, flag]): [string, string] => [
      `--${kebab(name)} N`,
      `${flag.help} (default ${flag.default})`,
    ]),
  ];
  const width = Math.max(...lines.map(([flag]) => flag.length));
  return `npm run ${script} -- [flags]\n\n${lines.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}\n`).join('')}`;
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
