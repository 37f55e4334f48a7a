/**
 * Of two distinct pods drawn at random, the one with fewer calls in flight ("the power of two choices": Mitzenmacher
 * 2001; gRFC A48 has the same with replacement). A slow pod gets less, without anybody measuring its latency.
 */
import type { Candidate } from './endpoint.js';
import type { PickResult } from './grpc.js';
import type { Dice, Policy, PolicyPicker } from './picker.js';

export class LeastRequestPicker implements PolicyPicker {
  readonly candidates: readonly Candidate[];
  readonly #dice: Dice;

  constructor(candidates: readonly Candidate[], dice: Dice) {
    this.candidates = candidates;
    this.#dice = dice;
  }

  pick(): PickResult {
    const turn = this.#dice.turns.current();
    const candidate = this.#choose(turn);
    candidate.picked(turn);
    return candidate.pickResult;
  }

  #choose(turn: number): Candidate {
    const { candidates } = this;
    const { random } = this.#dice;
    const count = candidates.length;
    const place = (random() * count) | 0;
    const first = candidates[place] as Candidate;
    if (count === 1) return first;
    // Of the others: two equal draws would be no choice, and on two pods that happens half of the time.
    const drawn = (random() * (count - 1)) | 0;
    const second = candidates[drawn < place ? drawn : drawn + 1] as Candidate;
    return second.load(turn) < first.load(turn) ? second : first;
  }
}

export const leastRequest: Policy = (candidates, _previous, dice) => new LeastRequestPicker(candidates, dice);
