/**
 * The LoadBalancer that grpc-js drives. It makes our balancer with the first set, because only that brings the channel's
 * context, and passes on what follows.
 */
import { type ChannelOptions, connectivityState } from '@grpc/grpc-js';
import type { Address } from '../address.js';
import { LoadBalancer } from '../balancer/load-balancer.js';
import type { EndpointSnapshot } from '../telemetry/snapshot.js';
import { type BalancerView, CHANNEL_CONTEXT_KEY, type ChannelContext } from './channel-context.js';
import {
  type ChannelControlHelper,
  CONFIG_SELECTOR_KEY,
  type GrpcEndpoint,
  type LoadBalancer as GrpcLoadBalancer,
  type StatusOrEndpoints,
  type TypedLoadBalancingConfig,
} from './experimental.js';
import { BALANCER_NAME } from './service-config.js';

/** Takes no settings of its own: they come with the context, so that every way to make a channel gives them in one place. */
export class HeadlessLoadBalancingConfig implements TypedLoadBalancingConfig {
  getLoadBalancerName(): string {
    return BALANCER_NAME;
  }

  toJsonObject(): object {
    return { [BALANCER_NAME]: {} };
  }

  static createFromJson(): HeadlessLoadBalancingConfig {
    return new HeadlessLoadBalancingConfig();
  }
}

export class LoadBalancerAdapter implements GrpcLoadBalancer, BalancerView {
  readonly #helper: ChannelControlHelper;
  #balancer: LoadBalancer | null = null;
  #context: ChannelContext | null = null;

  constructor(helper: ChannelControlHelper) {
    this.#helper = helper;
  }

  getTypeName(): string {
    return BALANCER_NAME;
  }

  updateAddressList(
    list: StatusOrEndpoints,
    _config: TypedLoadBalancingConfig,
    options: ChannelOptions,
    note: string,
  ): boolean {
    const context = options[CHANNEL_CONTEXT_KEY] as ChannelContext | undefined;
    // Another resolver's addresses: only ours brings the context.
    if (!context) return false;
    this.#balancer ??= this.#create(context, options);
    if (list.ok) this.#balancer.update(addressesOf(list.value), note);
    else this.#balancer.fail(list.error.details ?? '');
    return true;
  }

  /** Every endpoint is kept connected at all times, so there is nothing to wake. */
  exitIdle(): void {}

  /** grpc-js offers balancers no way to reset a subchannel's backoff; round_robin does nothing here either. */
  resetBackoff(): void {}

  destroy(): void {
    this.#balancer?.destroy();
    this.#balancer = null;
    const context = this.#context;
    if (context?.balancer !== this) return;
    context.balancer = null;
    context.balancerState = null;
  }

  endpoints(): EndpointSnapshot[] {
    return this.#balancer?.endpoints() ?? [];
  }

  #create(context: ChannelContext, options: ChannelOptions): LoadBalancer {
    this.#context = context;
    context.balancer = this;
    const helper = this.#helper;
    // Subchannels of equal arguments are shared between channels, so our own options stay out of them.
    const { headless: _ours, [CONFIG_SELECTOR_KEY]: _selector, ...args } = options;
    const { parts } = context;
    return new LoadBalancer({
      authority: parts.authority,
      policy: parts.policy,
      monitors: parts.monitors,
      lingerMs: parts.lingerMs,
      runtime: parts.runtime,
      emit: parts.emit,
      discovery: {
        get lastError() {
          return parts.source.lastError;
        },
        setReady: (ready) => context.setReady(ready),
        requestReresolution: () => context.requestReresolution(),
      },
      createSubchannel: (address) => helper.createSubchannel(address, args),
      helper: {
        updateState: (state, picker, error) => {
          if (context.balancer === this)
            context.balancerState = connectivityState[state] as ChannelContext['balancerState'];
          helper.updateState(state, picker, error);
        },
        addChannelzChild: (child) => helper.addChannelzChild(child),
        removeChannelzChild: (child) => helper.removeChannelzChild(child),
      },
    });
  }
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
