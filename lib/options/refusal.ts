/** The errors for options that are wrong: each has the option's path, the value received and what to write instead. */
import { HeadlessError } from '../errors.js';
import { nearestName } from './nearest-name.js';

/** The option has a value that it may not have; `rule` begins with "must". */
export function refuseValue(path: string, value: unknown, rule: string): HeadlessError {
  return new HeadlessError('ERR_HEADLESS_OPTION', `option ${path} ${rule}, got ${formatValue(value)}`);
}

/** The group at `path` has no option of this name. */
export function refuseName(path: string, name: string, value: unknown, known: readonly string[]): HeadlessError {
  const near = nearestName(name, known);
  const remedy = near ? `did you mean "${near}"?` : `known are ${known.map((one) => `"${one}"`).join(', ')}`;
  const message = `unknown option ${path}.${name} (value ${formatValue(value)}): ${remedy}`;
  return new HeadlessError('ERR_HEADLESS_OPTION', message);
}

/** As a person would write the value. Never throws, because it is called to report an error. */
export function formatValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'function') return 'a function';
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // JSON has no bigint and no circles.
    return Object.prototype.toString.call(value);
  }
}
