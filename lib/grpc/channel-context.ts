/**
 * What the parts of one channel share across grpc-js: grpc-js itself makes the resolver and the balancer, by name, and
 * gives them no reference to each other or to the channel around them. The context travels in the channel's options.
 */
import type { Address } from '../address.js';
import type { AddressFilter, AddressSource, AddressUpdate, Subscription } from '../discovery/address-source.js';
import type { HealthMonitor } from '../health/health-monitor.js';
import type { Policy } from '../picker/policy.js';
import type { Runtime } from '../runtime.js';
import type { BalancerCounters } from '../telemetry/counters.js';
import type { Emit } from '../telemetry/events.js';
import type { EndpointSnapshot } from '../telemetry/snapshot.js';
import { PRIVATE_KEY_PREFIX } from './experimental.js';

/** The channel option that holds the context; grpc-js keeps keys of this prefix away from the subchannels. */
export const CHANNEL_CONTEXT_KEY = `${PRIVATE_KEY_PREFIX}.headless_context`;

/** The parts that `compose.ts` chose for a channel. */
export interface ChannelParts {
  /** `name:port`, for messages. */
  readonly authority: string;
  readonly source: AddressSource;
  /** Applied in this order to every set. */
  readonly filters: readonly AddressFilter[];
  readonly policy: Policy;
  readonly monitors: readonly HealthMonitor[];
  readonly lingerMs: number;
  readonly runtime: Runtime;
  readonly emit: Emit;
  readonly counters: Readonly<BalancerCounters>;
}

/** What a snapshot asks of the balancer. */
export interface BalancerView {
  endpoints(): EndpointSnapshot[];
}

export class ChannelContext {
  readonly parts: ChannelParts;
  /** The balancer in use; null while the channel is idle, or where the user's config names another. */
  balancer: BalancerView | null = null;
  #subscription: Subscription | null = null;

  constructor(parts: ChannelParts) {
    this.parts = parts;
  }

  /** Starts the updates, with whole sets after the filters. Events are emitted before the listener is called. */
  open(listener: (update: AddressUpdate) => void): void {
    const { source, filters, emit } = this.parts;
    let addresses: readonly Address[] = [];
    let fallback: string | null = null;
    this.#subscription ??= source.subscribe(({ addresses: unfiltered, changed, error, zoneFallback = null }) => {
      if (changed) addresses = filters.reduce((set, filter) => filter(set), unfiltered);
      if (error) {
        const { failures } = source.status;
        emit({ kind: 'resolution_failed', error, failures, kept: addresses.length });
      }
      if (zoneFallback !== fallback)
        emit({ kind: 'zone_fallback', zone: zoneFallback ?? fallback ?? '', active: zoneFallback !== null });
      fallback = zoneFallback;
      if (changed) emit({ kind: 'addresses_changed', addresses });
      listener({ addresses, changed, error });
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
    return { authority: this.parts.authority };
  }
}
