/**
 * grpc-headless/kubernetes: addresses by a watch of EndpointSlices, for pods that may list and watch them. Needs the package
 * `@kubernetes/client-node`, unless a `kubeConfig` is given.
 *
 * @module grpc-headless/kubernetes
 */
import type { AddressSourceFactory } from './discovery/address-source.js';
import { HeadlessError } from './errors.js';
import type { KubeConfigLike } from './kubernetes/kube-config.js';
import { serviceOf } from './kubernetes/service-reference.js';
import { readKubeConfig } from './kubernetes/source-options.js';
import { WatchedSource } from './kubernetes/watched-source.js';
import { type ConfigSource, sharedWatch } from './kubernetes/watches.js';

export type { KubeConfigLike };

/** The options of `endpointSlices()`. */
export interface EndpointSlicesOptions {
  /**
   * A `KubeConfig` of `@kubernetes/client-node`. Default: what its `loadFromDefault()` finds, which is the file that KUBECONFIG names,
   * `~/.kube/config`, or the ServiceAccount of the pod.
   */
  readonly kubeConfig?: KubeConfigLike | undefined;
}

/**
 * The value of the option `headless.source`: the Service's EndpointSlices are watched, and new pods get calls some milliseconds
 * after they are Ready. While the watch is refused (403) or the API server is away, DNS is used as without this option, and
 * `snapshot().discovery` says why; the watch is tried again until it works.
 *
 * The host of the target is read as a Service if it is `service`, `service.namespace`, `service.namespace.svc` or
 * `service.namespace.svc.cluster.local` (with the cluster's own domain), each also behind `_port-name._tcp.`. Every other target
 * is left to DNS: an address, `www.example.com:443`, a name in `svc.clusterset.local`, and a name with a final dot that has
 * no domain behind `svc`.
 *
 * `example.com:443` looks like `service.namespace`, and is watched as the Service `example` in the namespace `com`; DNS is used
 * while there is no such Service, or the watch is refused. `example.com.:443`, with the final dot, is left to DNS at once.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION` for an unknown option, and if `kubeConfig` is something else.
 */
export function endpointSlices(options: EndpointSlicesOptions = {}): AddressSourceFactory {
  const config = readKubeConfig(options);
  return {
    create(context) {
      const reference = serviceOf(context.hostname, context.absolute);
      if (reference === null) return context.fallback;
      const load = config ? async () => config : DEFAULT_CONFIG.load;
      const watch = sharedWatch(config ?? DEFAULT_CONFIG, load, reference, context);
      return new WatchedSource(watch, reference.portName, context);
    },
  };
}

/** Where `loadFromDefault()` points without any configuration. */
const NO_SERVER = 'http://localhost:8080';

const DEFAULT_CONFIG: ConfigSource = {
  async load() {
    // Loaded when it is needed: it takes longer than all the rest of this package.
    const { KubeConfig } = await import('@kubernetes/client-node').catch((cause: unknown) => {
      const message =
        'the package @kubernetes/client-node cannot be loaded; install it, or give endpointSlices a kubeConfig';
      throw new HeadlessError('ERR_HEADLESS_WATCH', message, { cause });
    });
    const config = new KubeConfig();
    config.loadFromDefault();
    if (config.getCurrentCluster()?.server !== NO_SERVER) return config;
    throw new HeadlessError(
      'ERR_HEADLESS_WATCH',
      'no kubeConfig was found: KUBECONFIG is not set, there is no ~/.kube/config, and the pod has no ServiceAccount token ' +
        '(automountServiceAccountToken may be false)',
    );
  },
};
