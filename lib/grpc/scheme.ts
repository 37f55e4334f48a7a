/** Makes grpc-js know `headless:` targets, and the balancer they select. */
import { isIP } from 'node:net';
import type { ChannelOptions } from '@grpc/grpc-js';
import { HeadlessLoadBalancer, HeadlessLoadBalancingConfig } from '../balancer/load-balancer.js';
import { sharedPoller } from '../compose.js';
import { type HeadlessSettings, resolveOptions } from '../options.js';
import { leastRequest } from '../picker/least-request.js';
import { roundRobin } from '../picker/round-robin.js';
import { type Runtime, systemRuntime } from '../runtime.js';
import { formatAuthority, parseTarget, SCHEME, type Target } from '../target.js';
import { CHANNEL_CONTEXT_KEY, ChannelContext } from './channel-context.js';
import { type GrpcUri, type ResolverListener, registerLoadBalancerType, registerResolver } from './experimental.js';
import { HeadlessResolver } from './resolver.js';
import { BALANCER_NAME } from './service-config.js';

const POLICIES = { least_request: leastRequest, round_robin: roundRobin };

/** Joins a channel to the poller that its name and settings share. */
export function createLink(target: Target, settings: HeadlessSettings, runtime: Runtime): ChannelContext {
  const { hostname, absolute, port, server } = target;
  const poller = sharedPoller(
    {
      hostname,
      absolute,
      // The target's own DNS server is nearer than the options'.
      dns: server ? { ...settings.dns, servers: [server] } : settings.dns,
      lookup: isIP(hostname) ? literalLookup : settings.lookup,
      refresh: settings.refresh,
      empty: settings.empty,
    },
    runtime,
  );
  const policy = POLICIES[settings.policy];
  return new ChannelContext(
    poller,
    { authority: formatAuthority(target), port, policy, lingerMs: settings.lingerMs },
    runtime,
  );
}

/** An address needs no DNS; as a lookup it needs no code of its own either. */
const literalLookup = async (hostname: string): Promise<{ addresses: string[]; ttlMs: number }> => ({
  addresses: [hostname],
  ttlMs: 0,
});

/** One for every channel: made by grpc-js, with the link of a HeadlessChannel or, for a bare target, one of its own. */
class SchemeResolver extends HeadlessResolver {
  constructor(uri: GrpcUri, listener: ResolverListener, options: ChannelOptions) {
    const link: ChannelContext | undefined = options[CHANNEL_CONTEXT_KEY];
    super(link ?? createLink(readUri(uri), resolveOptions(options['headless']), systemRuntime), listener, options);
  }

  static getDefaultAuthority(uri: GrpcUri): string {
    return formatAuthority(readUri(uri));
  }
}

function readUri({ authority, path }: GrpcUri): Target {
  return parseTarget(`${SCHEME}://${authority ?? ''}/${path}`);
}

let registered = false;

/** Idempotent. */
export function registerScheme(): void {
  if (registered) return;
  registered = true;
  registerResolver(SCHEME, SchemeResolver);
  registerLoadBalancerType(BALANCER_NAME, HeadlessLoadBalancer, HeadlessLoadBalancingConfig);
}
