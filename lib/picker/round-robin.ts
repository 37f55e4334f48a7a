/** Each pod in its turn. */
import type { PickableEndpoint } from '../balancer/endpoint.js';
import type { PickResult } from '../grpc/experimental.js';
import type { Policy, PolicyPicker } from './policy.js';
import { Rotation } from './rotation.js';

class RoundRobinPicker implements PolicyPicker {
  readonly rotation: Rotation;

  constructor(rotation: Rotation) {
    this.rotation = rotation;
  }

  get candidates(): readonly PickableEndpoint[] {
    return this.rotation.candidates;
  }

  pick(): PickResult {
    const { rotation } = this;
    return (rotation.candidates[rotation.next()] as PickableEndpoint).pickResult;
  }
}

export const roundRobin: Policy = (candidates, previous, { random }) => {
  const rotation = previous instanceof RoundRobinPicker ? previous.rotation : null;
  return new RoundRobinPicker(Rotation.of(candidates, rotation, random));
};
