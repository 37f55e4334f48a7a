/**
 * Of each subchannel whose last attempt to connect failed: the error. Channels to the same pod share a subchannel, which
 * tells its error to those alone that hold it at that moment.
 */
import type { Subchannel } from '../grpc/experimental.js';

/** In the place of an error that grpc-js does not tell. */
export const NO_REASON = 'no reason was given';

const errors = new WeakMap<object, string>();

/** null while it is connected, or has not failed yet. */
export function connectionErrorOf(subchannel: Subchannel): string | null {
  return errors.get(subchannel.getRealSubchannel()) ?? null;
}

export function setConnectionError(subchannel: Subchannel, message: string | null): void {
  const shared = subchannel.getRealSubchannel();
  if (message === null) errors.delete(shared);
  else errors.set(shared, message);
}
