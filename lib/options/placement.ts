/**
 * Options of ours that stand where grpc-js would ignore them: beside the key `headless` in place of under it, or under a
 * key that is nearly `headless`.
 */
import { HeadlessError } from '../errors.js';
import type { Members } from './entry.js';
import { isGroup } from './group.js';
import { nearestName } from './nearest-name.js';
import { formatValue } from './refusal.js';

/** The one key among a channel's options that is ours. */
const KEY = 'headless';

/** Keys of grpc-js, whose own checks apply. */
const OF_GRPC = /^grpc(-node)?\./;

/** Shorter names are near too many words of other libraries: `tls` to `dns`, `node` to `zone`, `train` to `drain`. */
const SHORTEST_MISSPELT = 6;

/**
 * Checks the keys of a channel's options. What is near to no name of ours is left to grpc-js, and to the libraries that
 * hand options through it.
 *
 * @param members what stands under `headless`.
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` naming the key, its value and where it belongs.
 */
export function checkPlacement(options: Readonly<Record<string, unknown>>, members: Members): void {
  for (const [key, value] of Object.entries(options)) {
    if (key === KEY || value === undefined || OF_GRPC.test(key)) continue;
    const meant = meantBy(key, value, members);
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
function meantBy(key: string, value: unknown, members: Members): string | undefined {
  const [first = ''] = key.split('.');
  const plain = plainly(first);
  const names = [KEY, ...Object.keys(members)];
  const same = names.find((name) => plainly(name) === plain);
  if (same !== undefined) return same;
  return nearestName(plain, names, (name) => {
    // Two edits lead from "headless" to "headers": there what the key holds has to be ours, too.
    const edits = name.length >= SHORTEST_MISSPELT ? 1 : 0;
    return holdsAny(value, membersOf(name, members)) ? edits + 1 : edits;
  });
}

function membersOf(name: string, members: Members): readonly string[] {
  if (name === KEY) return Object.keys(members);
  const entry = members[name];
  return entry && isGroup(entry) ? Object.keys(entry.members) : [];
}

function holdsAny(value: unknown, names: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && names.some((name) => Object.hasOwn(value, name));
}

function plainly(name: string): string {
  return name.replace(/[-_]/g, '').toLowerCase();
}
