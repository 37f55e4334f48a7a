/**
 * Options of ours that stand where grpc-js would ignore them: beside the key `headless` in place of under it, or under a
 * key that is nearly `headless`.
 */
import { HeadlessError } from '../errors.js';
import { isGroup, type Members } from './entry.js';
import { nearestName } from './nearest-name.js';
import { type Place, placesIn, plainly, samePlaces, spelledOut } from './places.js';
import { formatValue } from './refusal.js';

/** The one key among a channel's options that is ours. */
const KEY = 'headless';

/** Keys of grpc-js, whose own checks apply. */
const OF_GRPC = /^grpc(-node)?\./;

/** Two words make a name that is only ours, but for this one: other libraries have it, too. */
const OF_OTHERS = ['timeoutMs'];

/** Names of one word that are ours if the value is one that the option takes. */
const ONE_WORD = ['jitter', 'ndots', 'lookup', 'policy', 'choices'];

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
    if (meant === undefined) {
      const places = placesBeside(key, value, members);
      if (places.length > 0) throw refuse(key, value, 'would be ignored here', places.map(spelledOut).join(' or '));
      continue;
    }
    const fault = meant === key.split('.').at(0) ? 'would be ignored here' : `is unknown (did you mean "${meant}"?)`;
    const remedy = meant === KEY ? 'headless: { … }' : `headless: { ${meant}: … }`;
    throw refuse(key, value, fault, remedy);
  }
}

function refuse(key: string, value: unknown, fault: string, remedy: string): HeadlessError {
  return new HeadlessError(
    'ERR_HEADLESS_OPTION',
    `option ${JSON.stringify(key)} (value ${formatValue(value)}) ${fault}: options of grpc-headless stand under the key "headless"; write ${remedy}`,
  );
}

/** Where the key belongs, if it is the name of an option inside one of our groups, and of nothing else. */
function placesBeside(key: string, value: unknown, members: Members): readonly Place[] {
  if ([...placesIn(members)].every(({ names }) => names.at(-1) !== key) || OF_OTHERS.includes(key)) return [];
  const places = samePlaces(key, members);
  if (/[A-Z]/.test(key)) return places;
  return ONE_WORD.includes(key) ? places.filter((place) => takes(place, value)) : [];
}

function takes({ names, entry }: Place, value: unknown): boolean {
  if (isGroup(entry)) return false;
  try {
    entry.check.read(value, names.join('.'));
    return true;
  } catch {
    return false;
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
