/** Registers `headless:` targets with grpc-js, and the balancer that they select. */
import type { ChannelOptions } from '@grpc/grpc-js';
import { proxyOf, warnOfProxy } from '../proxy.js';
import { formatAuthority, parseTarget, SCHEME, type Target } from '../target.js';
import { CHANNEL_CONTEXT_KEY, type ChannelContext } from './channel-context.js';
import { type GrpcUri, type ResolverListener, registerLoadBalancerType, registerResolver } from './experimental.js';
import { HeadlessLoadBalancingConfig, LoadBalancerAdapter } from './load-balancer-adapter.js';
import { HeadlessResolver } from './resolver.js';
import { BALANCER_NAME } from './service-config.js';

/** Makes the context of a channel that is not a HeadlessChannel, of the options that the channel was given. */
export type CreateContext = (target: Target, options: ChannelOptions) => ChannelContext;

let registered = false;

/** Targets of channels that have a resolver of ours. grpc-js hands all its parts the one object that it parsed. */
const resolved = new WeakSet<GrpcUri>();

/** Idempotent. */
export function registerScheme(createContext: CreateContext): void {
  if (registered) return;
  registered = true;

  /** grpc-js makes one for each channel: with the context of a HeadlessChannel or, for a bare target, one of its own. */
  class SchemeResolver extends HeadlessResolver {
    constructor(uri: GrpcUri, listener: ResolverListener, options: ChannelOptions) {
      resolved.add(uri);
      const context: ChannelContext | undefined = options[CHANNEL_CONTEXT_KEY];
      if (context) super(context, listener, options);
      else super(createContext(readUri(uri), options), listener, options, { tracksChannel: true });
    }

    static getDefaultAuthority(uri: GrpcUri): string {
      // A channel asks for this before it makes its resolver, in the same turn. With a proxy it makes that of the proxy's target.
      if (!resolved.has(uri) && proxyOf(process.env))
        queueMicrotask(() => {
          if (!resolved.has(uri)) warnOfProxy(textOf(uri), process.env);
        });
      return formatAuthority(readUri(uri));
    }
  }

  registerResolver(SCHEME, SchemeResolver);
  registerLoadBalancerType(BALANCER_NAME, LoadBalancerAdapter, HeadlessLoadBalancingConfig);
}

/** The text as the user wrote it, so that an error quotes it. */
function readUri(uri: GrpcUri): Target {
  return parseTarget(textOf(uri));
}

function textOf({ authority, path }: GrpcUri): string {
  return authority === undefined ? `${SCHEME}:${path}` : `${SCHEME}://${authority}/${path}`;
}
