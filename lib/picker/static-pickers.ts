/** The pickers, and the result, for when there is no endpoint to pick. */
import { Metadata, status } from '@grpc/grpc-js';
import { type Picker, type PickResult, PickResultType } from '../grpc/experimental.js';

/** The call waits for the next picker. */
export const QUEUE: PickResult = {
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
