/** Each pod in its turn. */
import type { Candidate } from './endpoint.js';
import type { PickResult } from './grpc.js';
import type { Policy, PolicyPicker } from './picker.js';

export class RoundRobinPicker implements PolicyPicker {
  readonly candidates: readonly Candidate[];
  #next: number;

  constructor(candidates: readonly Candidate[], next: number) {
    this.candidates = candidates;
    this.#next = next;
  }

  pick(): PickResult {
    const candidate = this.candidates[this.#next] as Candidate;
    this.#next = this.#next + 1 === this.candidates.length ? 0 : this.#next + 1;
    return candidate.pickResult;
  }

  /** The candidates in the order in which their turns come. */
  *upcoming(): Generator<Candidate> {
    for (let step = 0; step < this.candidates.length; step++)
      yield this.candidates[(this.#next + step) % this.candidates.length] as Candidate;
  }
}

/**
 * Starts anywhere, or else every client would send its first call to the same pod; goes on where the previous picker
 * stood, or else frequent updates would favour the head of the list.
 */
export const roundRobin: Policy = (candidates, previous, { random }) => {
  if (!(previous instanceof RoundRobinPicker))
    return new RoundRobinPicker(candidates, Math.floor(random() * candidates.length));
  const places = new Map(candidates.map((candidate, index) => [candidate, index]));
  for (const candidate of previous.upcoming()) {
    const place = places.get(candidate);
    if (place !== undefined) return new RoundRobinPicker(candidates, place);
  }
  return new RoundRobinPicker(candidates, Math.floor(random() * candidates.length));
};
