/** Where in the schema an option of some name stands: what an option in the wrong place was meant to be. Pure. */
import { type Entry, isGroup, type Members } from './entry.js';
import { nearestName } from './nearest-name.js';

/** A name of the schema, and where it is. */
export interface Place {
  /** `['refresh', 'intervalMs']`. */
  readonly names: readonly string[];
  readonly entry: Entry;
}

/** Every option and group of these members, groups before their members. */
export function* placesIn(members: Members, above: readonly string[] = []): Generator<Place> {
  for (const [name, entry] of Object.entries(members)) {
    const names = [...above, name];
    yield { names, entry };
    if (isGroup(entry)) yield* placesIn(entry.members, names);
  }
}

/** The places of the name, in the order of the schema. Upper and lower case, `-` and `_` make no difference. */
export function samePlaces(name: string, members: Members): readonly Place[] {
  return [...placesIn(members)].filter((place) => plainly(nameOf(place)) === plainly(name));
}

/** The places of the name that is nearest; none where no name is near. */
export function nearPlaces(name: string, members: Members): readonly Place[] {
  const places = [...placesIn(members)];
  // Among the names of all groups a short one is near to too many words.
  const near = nearestName(name, places.map(nameOf), (known) => Math.min(2, Math.floor(known.length / 3)));
  return places.filter((place) => nameOf(place) === near);
}

function nameOf({ names }: Place): string {
  return names.at(-1) ?? '';
}

export function plainly(name: string): string {
  return name.replace(/[-_]/g, '').toLowerCase();
}

/** How to write it: `headless: { refresh: { intervalMs: … } }`. */
export function spelledOut({ names }: Place): string {
  return `headless: ${names.reduceRight((inner, name) => `{ ${name}: ${inner} }`, '…')}`;
}
