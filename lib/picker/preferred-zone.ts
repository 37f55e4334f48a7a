/**
 * Calls go to endpoints of one topology zone while any of them takes calls, and to all others only while none does. How
 * an endpoint is chosen among these is the inner policy's work, whose picker is used as it is.
 */
import type { Policy } from './policy.js';

export function preferredZone(zone: string, inner: Policy): Policy {
  return {
    createPicker(ready, previous, context) {
      const inZone = ready.filter((endpoint) => endpoint.zone === zone);
      return inner.createPicker(inZone.length > 0 ? inZone : ready, previous, context);
    },
  };
}
