/**
 * Makes endpoints for added addresses, a few in each turn of the event loop: connecting costs a fraction of a
 * millisecond a pod, and grpc-js's subchannel pool looks each up by a linear scan, so ten thousand at once would hold
 * up every call for seconds.
 */
import type { ChannelOptions } from '@grpc/grpc-js';
import { formatHostPort } from '../address.js';
import type { ChannelControlHelper, GrpcEndpoint } from '../grpc/experimental.js';
import type { Clock, Timer } from '../runtime.js';
import { Endpoint, type EndpointOwner } from './endpoint.js';

/**
 * Made at once; as many again in every later turn, until all are made. Turns, not timers: connecting moves the clock on,
 * so that timers of no delay fall due in one and the same phase, and all that is refused comes back at once after it.
 */
const BATCH = 4;

export interface SubchannelQueueContext {
  readonly options: ChannelOptions;
  readonly helper: ChannelControlHelper;
  readonly clock: Clock;
  readonly owner: EndpointOwner;
  /** Whether there is an endpoint already; a list that is not our resolver's may name a pod twice. */
  has(address: string): boolean;
  /** Takes over a new endpoint, which is not connecting yet. */
  onCreated(endpoint: Endpoint): void;
}

export class SubchannelQueue {
  readonly #context: SubchannelQueueContext;
  /** The user's channel options, less our own: subchannels of equal arguments are shared between channels. */
  readonly #args: ChannelOptions;
  readonly #waiting = new Set<GrpcEndpoint>();
  #timer: Timer | null = null;

  constructor(context: SubchannelQueueContext) {
    this.#context = context;
    const { headless: _ours, ...args } = context.options;
    this.#args = args;
  }

  /** Addresses whose endpoints are still to be made. */
  get size(): number {
    return this.#waiting.size;
  }

  /** `added` are wanted and not there yet; of those that wait, `removed` are forgotten. */
  change(added: Iterable<GrpcEndpoint>, removed: Iterable<GrpcEndpoint>): void {
    for (const endpoint of removed) this.#waiting.delete(endpoint);
    for (const endpoint of added) this.#waiting.add(endpoint);
    this.#timer?.cancel();
    this.#work();
  }

  /** Forgets all that wait. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#waiting.clear();
  }

  #work(): void {
    const { helper, owner, clock, onCreated } = this.#context;
    let made = 0;
    for (const endpoint of this.#waiting) {
      if (made === BATCH) break;
      this.#waiting.delete(endpoint);
      const address = addressOf(endpoint);
      const [target] = endpoint.addresses;
      if (!target || this.#context.has(address)) continue;
      onCreated(new Endpoint(address, helper.createSubchannel(target, this.#args), owner));
      made += 1;
    }
    this.#timer = this.#waiting.size > 0 ? clock.setTurn(() => this.#work()) : null;
  }
}

/** `"ip:port"`, or `"[v6]:port"`: what an endpoint is known by. */
export function addressOf({ addresses: [first] }: GrpcEndpoint): string {
  if (!first) return '';
  if (!('port' in first)) return first.path;
  return formatHostPort(first.host, first.port);
}
