/**
 * The LoadBalancer that grpc-js drives. It makes our balancer with the first set, because only that brings the channel's
 * context, and passes on what follows.
 */
import { type ChannelOptions, connectivityState } from '@grpc/grpc-js';
import type { Address } from '../address.js';
import type { EndpointAddress } from '../balancer/endpoint-address.js';
import { LoadBalancer } from '../balancer/load-balancer.js';
import type { ConnectionError } from '../errors.js';
import { SCHEMA } from '../options/schema.js';
import { checkBalancerConfig } from '../options/service-config.js';
import type { EndpointSnapshot } from '../telemetry/snapshot.js';
import { type BalancerView, CHANNEL_CONTEXT_KEY, type ChannelContext } from './channel-context.js';
import {
  type ChannelControlHelper,
  CONFIG_SELECTOR_KEY,
  type GrpcEndpoint,
  type LoadBalancer as GrpcLoadBalancer,
  type StatusOrEndpoints,
  selectLbConfigFromList,
  type TypedLoadBalancingConfig,
} from './experimental.js';
import { ObservedBalancer } from './observed-balancer.js';
import { BALANCER_NAME } from './service-config.js';
import { streamLimit } from './stream-limit.js';

/**
 * Makes the arguments of a further connection differ, so that it is another subchannel. Not under the private prefix,
 * whose keys grpc-js does not compare.
 */
const CONNECTION_KEY = 'grpc_headless.connection';

interface OwnConfig {
  child_policy?: Parameters<typeof selectLbConfigFromList>[0];
}

/**
 * Takes no settings of its own: they come with the context, so that every way to make a channel gives them in one place.
 * `child_policy` is there where the user's config names another balancer; see service-config.ts.
 */
export class HeadlessLoadBalancingConfig implements TypedLoadBalancingConfig {
  /** The balancer that takes the place of ours; null: ours is used. */
  readonly other: TypedLoadBalancingConfig | null;

  constructor(other: TypedLoadBalancingConfig | null = null) {
    this.other = other;
  }

  getLoadBalancerName(): string {
    return BALANCER_NAME;
  }

  toJsonObject(): object {
    return { [BALANCER_NAME]: this.other ? { child_policy: [this.other.toJsonObject()] } : {} };
  }

  /** @throws {HeadlessError} `ERR_HEADLESS_OPTION` for any member but `child_policy`. */
  static createFromJson(config: OwnConfig = {}): HeadlessLoadBalancingConfig {
    checkBalancerConfig(config, SCHEMA);
    const { child_policy } = config;
    return new HeadlessLoadBalancingConfig(child_policy ? selectLbConfigFromList(child_policy, true) : null);
  }
}

export class LoadBalancerAdapter implements GrpcLoadBalancer, BalancerView {
  readonly #helper: ChannelControlHelper;
  #balancer: LoadBalancer | null = null;
  /** In the place of ours. */
  #other: ObservedBalancer | null = null;
  #context: ChannelContext | null = null;

  /** The context is told each state on its way to the channel. */
  constructor(helper: ChannelControlHelper) {
    this.#helper = {
      createSubchannel: (address, args) => helper.createSubchannel(address, args),
      updateState: (state, picker, error) => {
        if (this.#context?.balancer === this)
          this.#context.balancerState = connectivityState[state] as ChannelContext['balancerState'];
        helper.updateState(state, picker, error);
      },
      requestReresolution: () => helper.requestReresolution(),
      addChannelzChild: (child) => helper.addChannelzChild(child),
      removeChannelzChild: (child) => helper.removeChannelzChild(child),
    };
  }

  getTypeName(): string {
    return BALANCER_NAME;
  }

  updateAddressList(
    list: StatusOrEndpoints,
    config: TypedLoadBalancingConfig,
    withSelector: ChannelOptions,
    note: string,
  ): boolean {
    // The selector is for the channel. A subchannel that had it among its arguments would be shared with no other channel.
    const { [CONFIG_SELECTOR_KEY]: _selector, ...options } = withSelector;
    const context = options[CHANNEL_CONTEXT_KEY] as ChannelContext | undefined;
    // Another resolver's addresses: only ours brings the context.
    if (!context) return false;
    this.#context = context;
    context.balancer = this;
    if (config instanceof HeadlessLoadBalancingConfig && config.other) {
      this.#other ??= new ObservedBalancer(context, this.#helper);
      return this.#other.update(list, config.other, options, note);
    }
    this.#balancer ??= this.#create(context, options);
    if (list.ok) this.#balancer.update(addressesOf(list.value), note);
    else this.#balancer.fail(list.error.details ?? '');
    return true;
  }

  /** Ours keeps every endpoint connected at all times, so there is nothing to wake. */
  exitIdle(): void {
    this.#other?.exitIdle();
  }

  /** grpc-js offers balancers no way to reset a subchannel's backoff; round_robin does nothing here either. */
  resetBackoff(): void {
    this.#other?.resetBackoff();
  }

  destroy(): void {
    this.#other?.destroy();
    this.#other = null;
    this.#balancer?.destroy();
    this.#balancer = null;
    const context = this.#context;
    if (context?.balancer !== this) return;
    context.balancer = null;
    context.balancerState = null;
  }

  endpoints(): EndpointSnapshot[] {
    return this.#view?.endpoints() ?? [];
  }

  waitingReason(): string | null {
    return this.#view?.waitingReason() ?? null;
  }

  connectionError(): ConnectionError | null {
    return this.#view?.connectionError() ?? null;
  }

  watchStreams(): void {
    this.#view?.watchStreams();
  }

  get #view(): BalancerView | null {
    return this.#other ?? this.#balancer;
  }

  #create(context: ChannelContext, options: ChannelOptions): LoadBalancer {
    const helper = this.#helper;
    // Subchannels of equal arguments are shared between channels, so our own options stay out of them.
    const { headless: _ours, ...args } = options;
    const { parts } = context;
    const balancer = new LoadBalancer({
      authority: parts.authority,
      callAuthority: options['grpc.default_authority'] ?? parts.authority,
      policy: context.hasSeveralAttempts ? parts.forRetries(parts.policy) : parts.policy,
      monitors: parts.monitors,
      drain: parts.drain,
      selection: parts.selection,
      runtime: parts.runtime,
      emit: parts.emit,
      calls: parts.calls,
      discovery: {
        get lastError() {
          return parts.source.lastError;
        },
        setReady: (ready) => context.setReady(ready),
        requestReresolution: () => context.requestReresolution(),
      },
      onPodReleased: (address, calls) => context.onPodReleased(address, calls),
      createSubchannel: (address) => helper.createSubchannel(address, argumentsFor(address, args)),
      streamLimit,
      helper,
    });
    if (context.streamsWatched) balancer.watchStreams();
    return balancer;
  }
}

/** Further connections are shared between channels as the first one is. */
function argumentsFor({ connection }: EndpointAddress, args: ChannelOptions): ChannelOptions {
  return connection === undefined ? args : { ...args, [CONNECTION_KEY]: connection };
}

/** An endpoint is known by its first address. Only TCP addresses occur: the sets are our own resolver's. */
function addressesOf(endpoints: readonly GrpcEndpoint[]): Address[] {
  const addresses: Address[] = [];
  for (const endpoint of endpoints) {
    const [first] = endpoint.addresses;
    if (first && 'port' in first) addresses.push(first);
  }
  return addresses;
}
