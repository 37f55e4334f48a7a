/** Each endpoint in its turn. */
import type { PickResult } from '../grpc/experimental.js';
import type { PickableEndpoint, Picker, Policy } from './policy.js';
import { Rotation } from './rotation.js';

class RoundRobinPicker implements Picker {
  readonly rotation: Rotation;

  constructor(rotation: Rotation) {
    this.rotation = rotation;
  }

  get endpoints(): readonly PickableEndpoint[] {
    return this.rotation.endpoints;
  }

  pick(): PickResult {
    const { rotation } = this;
    return (rotation.endpoints[rotation.next()] as PickableEndpoint).pickResult;
  }
}

export const roundRobin: Policy = {
  createPicker(ready, previous, { random }) {
    const rotation = previous instanceof RoundRobinPicker ? previous.rotation : null;
    return new RoundRobinPicker(Rotation.of(ready, rotation, random));
  },
};
