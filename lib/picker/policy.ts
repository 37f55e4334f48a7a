/** What a picking policy is, and the pickers for when there is nobody to pick. */
import { Metadata, status } from '@grpc/grpc-js';
import type { PickableEndpoint } from '../balancer/endpoint.js';
import { type Picker, type PickResult, PickResultType } from '../grpc/experimental.js';
import type { Runtime } from '../runtime.js';

/** Chooses among candidates that all take calls. A new one is made at every change, from the one before it. */
export interface PolicyPicker extends Picker {
  readonly candidates: readonly PickableEndpoint[];
}

/** Makes the picker for a new list of candidates, never empty, handing over what the previous one knew. */
export type Policy = (
  candidates: readonly PickableEndpoint[],
  previous: PolicyPicker | null,
  dice: PickerContext,
) => PolicyPicker;

/** What a policy may depend on. */
export interface PickerContext extends Pick<Runtime, 'random' | 'turns'> {
  readonly clock: Pick<Runtime['clock'], 'now'>;
}

const QUEUE: PickResult = {
  pickResultType: PickResultType.QUEUE,
  subchannel: null,
  status: null,
  onCallStarted: null,
  onCallEnded: null,
};

/** Calls wait for the next picker. */
export const queuePicker: Picker = { pick: () => QUEUE };

/** Calls fail UNAVAILABLE with these details, or wait if they are wait-for-ready. */
export function unavailablePicker(details: string): Picker {
  const result: PickResult = {
    pickResultType: PickResultType.TRANSIENT_FAILURE,
    subchannel: null,
    status: { code: status.UNAVAILABLE, details, metadata: new Metadata() },
    onCallStarted: null,
    onCallEnded: null,
  };
  return { pick: () => result };
}
