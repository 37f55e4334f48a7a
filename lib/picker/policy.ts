/**
 * What a picking policy is: the contract between the balancer and the ways to choose an endpoint for a call. A policy
 * counts on its endpoints and on a `PickerContext` alone, never on DNS or on options.
 */
import type { Picker as GrpcPicker, PickResult } from '../grpc/experimental.js';
import type { Runtime } from '../runtime.js';

/** What a picker may see of an endpoint. */
export interface PickableEndpoint {
  /**
   * To be returned by `pick` as it is, read after `recordPick`: it is shared by many calls, as making one for each would
   * cost an allocation.
   */
  readonly pickResult: PickResult;
  /** Where several connections lead to it: whether this is the subchannel of one of them. */
  leadsTo?(subchannel: PickResult['subchannel']): boolean;
  /** The topology zone; null where none was told. A change of it makes a new picker. */
  readonly zone?: string | null;
  /** Monotonic time of its first READY, where it joined a set in use; null where it came with a channel's first set. */
  readonly joinedAt: number | null;
  /**
   * Calls in flight that count as load (gRFC A48's outstanding requests), those included that were picked in this turn
   * of the event loop and have not begun.
   */
  outstanding(turn: number): number;
  /** Calls in flight that no longer count as load, such as streams that stay open and quiet. */
  readonly setAside: number;
  /**
   * The rotation came to this endpoint while it had calls outstanding, and the endpoint that it is compared with has so
   * many. True where it was passed over for so long that it should get this call: whether it answers shows whether its
   * calls are quiet streams.
   */
  recordTurn(otherOutstanding: number): boolean;
  /** A call is sent here in this turn of the event loop. */
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

/** What a user may set of a policy. */
export interface PolicySettings {
  /** Endpoints that are compared for each call: at least 2. */
  readonly choices: number;
  /** How long an endpoint that joins a set in use takes to get its whole share; 0: it gets it at once. */
  readonly slowStartMs: number;
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
