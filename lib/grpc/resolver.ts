/** The Resolver that grpc-js drives for `headless:` targets: it hands whole sets of addresses on as endpoints. */
import { type ChannelOptions, Metadata, status } from '@grpc/grpc-js';
import type { Address } from '../address.js';
import type { AddressUpdate } from '../discovery/address-source.js';
import type { HeadlessError } from '../errors.js';
import { CHANNEL_CONTEXT_KEY, type ChannelContext } from './channel-context.js';
import { createConfigSelector, hasSeveralAttempts } from './config-selector.js';
import {
  CONFIG_SELECTOR_KEY,
  type Resolver,
  type ResolverListener,
  type ServiceConfig,
  type StatusOrEndpoints,
  statusOrFromError,
  statusOrFromValue,
} from './experimental.js';
import { readServiceConfig, warnOfOtherBalancer } from './service-config.js';

export interface ResolverSettings {
  /**
   * grpc-js made the channel, so the resolver reports its opening and closing to the context. Of a HeadlessChannel the
   * channel itself does.
   */
  readonly tracksChannel?: boolean;
}

export class HeadlessResolver implements Resolver {
  readonly #context: ChannelContext;
  readonly #listener: ResolverListener;
  readonly #config: ServiceConfig;
  readonly #tracksChannel: boolean;
  /** Reach the channel, and the balancer among its channel options. */
  readonly #attributes: Readonly<Record<string, unknown>>;
  /** grpc-js has the config selector, and will release it when it closes the channel. */
  #closingIsTold = false;
  #closed = false;
  /** grpc-js has a set with addresses. */
  #hasAddresses = false;

  constructor(
    context: ChannelContext,
    listener: ResolverListener,
    options: ChannelOptions,
    { tracksChannel = false }: ResolverSettings = {},
  ) {
    this.#context = context;
    this.#listener = listener;
    const { config, otherBalancer, unusable } = readServiceConfig(options['grpc.service_config'], context.parts.retry);
    if (otherBalancer !== null) warnOfOtherBalancer(otherBalancer, unusable);
    context.hasResolver = true;
    context.otherBalancer = otherBalancer;
    const retries = options['grpc.enable_retries'] !== 0 && otherBalancer === null;
    context.hasSeveralAttempts = retries && hasSeveralAttempts(config);
    this.#config = config;
    this.#tracksChannel = tracksChannel;
    const selector = createConfigSelector(config, {
      onUnref: () => this.#onSelectorReleased(),
      waitingReason: () => context.waitingReason(),
    });
    this.#attributes = { [CHANNEL_CONTEXT_KEY]: context, [CONFIG_SELECTOR_KEY]: selector };
    if (tracksChannel) context.onChannelOpened();
  }

  /** grpc-js wants addresses, or fresher ones. */
  updateResolution(): void {
    // grpc-js wakes even a closed channel, if it is asked to connect.
    if (this.#closed) return;
    if (this.#tracksChannel) this.#context.onChannelOpened();
    else if (this.#context.isClosed) return;
    if (this.#context.isOpen) this.#context.requestReresolution();
    else this.#context.open((update) => this.#onUpdate(update));
  }

  /** The channel becomes idle or is closed; `updateResolution` may wake it again. */
  destroy(): void {
    this.#context.close();
    this.#hasAddresses = false;
    // Closing cannot be told from idleness then. If the channel is idle, its next call lists it again.
    if (this.#tracksChannel && !this.#closingIsTold) this.#context.onChannelClosed();
  }

  /** By a new result, which has the same selector; or by the end of the channel, after the resolver was destroyed. */
  #onSelectorReleased(): void {
    if (!this.#tracksChannel || this.#context.isOpen) return;
    this.#closed = true;
    this.#context.onChannelClosed();
  }

  #onUpdate({ addresses, changed, error }: AddressUpdate): void {
    // There was never an address, or `empty: 'drop'` removed the last one: calls should fail with the cause.
    if (addresses.length === 0 && error !== null && !this.#hasAddresses) this.#fail(error);
    // Most polls find the same set: then grpc-js is told nothing.
    else if (changed) this.#give(addresses, error?.message ?? '');
  }

  #give(addresses: readonly Address[], note: string): void {
    this.#hasAddresses = addresses.length > 0;
    const endpoints = addresses.map((address) => ({ addresses: [address] }));
    this.#tell(statusOrFromValue(endpoints), note);
  }

  #fail(error: HeadlessError): void {
    const failure = { code: status.UNAVAILABLE, details: error.message, metadata: new Metadata() };
    this.#tell(statusOrFromError(failure), error.message);
  }

  #tell(endpoints: StatusOrEndpoints, note: string): void {
    const accepted = this.#listener(endpoints, this.#attributes, statusOrFromValue(this.#config), note);
    this.#closingIsTold ||= accepted;
  }
}
