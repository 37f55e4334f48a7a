/**
 * Of two distinct pods, the one with fewer calls in flight ("the power of two choices": Mitzenmacher 2001; compare
 * gRFC A48). A slow pod gets less, without anybody measuring its latency. Two refinements:
 *
 * - The first choice is the next in rotation, the second is drawn at random. With two draws at random the pods' shares
 *   scatter even where all are equally fast; so, equal pods get equal shares.
 * - Over many pods, the next few calls of the same turn of the event loop follow the first: node:http2 writes a
 *   session's frames at the end of the turn, so calls of one turn share their system calls if they share a pod. Spread
 *   one by one over 50 pods a call costs a fifth to a third more CPU. How few: see pace.ts.
 */
import type { PickableEndpoint } from '../balancer/endpoint.js';
import type { PickResult } from '../grpc/experimental.js';
import { CallRate } from './call-rate.js';
import type { PickerContext, Policy, PolicyPicker } from './policy.js';
import { Rotation } from './rotation.js';

/**
 * How many calls of one turn may follow each other to one pod: one for each eight pods, at most four. Over few pods a
 * turn's calls meet anyway; longer runs save little more, and show in the balance.
 */
const PODS_PER_STEP = 8;
const LONGEST_RUN = 4;

class LeastRequestPicker implements PolicyPicker {
  readonly rotation: Rotation;
  readonly pace: CallRate;
  readonly #dice: PickerContext;
  readonly #longestRun: number;
  #run: PickableEndpoint | null = null;
  #runTurn = -1;
  #left = 0;

  constructor(rotation: Rotation, pace: CallRate, dice: PickerContext) {
    this.rotation = rotation;
    this.pace = pace;
    this.#dice = dice;
    this.#longestRun = Math.max(1, Math.min(LONGEST_RUN, Math.floor(rotation.candidates.length / PODS_PER_STEP)));
  }

  get candidates(): readonly PickableEndpoint[] {
    return this.rotation.candidates;
  }

  pick(): PickResult {
    const turn = this.#dice.turns.current();
    const candidate = this.#follow(turn) ?? this.#begin(turn);
    candidate.recordPick(turn);
    this.pace.count();
    return candidate.pickResult;
  }

  /** The pod of the run under way, if this call may still follow. */
  #follow(turn: number): PickableEndpoint | null {
    if (this.#left === 0 || this.#runTurn !== turn) return null;
    this.#left -= 1;
    return this.#run;
  }

  #begin(turn: number): PickableEndpoint {
    const { rotation, pace } = this;
    const place = rotation.next();
    if (place === 0 && this.#longestRun > 1) pace.measure(rotation.candidates.length);
    const candidate = this.#choose(place, turn);
    this.#run = candidate;
    this.#runTurn = turn;
    this.#left = Math.min(pace.batch, this.#longestRun) - 1;
    return candidate;
  }

  #choose(place: number, turn: number): PickableEndpoint {
    const { candidates } = this.rotation;
    const first = candidates[place] as PickableEndpoint;
    const load = first.outstanding(turn);
    // Nobody can have fewer: the second draw would change nothing.
    if (load === 0 || candidates.length === 1) return first;
    // Of the others: two equal choices would be none, and on two pods that happens half of the time.
    const drawn = (this.#dice.random() * (candidates.length - 1)) | 0;
    const second = candidates[drawn < place ? drawn : drawn + 1] as PickableEndpoint;
    return second.outstanding(turn) < load ? second : first;
  }
}

export const leastRequest: Policy = (candidates, previous, dice) => {
  const before = previous instanceof LeastRequestPicker ? previous : null;
  const rotation = Rotation.of(candidates, before?.rotation ?? null, dice.random);
  return new LeastRequestPicker(rotation, before?.pace ?? new CallRate(dice.clock), dice);
};
