/**
 * The endpoints that the attempts of one call were sent to: retries (gRFC A6) and hedges. grpc-js hands one such object to
 * every pick of a call, as `extraPickInfo`, so that a pick can tell whose attempt it is for.
 */
import type { PickResult } from '../grpc/experimental.js';

/** What stands for an endpoint: the subchannel in its pick result. */
export type Tried = PickResult['subchannel'];

export class Attempts {
  #tried: Tried[] = [];

  /** In the order of the attempts. */
  get tried(): readonly Tried[] {
    return this.#tried;
  }

  /** An attempt goes to this endpoint. */
  add(endpoint: Tried): void {
    this.#tried.push(endpoint);
  }

  /** Every endpoint has been tried: only the last one is still avoided. */
  startOver(): void {
    this.#tried = this.#tried.slice(-1);
  }
}
