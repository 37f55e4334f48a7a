/**
 * The sets of pods that a Service had, one after the other. To the clients a set is one address, the set's token: they
 * compare sets as wholes, and so a set of 1,000 pods costs 10,000 clients no more memory or time than one of 10. What a
 * client holds after it has joined two sets (addresses may be added before others may be removed) is both tokens.
 */
import type { SetChange } from '../../test/support/cache-model.js';

export interface PodSet {
  /** When DNS has it. */
  readonly at: number;
  /** Number of pods, by which the size of an answer is known. */
  readonly pods: number;
}

export class PodHistory {
  /** The first one is there from the beginning. */
  readonly sets: readonly PodSet[];
  readonly #versions: ReadonlyMap<string, number>;

  constructor(sets: readonly PodSet[]) {
    this.sets = sets;
    this.#versions = new Map(sets.map((_, version) => [tokenOf(version), version]));
  }

  /** For a server that has each change so much later. */
  changes(lagMs: number): SetChange[] {
    return this.sets.map(({ at }, version) => ({
      at: version === 0 ? Number.NEGATIVE_INFINITY : at + lagMs,
      addresses: [tokenOf(version)],
    }));
  }

  /** @throws RangeError for a string that is no set's token. */
  versionOf(token: string): number {
    const version = this.#versions.get(token);
    if (version === undefined) throw new RangeError(`"${token}" is not the token of a set`);
    return version;
  }

  podsOf(token: string): number {
    return this.sets[this.versionOf(token)]?.pods ?? 0;
  }
}

/** An address that a connection could be opened to, as responses hold no others. */
function tokenOf(version: number): string {
  return `10.${(version >> 16) & 255}.${(version >> 8) & 255}.${version & 255}`;
}
