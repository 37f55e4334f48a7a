/**
 * Of a few distinct endpoints, by default two, the one with the fewest calls in flight; see choice.ts. A slow endpoint
 * gets fewer calls although its latency is not measured.
 *
 * Over many endpoints, the next few calls of the same turn of the event loop go to the same one as a batch: node:http2
 * writes a session's frames at the end of the turn, so calls of one turn share their system calls if they share a
 * connection. How large a batch may be: see call-rate.ts.
 */
import type { PickResult } from '../grpc/experimental.js';
import { CallRate } from './call-rate.js';
import { Choice } from './choice.js';
import type { PickableEndpoint, Picker, PickerContext, Policy, PolicySettings } from './policy.js';
import { Rotation } from './rotation.js';
import { SlowStart } from './slow-start.js';

/**
 * The largest batch: one call for each eight endpoints, at most four. Over few endpoints the calls of a turn share
 * connections anyway; larger batches save little more, and make the shares uneven.
 */
const ENDPOINTS_PER_CALL = 8;
const LARGEST_BATCH = 4;

class LeastRequestPicker implements Picker {
  readonly rotation: Rotation;
  readonly callRate: CallRate;
  readonly slowStart: SlowStart | null;
  readonly #choice: Choice;
  readonly #turns: PickerContext['turns'];
  readonly #largestBatch: number;
  /** The batch under way: its endpoint, its turn, and how many calls may still join it. */
  #batchEndpoint: PickableEndpoint | null = null;
  #batchTurn = -1;
  #batchLeft = 0;

  constructor(
    rotation: Rotation,
    callRate: CallRate,
    slowStart: SlowStart | null,
    choices: number,
    { random, turns }: PickerContext,
  ) {
    this.rotation = rotation;
    this.callRate = callRate;
    this.slowStart = slowStart;
    this.#choice = new Choice(rotation, { choices, random, slowStart, latencies: null });
    this.#turns = turns;
    const largest = Math.floor(rotation.endpoints.length / ENDPOINTS_PER_CALL);
    this.#largestBatch = Math.max(1, Math.min(LARGEST_BATCH, largest));
  }

  get endpoints(): readonly PickableEndpoint[] {
    return this.rotation.endpoints;
  }

  pick(): PickResult {
    const turn = this.#turns.current();
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
    const place = this.#choice.next();
    if (place === 0 && this.#largestBatch > 1) callRate.measure(rotation.endpoints.length);
    const endpoint = rotation.endpoints[this.#choice.choose(place, turn)] as PickableEndpoint;
    this.#batchEndpoint = endpoint;
    this.#batchTurn = turn;
    this.#batchLeft = Math.min(callRate.batch, this.#largestBatch) - 1;
    return endpoint;
  }
}

export function createLeastRequest({ choices, slowStartMs }: PolicySettings): Policy {
  return {
    createPicker(ready, previous, context) {
      const before = previous instanceof LeastRequestPicker ? previous : null;
      const rotation = Rotation.of(ready, before?.rotation ?? null, context.random);
      const slowStart = SlowStart.of(slowStartMs, ready, before?.slowStart ?? null, context);
      const callRate = before?.callRate ?? new CallRate(context.clock);
      return new LeastRequestPicker(rotation, callRate, slowStart, choices, context);
    },
  };
}

/** Two choices, no slow start. */
export const leastRequest: Policy = createLeastRequest({ choices: 2, slowStartMs: 0 });
