/**
 * A ConfigSelector (gRFC A31) that gives each call its method's config, as the one of grpc-js does, and that does three
 * things more:
 *
 * - It tells when grpc-js lets go of it. grpc-js does so when it closes the channel, and not when the channel becomes idle:
 *   a resolver has no other way to tell the two apart.
 * - Calls that run out of time say what they waited for.
 * - A call that may have several attempts gets an object that grpc-js hands to every pick of the call. All other calls of a
 *   method share one config: nothing is allocated for them.
 */
import { status } from '@grpc/grpc-js';
import { Attempts } from '../picker/attempts.js';
import type { ConfigSelector, Filter, FilterFactory, MethodConfig, ServiceConfig } from './experimental.js';

type CallConfig = ReturnType<ConfigSelector['invoke']>;
type PickInformation = CallConfig['pickInformation'];

interface KnownMethod {
  readonly shared: CallConfig;
  readonly retries: boolean;
}

/** Beyond so many methods the next ones are looked up at each call, as in grpc-js. */
const MOST_KEPT = 100;

export interface SelectorEvents {
  /** grpc-js closed the channel, or replaces the selector by that of a new result. */
  onUnref(): void;
  /** Why calls wait for a pod at this moment; null where it is not known. */
  waitingReason(): string | null;
}

export function createConfigSelector(
  { methodConfig }: Pick<ServiceConfig, 'methodConfig'>,
  { onUnref, waitingReason }: SelectorEvents,
): ConfigSelector {
  const dynamicFilterFactories = [sharedFilter(new WaitingReasonFilter(waitingReason))];
  const known = (config: MethodConfig): KnownMethod => ({
    shared: { methodConfig: config, pickInformation: {}, status: status.OK, dynamicFilterFactories },
    retries: hasPolicy(config),
  });
  const named = namedMethods(methodConfig, known);
  const unnamed = named.get('') ?? known({ name: [] });
  const used = new Map<string, KnownMethod>();
  const find = (path: string): KnownMethod => {
    const method = named.get(path) ?? named.get(servicePath(path)) ?? unnamed;
    if (used.size < MOST_KEPT) used.set(path, method);
    return method;
  };
  return {
    invoke(path) {
      const { shared, retries } = used.get(path) ?? find(path);
      return retries ? { ...shared, pickInformation: new Attempts() as object as PickInformation } : shared;
    },
    unref: onUnref,
  };
}

/** Some method has a retry or hedging policy (gRFC A6). */
export function hasSeveralAttempts({ methodConfig }: Pick<ServiceConfig, 'methodConfig'>): boolean {
  return methodConfig.some(hasPolicy);
}

function hasPolicy({ retryPolicy, hedgingPolicy }: MethodConfig): boolean {
  return retryPolicy !== undefined || hedgingPolicy !== undefined;
}

/**
 * By `/service/method`, `/service/`, or nothing for the default of all services. The first of several configs with the same
 * name counts.
 */
function namedMethods(
  methodConfigs: readonly MethodConfig[],
  known: (config: MethodConfig) => KnownMethod,
): Map<string, KnownMethod> {
  const methods = new Map<string, KnownMethod>();
  for (const config of methodConfigs) {
    const method = known(config);
    for (const { service, method: name } of config.name) {
      const path = service ? `/${service}/${name ?? ''}` : '';
      if (!methods.has(path)) methods.set(path, method);
    }
  }
  return methods;
}

function servicePath(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

/** In the details of a call that had no pod when its time ran out (grpc-js's LoadBalancingCall). */
const WAITED_FOR_POD = 'Waiting for LB pick';

/** Adds the reason to the details of calls whose time ran out while they waited. It keeps nothing of a call. */
class WaitingReasonFilter implements Filter {
  readonly #waitingReason: () => string | null;

  constructor(waitingReason: () => string | null) {
    this.#waitingReason = waitingReason;
  }

  sendMetadata: Filter['sendMetadata'] = (metadata) => metadata;
  receiveMetadata: Filter['receiveMetadata'] = (metadata) => metadata;
  sendMessage: Filter['sendMessage'] = (message) => message;
  receiveMessage: Filter['receiveMessage'] = (message) => message;

  receiveTrailers: Filter['receiveTrailers'] = (trailers) => {
    if (trailers.code !== status.DEADLINE_EXCEEDED || !trailers.details.includes(WAITED_FOR_POD)) return trailers;
    const reason = this.#waitingReason();
    return reason === null ? trailers : { ...trailers, details: `${trailers.details}; ${reason}` };
  };
}

/** One filter for all calls: making one for each would cost an allocation. */
function sharedFilter(filter: Filter): FilterFactory {
  return { createFilter: () => filter };
}
