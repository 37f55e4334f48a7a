/** Each endpoint in its turn. */
import type { PickResult } from '../grpc/experimental.js';
import type { PickableEndpoint, Picker, Policy, PolicySettings } from './policy.js';
import { Rotation } from './rotation.js';
import { SlowStart } from './slow-start.js';

class RoundRobinPicker implements Picker {
  readonly rotation: Rotation;
  readonly slowStart: SlowStart | null;

  constructor(rotation: Rotation, slowStart: SlowStart | null) {
    this.rotation = rotation;
    this.slowStart = slowStart;
  }

  get endpoints(): readonly PickableEndpoint[] {
    return this.rotation.endpoints;
  }

  pick(): PickResult {
    const { rotation, slowStart } = this;
    const place = slowStart?.isActive() ? slowStart.next(rotation) : rotation.next();
    return (rotation.endpoints[place] as PickableEndpoint).pickResult;
  }
}

export function createRoundRobin({ slowStartMs }: Pick<PolicySettings, 'slowStartMs'>): Policy {
  return {
    createPicker(ready, previous, context) {
      const before = previous instanceof RoundRobinPicker ? previous : null;
      const rotation = Rotation.of(ready, before?.rotation ?? null, context.random);
      return new RoundRobinPicker(rotation, SlowStart.of(slowStartMs, ready, before?.slowStart ?? null, context));
    },
  };
}

/** Without slow start. */
export const roundRobin: Policy = createRoundRobin({ slowStartMs: 0 });
