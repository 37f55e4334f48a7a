/**
 * What a picking policy is: the contract between the balancer and the ways to choose an endpoint for a call. A policy
 * counts on its endpoints and on a `PickerContext` alone, never on DNS or on options.
 */
import type { Picker as GrpcPicker, PickResult } from '../grpc/experimental.js';
import type { Runtime } from '../runtime.js';

/** What a picker may see of an endpoint. */
export interface PickableEndpoint {
  /** To be returned by `pick` as it is: making one for each call would cost an allocation. */
  readonly pickResult: PickResult;
  /** The topology zone; null where none was told. A change of it makes a new picker. */
  readonly zone?: string | null;
  /** Calls in flight (gRFC A48's outstanding requests), those included that were picked in this turn and have not begun. */
  outstanding(turn: number): number;
  /** A call was sent here in this turn. */
  recordPick(turn: number): void;
}

/** Chooses among endpoints that all take calls. A new picker is made at every change, from the one before it. */
export interface Picker extends GrpcPicker {
  readonly endpoints: readonly PickableEndpoint[];
}

/** What a policy may depend on beside its endpoints. */
export interface PickerContext extends Pick<Runtime, 'random' | 'turns'> {
  readonly clock: Pick<Runtime['clock'], 'now'>;
}

export interface Policy {
  /**
   * @param ready never empty; endpoints that stay keep their order, new ones come last.
   * @param previous the picker that is replaced, so that its position and its counts can be carried over; null for the
   *   first, and for the first after a time without any endpoint. It may go on to be used beside the new one: retries have
   *   pickers of their own, over the endpoints that are left.
   */
  createPicker(ready: readonly PickableEndpoint[], previous: Picker | null, context: PickerContext): Picker;
}
