/**
 * The endpoints of a channel by their addresses, and the one place where a whole set is compared with the set before:
 * what is new gets an endpoint, what is gone has to drain, what drains and is back is taken up again.
 */
import { AddressMap } from './address-map.js';
import type { Endpoint } from './endpoint.js';
import type { EndpointAddress } from './endpoint-address.js';

export interface EndpointDiff {
  /** New, and in the set by now. */
  readonly added: readonly Endpoint[];
  /** Were draining, and are in the set again. */
  readonly returned: readonly Endpoint[];
  /** No longer in the set, and not draining yet. */
  readonly leaving: readonly Endpoint[];
  /** An endpoint that was known is now in another zone. It keeps its connection. */
  readonly rezoned: boolean;
}

export class EndpointSet {
  readonly #create: (address: EndpointAddress) => Endpoint;
  readonly #endpoints = new AddressMap<Endpoint>();
  /** Each set has a number. An endpoint with an older one is not in the current set: no second map is needed. */
  #setNumber = 0;
  #listed = 0;

  constructor(create: (address: EndpointAddress) => Endpoint) {
    this.#create = create;
  }

  /** The number of endpoints in the last set, without those that drain. */
  get listed(): number {
    return this.#listed;
  }

  /** Draining ones included. */
  endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values();
  }

  /** Draining ones included. */
  get(address: EndpointAddress): Endpoint | undefined {
    return this.#endpoints.get(address);
  }

  update(addresses: readonly EndpointAddress[]): EndpointDiff {
    const setNumber = ++this.#setNumber;
    const added: Endpoint[] = [];
    const returned: Endpoint[] = [];
    const leaving: Endpoint[] = [];
    let rezoned = false;
    this.#listed = 0;
    for (const address of addresses) {
      const known = this.#endpoints.get(address);
      if (known?.setNumber === setNumber) continue;
      const endpoint = known ?? this.#create(address);
      endpoint.setNumber = setNumber;
      const zone = address.zone ?? null;
      if (endpoint.zone !== zone) {
        endpoint.zone = zone;
        rezoned = true;
      }
      endpoint.weight = address.weight;
      this.#listed += 1;
      if (!known) {
        this.#endpoints.set(address, endpoint);
        added.push(endpoint);
      } else if (known.state === 'draining') returned.push(known);
    }
    // As many as are in the set: then none can be missing from it.
    if (this.#endpoints.size > this.#listed)
      for (const endpoint of this.#endpoints.values())
        if (endpoint.setNumber !== setNumber && endpoint.state !== 'draining') leaving.push(endpoint);
    return { added, returned, leaving, rezoned };
  }

  /** False for endpoints that drain or are about to. */
  has(endpoint: Endpoint): boolean {
    return endpoint.setNumber === this.#setNumber;
  }

  /** The endpoint is released. */
  delete(endpoint: Endpoint): void {
    this.#endpoints.delete(endpoint.address);
  }

  clear(): void {
    this.#endpoints.clear();
    this.#listed = 0;
  }
}
