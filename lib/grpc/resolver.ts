/** The Resolver that grpc-js drives for `headless:` targets: it hands whole sets of addresses on as endpoints. */
import { type ChannelOptions, Metadata, status } from '@grpc/grpc-js';
import type { Address } from '../address.js';
import type { AddressUpdate } from '../discovery/address-source.js';
import type { DnsError } from '../errors.js';
import { CHANNEL_CONTEXT_KEY, type ChannelContext } from './channel-context.js';
import {
  type Resolver,
  type ResolverListener,
  type ServiceConfig,
  statusOrFromError,
  statusOrFromValue,
} from './experimental.js';
import { withOurBalancer } from './service-config.js';

export class HeadlessResolver implements Resolver {
  readonly #context: ChannelContext;
  readonly #listener: ResolverListener;
  readonly #config: ServiceConfig;
  /** grpc-js has a set with addresses. */
  #hasAddresses = false;

  constructor(context: ChannelContext, listener: ResolverListener, options: ChannelOptions) {
    this.#context = context;
    this.#listener = listener;
    this.#config = withOurBalancer(options['grpc.service_config']);
  }

  /** grpc-js wants addresses, or fresher ones. */
  updateResolution(): void {
    if (this.#context.isOpen) this.#context.requestReresolution();
    else this.#context.open((update) => this.#onUpdate(update));
  }

  /** The channel becomes idle or is closed; `updateResolution` may wake it again. */
  destroy(): void {
    this.#context.close();
    this.#hasAddresses = false;
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
    this.#listener(statusOrFromValue(endpoints), this.#attributes, statusOrFromValue(this.#config), note);
  }

  #fail(error: DnsError): void {
    const failure = { code: status.UNAVAILABLE, details: error.message, metadata: new Metadata() };
    this.#listener(statusOrFromError(failure), this.#attributes, statusOrFromValue(this.#config), error.message);
  }

  /** Attributes reach the balancer among its channel options. */
  get #attributes(): Record<string, unknown> {
    return { [CHANNEL_CONTEXT_KEY]: this.#context };
  }
}
