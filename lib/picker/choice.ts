/**
 * The least loaded of a few distinct endpoints ("the power of two choices": Mitzenmacher 2001; compare gRFC A48). The
 * first choice is the next in rotation, the others are drawn at random. With all of them at random the endpoints' shares
 * scatter even where all are equally fast; so, equal endpoints get equal shares.
 *
 * An endpoint's load is its calls in flight with the next one, over its weight in slow start, times its latency where
 * the policy measures that.
 */
import type { Random } from '../runtime.js';
import type { PickableEndpoint } from './policy.js';
import type { Rotation } from './rotation.js';
import type { SlowStart } from './slow-start.js';

/**
 * The part of the choices between two equally loaded endpoints at which the rotation is shifted by one place. If it never
 * were, and long and short calls alternated, all calls of one kind would go to the same endpoints. Where the second has
 * fewer calls set aside, it gets the call: this evens out the number of long streams, and takes no more than this part of
 * an endpoint's share of short calls.
 */
const SHIFT = 1 / 16;

/** Endpoints are told by their places in the rotation. */
export interface Latencies {
  /** How many times slower an endpoint with so many calls in flight is than another. */
  ratio(place: number, outstanding: number, other: number, otherOutstanding: number): number;
  /** An endpoint without calls would be passed over. True where it should get this call, to measure it again. */
  passOver(place: number): boolean;
}

export interface ChoiceSettings {
  /** At least 2. With as many endpoints or fewer, all are compared. */
  readonly choices: number;
  readonly random: Random;
  readonly slowStart: SlowStart | null;
  /** Null where latency does not matter. */
  readonly latencies: Latencies | null;
}

export class Choice {
  readonly #rotation: Rotation;
  readonly #choices: number;
  readonly #random: Random;
  readonly #slowStart: SlowStart | null;
  readonly #latencies: Latencies | null;
  /** Only calls in flight count: the default, which must cost no more than that. */
  readonly #countsOnly: boolean;
  /** Calls in flight of the endpoint that was drawn last: a field, as a pair of results would be an allocation. */
  #drawnOutstanding = 0;
  /** What the fraction of the last roll decides, so that a second one need not be made. */
  #shifts = false;

  constructor(rotation: Rotation, { choices, random, slowStart, latencies }: ChoiceSettings) {
    this.#rotation = rotation;
    this.#choices = choices;
    this.#random = random;
    this.#slowStart = slowStart;
    this.#latencies = latencies;
    this.#countsOnly = slowStart === null && latencies === null;
  }

  /** The first choice: the place whose turn it is. */
  next(): number {
    const slowStart = this.#slowStart;
    return slowStart?.isActive() ? slowStart.next(this.#rotation) : this.#rotation.next();
  }

  /** @param place the first choice. */
  choose(place: number, turn: number): number {
    const { endpoints } = this.#rotation;
    const first = endpoints[place] as PickableEndpoint;
    const outstanding = first.outstanding(turn);
    const isIdle = outstanding === 0 && first.setAside === 0;
    // No other endpoint can have less: the other choices would change nothing.
    if ((isIdle && this.#latencies === null) || endpoints.length === 1) return place;
    const other = this.#draw(place, turn);
    const isDue = outstanding > 0 && first.recordTurn(Math.min(outstanding, this.#drawnOutstanding));
    // Its weight is in how often its turn comes; with calls in flight it counts here too, or a busy set would fill it up.
    const weight = outstanding === 0 || this.#countsOnly ? 1 : this.#weight(place);
    const difference = this.#compare(other, this.#drawnOutstanding, place, outstanding, weight);
    if (difference < 0) return isDue || (outstanding === 0 && this.#latencies?.passOver(place)) ? place : other;
    if (difference === 0 && !isIdle && this.#shifts) {
      if (first.setAside > (endpoints[other] as PickableEndpoint).setAside) {
        this.#rotation.repeat(place);
        return other;
      }
      this.#rotation.next();
    }
    return place;
  }

  /** The least loaded of the others that are compared. */
  #draw(place: number, turn: number): number {
    const { endpoints } = this.#rotation;
    const others = endpoints.length - 1;
    // Drawn among the others: two equal choices would be no choice, and on two endpoints that happens half of the time.
    const roll = this.#random() * others;
    const drawn = roll | 0;
    this.#shifts = roll - drawn < SHIFT;
    const other = drawn < place ? drawn : drawn + 1;
    this.#drawnOutstanding = (endpoints[other] as PickableEndpoint).outstanding(turn);
    return this.#choices === 2 ? other : this.#drawMore(place, turn, other);
  }

  /** The least loaded of the one that was drawn and of further ones. */
  #drawMore(place: number, turn: number, first: number): number {
    const { endpoints } = this.#rotation;
    const others = endpoints.length - 1;
    const all = this.#choices > others;
    let best = first;
    let drawn = first < place ? first : first - 1;
    for (let draws = all ? others : this.#choices - 1; draws > 1; draws--) {
      drawn = all ? (drawn + 1) % others : (this.#random() * others) | 0;
      const other = drawn < place ? drawn : drawn + 1;
      const outstanding = (endpoints[other] as PickableEndpoint).outstanding(turn);
      if (this.#compare(other, outstanding, best, this.#drawnOutstanding, this.#weight(best)) >= 0) continue;
      best = other;
      this.#drawnOutstanding = outstanding;
    }
    return best;
  }

  #weight(place: number): number {
    if (!this.#slowStart?.isActive()) return 1;
    return this.#slowStart.weight(this.#rotation.endpoints[place] as PickableEndpoint);
  }

  /** The load of an endpoint less that of another of this weight, in a unit of which only the sign matters. */
  #compare(place: number, outstanding: number, other: number, otherOutstanding: number, otherWeight: number): number {
    if (this.#countsOnly) return outstanding - otherOutstanding;
    let load = (outstanding + 1) / this.#weight(place);
    if (this.#latencies !== null) load *= this.#latencies.ratio(place, outstanding, other, otherOutstanding);
    return load - (otherOutstanding + 1) / otherWeight;
  }
}
