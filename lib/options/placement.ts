/**
 * Options of ours that stand where grpc-js would ignore them: beside the key `headless` in place of under it, or under a
 * key that is nearly `headless`.
 */
import { HeadlessError } from '../errors.js';
import { nearestName } from './nearest-name.js';
import { formatValue } from './refusal.js';

/** The one key among a channel's options that is ours. */
const KEY = 'headless';

/** Keys of grpc-js, whose own checks apply. */
const OF_GRPC = /^grpc(-node)?\./;

/** Shorter names are near too many words of other libraries: `tls` to `dns`, `node` to `zone`. */
const SHORTEST_MISSPELT = 5;

/**
 * Checks the keys of a channel's options. What is near to no name of ours is left to grpc-js, and to the libraries that
 * hand options through it.
 *
 * @param groups the names that stand under `headless`.
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` naming the key, its value and where it belongs.
 */
export function checkPlacement(options: Readonly<Record<string, unknown>>, groups: readonly string[]): void {
  for (const [key, value] of Object.entries(options)) {
    if (key === KEY || value === undefined || OF_GRPC.test(key)) continue;
    const meant = meantBy(key, value, groups);
    if (meant === undefined) continue;
    const fault = meant === key.split('.').at(0) ? 'would be ignored here' : `is unknown (did you mean "${meant}"?)`;
    const remedy = meant === KEY ? 'headless: { … }' : `headless: { ${meant}: … }`;
    throw new HeadlessError(
      'ERR_HEADLESS_OPTION',
      `option ${JSON.stringify(key)} (value ${formatValue(value)}) ${fault}: options of grpc-headless stand under the key "headless"; write ${remedy}`,
    );
  }
}

/** The name of ours that the key is, or is nearly; undefined where there is none. */
function meantBy(key: string, value: unknown, groups: readonly string[]): string | undefined {
  const [first = ''] = key.split('.');
  const plain = plainly(first);
  const names = [KEY, ...groups];
  const same = names.find((name) => plainly(name) === plain);
  if (same !== undefined) return same;
  const long = names.filter((name) => name.length >= SHORTEST_MISSPELT);
  // Two edits lead from "headless" to "headers", so what the key holds has to be ours, too.
  const edits = isOurs(value, groups) ? 2 : 1;
  return nearestName(plain, long, (name) => (name === KEY ? edits : 1));
}

/** An object with one of our groups in it. */
function isOurs(value: unknown, groups: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && groups.some((group) => Object.hasOwn(value, group));
}

function plainly(name: string): string {
  return name.replace(/[-_]/g, '').toLowerCase();
}
