/**
 * The connections to one pod as a policy sees them: one endpoint. So each pod gets its share of the calls, however many
 * connections lead to it. Within the pod, a call goes to the connection that has the fewest.
 */
import type { PickResult } from '../grpc/experimental.js';
import type { PickableEndpoint } from '../picker/policy.js';
import { QUEUE } from '../picker/static-pickers.js';
import type { Runtime } from '../runtime.js';
import type { Endpoint } from './endpoint.js';

/** Of a server that tells no limit, or a greater one: what RFC 9113 (section 6.5.2) recommends as the least. */
const ASSUMED_LIMIT = 100;
/** The part of the limit at which the calls on a connection are near it. */
const NEAR = 0.8;

export interface PodContext {
  readonly turns: Runtime['turns'];
  /** Streams that the peer allows on the endpoint's connection; null where that is unknown. */
  streamLimit(endpoint: Endpoint): number | null;
  /** All connections of the pod have nearly as many calls as they take. */
  onCrowded(pod: Pod): void;
}

export class Pod implements PickableEndpoint {
  readonly name: string;
  /** Connections that there should be. */
  wanted = 1;
  /** Another connection is on its way. */
  opening = false;
  /** Checks on end by which fewer connections would do. */
  calmChecks = 0;
  /** The limit of streams is known, or is not going to be: until then calls wait. */
  settled = false;
  readonly #context: PodContext;
  #connections: readonly Endpoint[] = [];
  /** The last known limit of streams: that of a connection shows only after its first picks. */
  #limit: number | null = null;
  /** The place of the connection that got the last call: of equal ones, the next gets the next. */
  #last = 0;
  /** Chosen by `recordPick`, until the pick result is read; null: all are full, and one is on its way. */
  #chosen: Endpoint | null | undefined;
  /** The most calls in flight since `resetPeak`. */
  #peak = 0;

  constructor(name: string, context: PodContext) {
    this.name = name;
    this.#context = context;
  }

  /** Those that take calls; at least one while a picker has the pod. */
  get connections(): readonly Endpoint[] {
    return this.#connections;
  }

  set connections(connections: readonly Endpoint[]) {
    this.#connections = connections;
  }

  get zone(): string | null {
    return this.#connections[0]?.zone ?? null;
  }

  get pickResult(): PickResult {
    if (this.#chosen === undefined) this.recordPick(this.#context.turns.current());
    const chosen = this.#chosen;
    this.#chosen = undefined;
    return chosen ? chosen.pickResult : QUEUE;
  }

  leadsTo(subchannel: PickResult['subchannel']): boolean {
    return this.#connections.some(({ pickResult }) => pickResult.subchannel === subchannel);
  }

  outstanding(turn: number): number {
    let sum = 0;
    for (const connection of this.#connections) sum += connection.outstanding(turn);
    return sum;
  }

  /** Of its oldest connection: one that was opened later is no new pod. */
  get joinedAt(): number | null {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { joinedAt } of this.#connections) {
      if (joinedAt === null) return null;
      if (joinedAt < oldest) oldest = joinedAt;
    }
    return Number.isFinite(oldest) ? oldest : null;
  }

  get setAside(): number {
    let sum = 0;
    for (const connection of this.#connections) sum += connection.setAside;
    return sum;
  }

  /** The pod was passed over for too long where each of its connections was. */
  recordTurn(otherOutstanding: number): boolean {
    let isOverdue = true;
    for (const connection of this.#connections) isOverdue = connection.recordTurn(otherOutstanding) && isOverdue;
    return isOverdue;
  }

  recordPick(turn: number): void {
    this.#chosen = this.#choose(turn);
    this.#chosen?.recordPick(turn);
  }

  /** The calls in flight since the last check would have filled so many connections nearly or more. */
  fills(connections: number): boolean {
    const [first] = this.#connections;
    return first !== undefined && this.#peak > this.#nearOf(first) * connections;
  }

  /** A check is done: from now on, only calls in flight from now on count. */
  resetPeak(): void {
    this.#peak = this.outstanding(-1);
  }

  /** Streams that the endpoint's connection takes; null where that is unknown. */
  #limitOf(endpoint: Endpoint): number | null {
    this.#limit = this.#context.streamLimit(endpoint) ?? this.#limit;
    return this.#limit;
  }

  #nearOf(endpoint: Endpoint): number {
    return NEAR * Math.min(this.#limitOf(endpoint) ?? ASSUMED_LIMIT, ASSUMED_LIMIT);
  }

  #choose(turn: number): Endpoint | null {
    if (!this.settled) return null;
    const connections = this.#connections;
    let fewest = Number.POSITIVE_INFINITY;
    let place = 0;
    let sum = 1;
    for (let step = 1; step <= connections.length; step++) {
      const at = (this.#last + step) % connections.length;
      const calls = (connections[at] as Endpoint).outstanding(turn);
      sum += calls;
      if (calls >= fewest) continue;
      fewest = calls;
      place = at;
    }
    if (sum > this.#peak) this.#peak = sum;
    this.#last = place;
    const chosen = connections[place] as Endpoint;
    if (fewest + 1 < this.#nearOf(chosen)) return chosen;
    this.#context.onCrowded(this);
    const limit = this.#limitOf(chosen);
    return this.opening && limit !== null && fewest >= limit ? null : chosen;
  }
}
