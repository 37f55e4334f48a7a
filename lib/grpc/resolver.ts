/** The Resolver that grpc-js drives for `headless:` targets: it turns reports of the poller into lists of endpoints. */
import { type ChannelOptions, Metadata, status } from '@grpc/grpc-js';
import { without } from '../balancer/endpoint-set.js';
import { type Change, changeSince } from '../discovery/membership.js';
import type { AddressUpdate } from '../discovery/poller.js';
import type { DnsError } from '../errors.js';
import { CHANNEL_CONTEXT_KEY, type ChannelContext } from './channel-context.js';
import {
  type GrpcEndpoint,
  type Resolver,
  type ResolverListener,
  type ServiceConfig,
  statusOrFromError,
  statusOrFromValue,
} from './experimental.js';
import { withOurBalancer } from './service-config.js';

export class HeadlessResolver implements Resolver {
  readonly #link: ChannelContext;
  readonly #listener: ResolverListener;
  readonly #config: ServiceConfig;
  /** The set that grpc-js has, by identity: the poller hands out the same array for as long as it is the same. */
  #given: readonly string[] | null = null;
  readonly #endpoints = new Map<string, GrpcEndpoint>();
  #list: readonly GrpcEndpoint[] | null = null;

  constructor(link: ChannelContext, listener: ResolverListener, options: ChannelOptions) {
    this.#link = link;
    this.#listener = listener;
    this.#config = withOurBalancer(options['grpc.service_config']);
  }

  /** grpc-js wants addresses, or fresher ones. */
  updateResolution(): void {
    if (this.#link.isOpen) this.#link.requestReresolution();
    else this.#link.open((report) => this.#onReport(report));
  }

  /** The channel goes idle or is closed; `updateResolution` may wake it again. */
  destroy(): void {
    this.#link.close();
    this.#given = null;
    this.#list = null;
    this.#endpoints.clear();
  }

  #onReport({ addresses, change, error }: AddressUpdate): void {
    const nothingFound = addresses.length === 0 && error !== null;
    if (nothingFound && !this.#given?.length) this.#fail(error);
    // Most polls find the same set: then grpc-js hears nothing.
    else if (addresses !== this.#given) this.#give(addresses, change, error?.message ?? '');
  }

  /** There was never an address, or `empty: 'drop'` took the last one: calls should hear why. */
  #fail(error: DnsError): void {
    const failure = { code: status.UNAVAILABLE, details: error.message, metadata: new Metadata() };
    this.#listener(statusOrFromError(failure), this.#attributes, statusOrFromValue(this.#config), error.message);
  }

  #give(addresses: readonly string[], change: Change, note: string): void {
    const { added, removed } = changeSince(this.#given, addresses, change);
    const before = this.#list;
    const gone = removed.map((host) => this.#take(host));
    const come = added.map((host) => this.#make(host));
    const after = without(before ?? [], gone).concat(come);
    this.#given = addresses;
    this.#list = after;
    this.#link.change = { before, after, added: come, removed: gone };
    this.#listener(statusOrFromValue(after), this.#attributes, statusOrFromValue(this.#config), note);
  }

  /** For as long as the pod stays it is this object: the nursery knows it by that. */
  #make(host: string): GrpcEndpoint {
    const endpoint = { addresses: [{ host, port: this.#link.settings.port }] };
    this.#endpoints.set(host, endpoint);
    return endpoint;
  }

  #take(host: string): GrpcEndpoint {
    const endpoint = this.#endpoints.get(host) as GrpcEndpoint;
    this.#endpoints.delete(host);
    return endpoint;
  }

  /** Attributes reach the balancer among its channel options. */
  get #attributes(): Record<string, unknown> {
    return { [CHANNEL_CONTEXT_KEY]: this.#link };
  }
}
