/**
 * Of two distinct endpoints, the one with fewer calls in flight ("the power of two choices": Mitzenmacher 2001; compare
 * gRFC A48). A slow endpoint gets fewer calls although its latency is not measured. Two refinements:
 *
 * - The first choice is the next in rotation, the second is drawn at random. With two draws at random the endpoints'
 *   shares scatter even where all are equally fast; so, equal endpoints get equal shares.
 * - Over many endpoints, the next few calls of the same turn of the event loop go to the same one as a batch:
 *   node:http2 writes a session's frames at the end of the turn, so calls of one turn share their system calls if they
 *   share a connection. How large a batch may be: see call-rate.ts.
 */
import type { PickResult } from '../grpc/experimental.js';
import { CallRate } from './call-rate.js';
import type { PickableEndpoint, Picker, PickerContext, Policy } from './policy.js';
import { Rotation } from './rotation.js';

/**
 * The largest batch: one call for each eight endpoints, at most four. Over few endpoints the calls of a turn share
 * connections anyway; larger batches save little more, and make the shares uneven.
 */
const ENDPOINTS_PER_CALL = 8;
const LARGEST_BATCH = 4;

class LeastRequestPicker implements Picker {
  readonly rotation: Rotation;
  readonly callRate: CallRate;
  readonly #context: PickerContext;
  readonly #largestBatch: number;
  /** The batch under way: its endpoint, its turn, and how many calls may still join it. */
  #batchEndpoint: PickableEndpoint | null = null;
  #batchTurn = -1;
  #batchLeft = 0;

  constructor(rotation: Rotation, callRate: CallRate, context: PickerContext) {
    this.rotation = rotation;
    this.callRate = callRate;
    this.#context = context;
    const largest = Math.floor(rotation.endpoints.length / ENDPOINTS_PER_CALL);
    this.#largestBatch = Math.max(1, Math.min(LARGEST_BATCH, largest));
  }

  get endpoints(): readonly PickableEndpoint[] {
    return this.rotation.endpoints;
  }

  pick(): PickResult {
    const turn = this.#context.turns.current();
    const endpoint = this.#joinBatch(turn) ?? this.#startBatch(turn);
    endpoint.recordPick(turn);
    this.callRate.count();
    return endpoint.pickResult;
  }

  /** The endpoint of the batch under way, if this call may still join it. */
  #joinBatch(turn: number): PickableEndpoint | null {
    if (this.#batchLeft === 0 || this.#batchTurn !== turn) return null;
    this.#batchLeft -= 1;
    return this.#batchEndpoint;
  }

  #startBatch(turn: number): PickableEndpoint {
    const { rotation, callRate } = this;
    const place = rotation.next();
    if (place === 0 && this.#largestBatch > 1) callRate.measure(rotation.endpoints.length);
    const endpoint = this.#choose(place, turn);
    this.#batchEndpoint = endpoint;
    this.#batchTurn = turn;
    this.#batchLeft = Math.min(callRate.batch, this.#largestBatch) - 1;
    return endpoint;
  }

  #choose(place: number, turn: number): PickableEndpoint {
    const { endpoints } = this.rotation;
    const first = endpoints[place] as PickableEndpoint;
    const outstanding = first.outstanding(turn);
    // No other endpoint can have fewer: the second draw would change nothing.
    if (outstanding === 0 || endpoints.length === 1) return first;
    // Drawn among the others: two equal choices would be no choice, and on two endpoints that happens half of the time.
    const drawn = (this.#context.random() * (endpoints.length - 1)) | 0;
    const second = endpoints[drawn < place ? drawn : drawn + 1] as PickableEndpoint;
    return second.outstanding(turn) < outstanding ? second : first;
  }
}

export const leastRequest: Policy = {
  createPicker(ready, previous, context) {
    const before = previous instanceof LeastRequestPicker ? previous : null;
    const rotation = Rotation.of(ready, before?.rotation ?? null, context.random);
    return new LeastRequestPicker(rotation, before?.callRate ?? new CallRate(context.clock), context);
  },
};
