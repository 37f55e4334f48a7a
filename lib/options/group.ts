/** Makes settings of the options that users wrote, by a schema. */
import { type AnyGroup, type AnyOption, type Entry, isGroup, type Members, type SettingsOf } from './entry.js';
import { nearestName } from './nearest-name.js';
import { isOptionsObject } from './options-object.js';
import { nearPlaces, plainly, samePlaces } from './places.js';
import { formatExample, refuseName, refuseValue } from './refusal.js';

type Given = Readonly<Record<string, unknown>>;

/**
 * Reads a group that is always present. Unknown names are reported before wrong values: a misspelt name may be the
 * reason why a value looks wrong.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` naming the option, the value received and what is allowed.
 */
export function readGroup<M extends Members>(members: M, value: unknown, path: string): SettingsOf<M> {
  const root: AnyGroup = { doc: '', members, default: {}, ...exampleOf(members) };
  checkNames(root, value, path, { members, path });
  return readEntry(root, value, path) as SettingsOf<M>;
}

/** By the first group that has an example. */
function exampleOf(members: Members): Pick<AnyGroup, 'example'> {
  for (const [name, entry] of Object.entries(members))
    if (isGroup(entry) && entry.example) return { example: { [name]: entry.example } };
  return {};
}

interface Root {
  readonly members: Members;
  readonly path: string;
}

function checkNames(group: AnyGroup, value: unknown, path: string, root: Root): void {
  const given = givenMembers(group, value, path);
  if (given === null) return;
  const known = Object.keys(group.members);
  for (const name of Object.keys(given))
    if (!known.includes(name)) throw refuseName(path, name, given[name], known, elsewhere(name, known, root));
  for (const [name, entry] of Object.entries(group.members))
    if (isGroup(entry)) checkNames(entry, given[name], `${path}.${name}`, root);
}

/** Where else the name stands. A name that is only nearly right counts first in its own group. */
function elsewhere(name: string, known: readonly string[], { members, path }: Root): readonly string[] {
  if (known.some((one) => plainly(one) === plainly(name))) return [];
  const same = samePlaces(name, members);
  const places = same.length > 0 || nearestName(name, known) !== undefined ? same : nearPlaces(name, members);
  return places.map(({ names }) => [path, ...names].join('.'));
}

function readEntry(entry: Entry, value: unknown, path: string): unknown {
  if (!isGroup(entry)) return readOption(entry, value, path);
  const given = givenMembers(entry, value, path);
  if (given === null) return null;
  const settings = Object.entries(entry.members).map(([name, member]) => [
    name,
    readEntry(member, given[name], `${path}.${name}`),
  ]);
  return Object.fromEntries(settings);
}

function readOption(option: AnyOption, value: unknown, path: string): unknown {
  if (value !== undefined) return option.check.read(value, path);
  return option.default === null ? null : option.check.read(option.default, path);
}

/** The members as users wrote them; null where the group does not apply. */
function givenMembers(group: AnyGroup, value: unknown, path: string): Given | null {
  const given = value === undefined ? group.default : value;
  const canSwitch = typeof group.default === 'boolean';
  if (canSwitch && typeof given === 'boolean') return given ? {} : null;
  if (value === undefined && given === null) return null;
  if (isOptionsObject(given)) return given;
  const example = group.example ? ` such as ${formatExample(group.example)}` : '';
  throw refuseValue(path, value, `must be ${canSwitch ? 'true, false or ' : ''}an object${example}`);
}
