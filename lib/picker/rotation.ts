/** Each endpoint in its turn, across updates of the list. */
import type { Random } from '../runtime.js';
import type { PickableEndpoint } from './policy.js';

export class Rotation {
  readonly endpoints: readonly PickableEndpoint[];
  #next: number;

  private constructor(endpoints: readonly PickableEndpoint[], next: number) {
    this.endpoints = endpoints;
    this.#next = next;
  }

  /**
   * Starts at a random endpoint, so that clients do not all send their first call to the same one. Continues where the
   * previous rotation stood, so that frequent updates do not favour the head of the list.
   */
  static of(endpoints: readonly PickableEndpoint[], previous: Rotation | null, random: Random): Rotation {
    if (previous) {
      // An endpoint that joins comes last, so the next one's place is what it was. With ten thousand endpoints that
      // become ready one by one, a map of all of them at each update would take most of the time.
      const next = previous.#next;
      if (endpoints[next] === previous.endpoints[next]) return new Rotation(endpoints, next);
      for (const endpoint of previous.#upcoming()) {
        const place = endpoints.indexOf(endpoint);
        if (place >= 0) return new Rotation(endpoints, place);
      }
    }
    return new Rotation(endpoints, Math.floor(random() * endpoints.length));
  }

  /** The index of the endpoint whose turn it is; the turn then passes to the next one. */
  next(): number {
    const place = this.#next;
    this.#next = place + 1 === this.endpoints.length ? 0 : place + 1;
    return place;
  }

  /** It is this one's turn once more. */
  repeat(place: number): void {
    this.#next = place;
  }

  *#upcoming(): Generator<PickableEndpoint> {
    for (let step = 0; step < this.endpoints.length; step++)
      yield this.endpoints[(this.#next + step) % this.endpoints.length] as PickableEndpoint;
  }
}
