/** The errors for options that are wrong: each has the option's path, the value received and what to write instead. */
import { HeadlessError } from '../errors.js';
import { nearestName } from './nearest-name.js';
import { builtInName } from './options-object.js';

/** Most characters of a value that a message shows. */
const SHOWN = 160;

/** The option has a value that it may not have; `rule` begins with "must". */
export function refuseValue(path: string, value: unknown, rule: string): HeadlessError {
  return new HeadlessError('ERR_HEADLESS_OPTION', `option ${path} ${rule}, got ${formatValue(value)}`);
}

/**
 * The group at `path` has no option of this name.
 *
 * @param elsewhere whole paths of options that the name may stand for in other groups.
 */
export function refuseName(
  path: string,
  name: string,
  value: unknown,
  known: readonly string[],
  elsewhere: readonly string[] = [],
): HeadlessError {
  const message = `unknown option ${path}.${name} (value ${formatValue(value)}): ${remedyFor(name, known, elsewhere)}`;
  return new HeadlessError('ERR_HEADLESS_OPTION', message);
}

function remedyFor(name: string, known: readonly string[], elsewhere: readonly string[]): string {
  if (elsewhere.length > 0) return `did you mean ${elsewhere.join(' or ')}?`;
  const near = nearestName(name, known);
  return near ? `did you mean "${near}"?` : `known are ${known.map((one) => `"${one}"`).join(', ')}`;
}

/** As a person would write the value, cut where it is long. Never throws, because it is called to report an error. */
export function formatValue(value: unknown): string {
  const text = wholeValue(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`;
}

function wholeValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'function') return 'a function';
  try {
    const builtIn = typeof value === 'object' && value !== null ? builtInName(value) : undefined;
    // As JSON most of them are `{}`, and a Date is a text.
    if (builtIn !== undefined && builtIn !== 'Array') return `${/^[AE]/.test(builtIn) ? 'an' : 'a'} ${builtIn}`;
    return JSON.stringify(value) ?? String(value);
  } catch {
    // JSON has no bigint and no circles.
    return Object.prototype.toString.call(value);
  }
}

/** An example of options as code: `{ servers: ['10.96.0.10'] }`. */
export function formatExample(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(formatExample).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value).map(([name, member]) => `${name}: ${formatExample(member)}`);
  return `{ ${members.join(', ')} }`;
}
