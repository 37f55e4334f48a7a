/**
 * The endpoints by their addresses, and what a new list means for them. Where it is known what changed since the last
 * list, only that is looked at.
 */

import type { ListChange } from '../grpc/channel-context.js';
import type { GrpcEndpoint } from '../grpc/experimental.js';
import type { Endpoint } from './endpoint.js';
import { addressOf } from './subchannel-queue.js';

export interface EndpointDiff {
  /** Have no endpoint yet. */
  readonly added: readonly GrpcEndpoint[];
  /** No longer in the list, whether they have an endpoint or not; null where only the whole list is known. */
  readonly removed: readonly GrpcEndpoint[] | null;
  /** Were draining, and are back. */
  readonly returned: readonly Endpoint[];
  /** Have to drain. */
  readonly leaving: readonly Endpoint[];
}

export class EndpointSet {
  readonly #endpoints = new Map<string, Endpoint>();
  #list: readonly GrpcEndpoint[] | null = null;

  /** The number of pods in the last list. */
  get listed(): number {
    return this.#list?.length ?? 0;
  }

  /** Draining ones included. */
  endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values();
  }

  has(address: string): boolean {
    return this.#endpoints.has(address);
  }

  add(endpoint: Endpoint): void {
    this.#endpoints.set(endpoint.address, endpoint);
  }

  delete(endpoint: Endpoint): void {
    this.#endpoints.delete(endpoint.address);
  }

  clear(): void {
    this.#endpoints.clear();
    this.#list = null;
  }

  /** @param change what the resolver changed last, which may be something else than the step to this list. */
  call(list: readonly GrpcEndpoint[], change: ListChange | null): EndpointDiff {
    const known = change && change.after === list && change.before === this.#list ? change : null;
    this.#list = list;
    return known ? this.#read(known) : this.#compare(list);
  }

  #read({ added, removed }: ListChange): EndpointDiff {
    const { strangers, returned } = this.#sort(added);
    const leaving: Endpoint[] = [];
    for (const one of removed) {
      const endpoint = this.#endpoints.get(addressOf(one));
      if (endpoint) leaving.push(endpoint);
    }
    return { added: strangers, removed, returned, leaving };
  }

  #compare(list: readonly GrpcEndpoint[]): EndpointDiff {
    const { strangers, returned, present } = this.#sort(list);
    const leaving = [...this.#endpoints.values()].filter((endpoint) => !endpoint.draining && !present.has(endpoint));
    return { added: strangers, removed: null, returned, leaving };
  }

  #sort(list: readonly GrpcEndpoint[]) {
    const strangers: GrpcEndpoint[] = [];
    const present = new Set<Endpoint>();
    for (const one of list) {
      // The first list of all: nobody is known, so nobody need be looked for.
      const endpoint = this.#endpoints.size > 0 ? this.#endpoints.get(addressOf(one)) : undefined;
      if (endpoint) present.add(endpoint);
      else strangers.push(one);
    }
    return { strangers, present, returned: [...present].filter((endpoint) => endpoint.draining) };
  }
}

/** Up to so many are looked for one by one. */
const FEW = 8;

/**
 * A copy of `list` less those of `gone` that are in it. A search by identity and a copy of memory take a nanosecond an
 * element; to ask each element, as `filter` does, takes a hundred.
 */
export function without<T>(list: readonly T[], gone: readonly T[]): T[] {
  if (gone.length > FEW) {
    const among = new Set(gone);
    return list.filter((one) => !among.has(one));
  }
  const copy = list.slice();
  for (const one of gone) {
    const place = copy.indexOf(one);
    if (place >= 0) copy.splice(place, 1);
  }
  return copy;
}
