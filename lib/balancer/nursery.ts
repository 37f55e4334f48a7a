/**
 * Makes endpoints for added addresses, a few in each turn of the event loop: connecting costs a fraction of a
 * millisecond a pod, and grpc-js's subchannel pool looks each up by a linear scan, so ten thousand at once would hold
 * up every call for seconds.
 */
import type { ChannelOptions } from '@grpc/grpc-js';
import type { Clock, Timer } from '../runtime.js';
import { Endpoint, type EndpointOwner } from './endpoint.js';
import type { ChannelControlHelper, GrpcEndpoint } from './grpc.js';

/**
 * Made at once; as many again in every later turn, until all are made. Turns, not timers: connecting moves the clock on,
 * so that timers of no delay fall due in one and the same phase, and all that is refused comes back at once after it.
 */
const BATCH = 4;

export interface NurseryContext {
  readonly options: ChannelOptions;
  readonly helper: ChannelControlHelper;
  readonly clock: Clock;
  readonly owner: EndpointOwner;
  /** Takes over a new endpoint, which is not connecting yet. */
  adopt(endpoint: Endpoint): void;
}

export class Nursery {
  readonly #context: NurseryContext;
  /** The user's channel options, less our own: subchannels of equal arguments are shared between channels. */
  readonly #args: ChannelOptions;
  #waiting: Map<string, GrpcEndpoint> = new Map();
  #timer: Timer | null = null;

  constructor(context: NurseryContext) {
    this.#context = context;
    const { headless: _ours, ...args } = context.options;
    this.#args = args;
  }

  /** Addresses whose endpoints are still to be made. */
  get size(): number {
    return this.#waiting.size;
  }

  /** All that is wanted and not there yet; what waited before and is not among it is forgotten. */
  replace(wanted: Map<string, GrpcEndpoint>): void {
    this.clear();
    this.#waiting = wanted;
    this.#work();
  }

  clear(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#waiting = new Map();
  }

  #work(): void {
    const { helper, owner, clock, adopt } = this.#context;
    let made = 0;
    for (const [address, { addresses }] of this.#waiting) {
      if (made++ === BATCH) break;
      this.#waiting.delete(address);
      const [target] = addresses;
      if (target) adopt(new Endpoint(address, helper.createSubchannel(target, this.#args), owner));
    }
    this.#timer = this.#waiting.size > 0 ? clock.setTurn(() => this.#work()) : null;
  }
}

/** The resolver hands out the same object for the same pod, set after set. */
const addresses = new WeakMap<GrpcEndpoint, string>();

/** `"ip:port"`, or `"[v6]:port"`: what an endpoint is known by. */
export function addressOf(endpoint: GrpcEndpoint): string {
  const known = addresses.get(endpoint);
  if (known !== undefined) return known;
  const [first] = endpoint.addresses;
  const address = first ? formatAddress(first) : '';
  addresses.set(endpoint, address);
  return address;
}

function formatAddress(address: GrpcEndpoint['addresses'][number]): string {
  if (!('port' in address)) return address.path;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
