/** The Resolver that grpc-js drives for `headless:` targets: it turns reports of the poller into lists of endpoints. */
import { type ChannelOptions, Metadata, status } from '@grpc/grpc-js';
import type { Report } from '../discovery/poller.js';
import type { DnsError } from '../errors.js';
import {
  type GrpcEndpoint,
  type Resolver,
  type ResolverListener,
  type ServiceConfig,
  statusOrFromError,
  statusOrFromValue,
} from './grpc.js';
import { LINK_KEY, type Link } from './link.js';
import { withOurBalancer } from './service-config.js';

export class HeadlessResolver implements Resolver {
  readonly #link: Link;
  readonly #listener: ResolverListener;
  readonly #config: ServiceConfig;
  /** The set that grpc-js has, by identity: the poller hands out the same array for as long as it is the same. */
  #given: readonly string[] | null = null;
  #endpoints = new Map<string, GrpcEndpoint>();

  constructor(link: Link, listener: ResolverListener, options: ChannelOptions) {
    this.#link = link;
    this.#listener = listener;
    this.#config = withOurBalancer(options['grpc.service_config']);
  }

  /** grpc-js wants addresses, or fresher ones. */
  updateResolution(): void {
    if (this.#link.isOpen) this.#link.hint();
    else this.#link.open((report) => this.#onReport(report));
  }

  /** The channel goes idle or is closed; `updateResolution` may wake it again. */
  destroy(): void {
    this.#link.close();
    this.#given = null;
    this.#endpoints.clear();
  }

  #onReport({ addresses, error }: Report): void {
    const nothingFound = addresses.length === 0 && error !== null;
    if (nothingFound && !this.#given?.length) this.#fail(error);
    // Most polls find the same set: then grpc-js hears nothing.
    else if (addresses !== this.#given) this.#give(addresses, error?.message ?? '');
  }

  /** There was never an address, or `empty: 'drop'` took the last one: calls should hear why. */
  #fail(error: DnsError): void {
    const failure = { code: status.UNAVAILABLE, details: error.message, metadata: new Metadata() };
    this.#listener(statusOrFromError(failure), this.#attributes, statusOrFromValue(this.#config), error.message);
  }

  #give(addresses: readonly string[], note: string): void {
    this.#given = addresses;
    const { port } = this.#link.settings;
    const endpoints = new Map<string, GrpcEndpoint>();
    for (const host of addresses) endpoints.set(host, this.#endpoints.get(host) ?? { addresses: [{ host, port }] });
    this.#endpoints = endpoints;
    this.#listener(statusOrFromValue([...endpoints.values()]), this.#attributes, statusOrFromValue(this.#config), note);
  }

  /** Attributes reach the balancer among its channel options. */
  get #attributes(): Record<string, unknown> {
    return { [LINK_KEY]: this.#link };
  }
}
