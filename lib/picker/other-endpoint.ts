/**
 * Each attempt of a call goes to an endpoint that no earlier attempt of it was sent to, as long as there is one. How an
 * endpoint is chosen among these is the inner policy's work: a retry is picked by a picker of the inner policy's own, over
 * the endpoints that are left.
 */
import type { PickArgs, PickResult } from '../grpc/experimental.js';
import { Attempts, type Tried } from './attempts.js';
import type { PickableEndpoint, Picker, PickerContext, Policy } from './policy.js';

/** Pickers without one endpoint that a picker keeps: few endpoints fail at the same time. */
const MOST_KEPT = 16;

class OtherEndpointPicker implements Picker {
  readonly inner: Picker;
  readonly #all: readonly PickableEndpoint[];
  readonly #policy: Policy;
  readonly #context: PickerContext;
  /** The pickers without one endpoint, made when first needed; null where no endpoint is left. */
  readonly #others = new Map<Tried, OtherEndpointPicker | null>();

  constructor(policy: Policy, all: readonly PickableEndpoint[], previous: Picker | null, context: PickerContext) {
    this.inner = policy.createPicker(all, previous, context);
    this.#all = all;
    this.#policy = policy;
    this.#context = context;
  }

  get endpoints(): readonly PickableEndpoint[] {
    return this.inner.endpoints;
  }

  pick(args: PickArgs): PickResult {
    const attempts: object | undefined = args.extraPickInfo;
    // A call without a retry policy.
    if (!(attempts instanceof Attempts)) return this.inner.pick(args);
    const result = this.#pickerFor(attempts).inner.pick(args);
    // Without one, the call waits and is picked for again.
    if (result.subchannel) attempts.add(result.subchannel);
    return result;
  }

  #pickerFor(attempts: Attempts): OtherEndpointPicker {
    const untried = this.#without(attempts.tried);
    if (untried) return untried;
    attempts.startOver();
    // With a single endpoint there is no other than the last one.
    return this.#without(attempts.tried) ?? this;
  }

  #without(tried: readonly Tried[]): OtherEndpointPicker | null {
    let picker: OtherEndpointPicker | null = this as OtherEndpointPicker;
    for (const endpoint of tried) {
      picker = picker.#other(endpoint);
      if (picker === null) return null;
    }
    return picker;
  }

  #other(tried: Tried): OtherEndpointPicker | null {
    const known = this.#others.get(tried);
    if (known !== undefined) return known;
    const left = this.#all.filter((endpoint) => !leadsTo(endpoint, tried));
    let other: OtherEndpointPicker | null = null;
    // An endpoint that takes no calls any more.
    if (left.length === this.#all.length) other = this;
    else if (left.length > 0) other = new OtherEndpointPicker(this.#policy, left, this.inner, this.#context);
    if (this.#others.size === MOST_KEPT) this.#others.clear();
    this.#others.set(tried, other);
    return other;
  }
}

function leadsTo(endpoint: PickableEndpoint, tried: Tried): boolean {
  return endpoint.leadsTo?.(tried) ?? endpoint.pickResult.subchannel === tried;
}

export function otherEndpoint(inner: Policy): Policy {
  return {
    createPicker(ready, previous, context) {
      const before = previous instanceof OtherEndpointPicker ? previous.inner : previous;
      return new OtherEndpointPicker(inner, ready, before, context);
    },
  };
}
