/** Makes settings of the options that users wrote, by a schema. */
import type { AnyGroup, AnyOption, Entry, Members, SettingsOf } from './entry.js';
import { refuseName, refuseValue } from './refusal.js';

type Given = Readonly<Record<string, unknown>>;

/**
 * Reads a group that is always present. Unknown names are reported before wrong values: a misspelt name may be the
 * reason why a value looks wrong.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` naming the option, the value received and what is allowed.
 */
export function readGroup<M extends Members>(members: M, value: unknown, path: string): SettingsOf<M> {
  const root: AnyGroup = { doc: '', members, default: {} };
  checkNames(root, value, path);
  return readEntry(root, value, path) as SettingsOf<M>;
}

function checkNames(group: AnyGroup, value: unknown, path: string): void {
  const given = givenMembers(group, value, path);
  if (given === null) return;
  const known = Object.keys(group.members);
  for (const name of Object.keys(given)) if (!known.includes(name)) throw refuseName(path, name, given[name], known);
  for (const [name, entry] of Object.entries(group.members))
    if (isGroup(entry)) checkNames(entry, given[name], `${path}.${name}`);
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
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as Given;
  throw refuseValue(path, value, canSwitch ? 'must be true, false or an object' : 'must be an object');
}

/** Tells the two kinds of entries apart. */
export function isGroup(entry: Entry): entry is AnyGroup {
  return 'members' in entry;
}
