/**
 * What the parts of one channel share across grpc-js: the resolver and the balancer are made inside grpc-js, by name,
 * and know nothing of each other or of the channel around them. The link travels in the channel's options.
 */

import type { EndpointSnapshot } from '../balancer/endpoint.js';
import type { AddressUpdate, Poller, Subscription } from '../discovery/poller.js';
import type { Policy } from '../picker/policy.js';
import type { Runtime } from '../runtime.js';
import { type GrpcEndpoint, PRIVATE_KEY_PREFIX } from './experimental.js';

/** The channel option that holds the link; grpc-js keeps keys of this prefix away from the subchannels. */
export const CHANNEL_CONTEXT_KEY = `${PRIVATE_KEY_PREFIX}.headless_link`;

export interface ChannelContextSettings {
  /** `name:port`, for messages. */
  readonly authority: string;
  readonly port: number;
  readonly policy: Policy;
  readonly lingerMs: number;
}

/** What the balancer counts. */
export interface BalancerCounters {
  /** Connections that came up. */
  connected: number;
  /** Connections of pods in the set that broke or were closed by the pod. */
  connectionsLost: number;
  /** Pods that began to drain. */
  drained: number;
  /** Draining pods that came back and kept their connection. */
  returned: number;
}

/** What a snapshot asks of the balancer. */
export interface BalancerView {
  endpoints(): EndpointSnapshot[];
}

/**
 * grpc-js carries whole lists from the resolver to the balancer. Beside them goes what changed from one list to the
 * next, each known by its identity: a change of one pod among thousands must not cost a look at all of them.
 */
export interface ListChange {
  readonly before: readonly GrpcEndpoint[] | null;
  readonly after: readonly GrpcEndpoint[];
  readonly added: readonly GrpcEndpoint[];
  readonly removed: readonly GrpcEndpoint[];
}

export class ChannelContext {
  readonly settings: ChannelContextSettings;
  readonly runtime: Runtime;
  readonly poller: Poller;
  readonly counters: BalancerCounters = { connected: 0, connectionsLost: 0, drained: 0, returned: 0 };
  /** The balancer of the moment; none while the channel is idle, or where the user's config names another. */
  balancer: BalancerView | null = null;
  /** What the resolver changed last. */
  change: ListChange | null = null;
  /** Told of every report, before grpc-js is. */
  observer: ((report: AddressUpdate) => void) | null = null;
  #subscription: Subscription | null = null;

  constructor(poller: Poller, settings: ChannelContextSettings, runtime: Runtime) {
    this.poller = poller;
    this.settings = settings;
    this.runtime = runtime;
  }

  /** Begins to be told whole sets. */
  open(listener: (report: AddressUpdate) => void): void {
    this.#subscription ??= this.poller.subscribe((report) => {
      this.observer?.(report);
      listener(report);
    });
  }

  close(): void {
    this.#subscription?.end();
    this.#subscription = null;
  }

  get isOpen(): boolean {
    return this.#subscription !== null;
  }

  requestReresolution(): void {
    this.#subscription?.requestReresolution();
  }

  refresh(): Promise<void> {
    return this.#subscription?.refresh() ?? Promise.resolve();
  }

  setReady(ready: boolean): void {
    this.#subscription?.setReady(ready);
  }

  /** grpc-js prints channel options when it traces. */
  toJSON(): object {
    return { authority: this.settings.authority };
  }
}
