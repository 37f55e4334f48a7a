/** Each candidate in its turn, across updates of the list. */

import type { PickableEndpoint } from '../balancer/endpoint.js';
import type { Random } from '../runtime.js';

export class Rotation {
  readonly candidates: readonly PickableEndpoint[];
  #next: number;

  private constructor(candidates: readonly PickableEndpoint[], next: number) {
    this.candidates = candidates;
    this.#next = next;
  }

  /**
   * Starts anywhere, or else every client would send its first call to the same pod; goes on where the previous
   * rotation stood, or else frequent updates would favour the head of the list.
   */
  static of(candidates: readonly PickableEndpoint[], previous: Rotation | null, random: Random): Rotation {
    if (previous) {
      // A pod that joins comes last, so the next one's place is what it was. Ten thousand of them come up one by one: a
      // map of all at each would cost most of the time that takes.
      const next = previous.#next;
      if (candidates[next] === previous.candidates[next]) return new Rotation(candidates, next);
      for (const candidate of previous.#upcoming()) {
        const place = candidates.indexOf(candidate);
        if (place >= 0) return new Rotation(candidates, place);
      }
    }
    return new Rotation(candidates, Math.floor(random() * candidates.length));
  }

  /** The index of the candidate whose turn it is; it is then the next one's. */
  next(): number {
    const place = this.#next;
    this.#next = place + 1 === this.candidates.length ? 0 : place + 1;
    return place;
  }

  *#upcoming(): Generator<PickableEndpoint> {
    for (let step = 0; step < this.candidates.length; step++)
      yield this.candidates[(this.#next + step) % this.candidates.length] as PickableEndpoint;
  }
}
