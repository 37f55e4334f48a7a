/**
 * A ConfigSelector (gRFC A31) that gives each call its method's config, as the one of grpc-js does, and that does two things
 * more. It tells when grpc-js lets go of it: grpc-js does so when it closes the channel, and not when the channel becomes
 * idle, and a resolver has no other way to tell the two apart. And calls that run out of time say what they waited for.
 */
import { status } from '@grpc/grpc-js';
import type { ConfigSelector, Filter, FilterFactory, MethodConfig, ServiceConfig } from './experimental.js';

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
  const configs = configsByPath(methodConfig);
  const dynamicFilterFactories = [sharedFilter(new WaitingReasonFilter(waitingReason))];
  return {
    invoke: (path) => ({
      methodConfig: configs.get(path) ?? configs.get(servicePath(path)) ?? configs.get('') ?? NO_CONFIG,
      pickInformation: {},
      status: status.OK,
      dynamicFilterFactories,
    }),
    unref: onUnref,
  };
}

const NO_CONFIG: MethodConfig = { name: [] };

/**
 * `/service/method`, `/service/`, or nothing for the default of all services. The first of several configs with the same
 * name counts.
 */
function configsByPath(methodConfigs: readonly MethodConfig[]): Map<string, MethodConfig> {
  const configs = new Map<string, MethodConfig>();
  for (const config of methodConfigs)
    for (const { service, method } of config.name) {
      const path = service ? `/${service}/${method ?? ''}` : '';
      if (!configs.has(path)) configs.set(path, config);
    }
  return configs;
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
