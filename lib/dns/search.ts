/**
 * The memory of a search: which candidate is the Service's name, and when the nearer ones are due. A candidate is nearer
 * than another if it comes earlier in the list.
 *
 * The first candidate that has addresses is the Service's name from then on. Its NXDOMAIN means that the Service has no
 * pod now: the host of the same name in another domain must not take its place. Only a nearer candidate may, because at
 * the start the Service's own name may not have existed yet.
 */
import type { Clock } from '../runtime.js';

/** At the default interval a nearer name is then in use within 30 s of its first record. */
const NEARER_INTERVAL_MS = 15_000;
/** In a burst. More often would multiply the queries of a Service that is scaled to zero. */
const NEARER_BURST_INTERVAL_MS = 5_000;

export class Search {
  readonly #clock: Pick<Clock, 'now'>;
  #candidates: readonly string[] = [];
  #name: string | null = null;
  #nearerAskedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /**
   * The candidates of this resolution, nearest first. Another list than the last one starts the search anew.
   * @returns whether it did.
   */
  begin(candidates: readonly string[]): boolean {
    if (sameList(this.#candidates, candidates)) return false;
    this.#candidates = candidates;
    this.#name = null;
    return true;
  }

  /** The Service's name; null until a candidate has had addresses. */
  get name(): string | null {
    return this.#name;
  }

  /** This candidate has addresses: it is the Service's name, unless that is nearer already. */
  found(candidate: string): void {
    if (this.#name === null) this.#nearerAskedAt = this.#clock.now();
    else if (this.#candidates.indexOf(candidate) > this.#candidates.indexOf(this.#name)) return;
    this.#name = candidate;
  }

  /** The candidates nearer than the name that are to be asked for now. The caller then asks for all of them. */
  takeNearer(bursting: boolean): readonly string[] {
    const now = this.#clock.now();
    const intervalMs = bursting ? NEARER_BURST_INTERVAL_MS : NEARER_INTERVAL_MS;
    if (this.#name === null || now - this.#nearerAskedAt < intervalMs) return [];
    this.#nearerAskedAt = now;
    return this.#candidates.slice(0, this.#candidates.indexOf(this.#name));
  }
}

function sameList(before: readonly string[], after: readonly string[]): boolean {
  return before.length === after.length && before.every((name, index) => name === after[index]);
}
