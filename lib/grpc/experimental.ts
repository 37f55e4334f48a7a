/**
 * The door into grpc-js: the only importer of `grpc.experimental`. It has been the same through all of 1.14.x and
 * differs in 1.13, so what we need is checked once, here, when this file loads.
 */
import { experimental, logVerbosity } from '@grpc/grpc-js';
import { HeadlessError } from '../errors.js';

export type ConfigSelector = experimental.ConfigSelector;
export type ChannelControlHelper = experimental.ChannelControlHelper;
export type Filter = experimental.Filter;
export type FilterFactory = experimental.FilterFactory<Filter>;
export type GrpcEndpoint = experimental.Endpoint;
export type GrpcUri = experimental.GrpcUri;
export type LoadBalancer = experimental.LoadBalancer;
export type PickArgs = experimental.PickArgs;
export type Picker = experimental.Picker;
export type PickResult = experimental.PickResult;
export type Resolver = experimental.Resolver;
export type ResolverListener = experimental.ResolverListener;
export type StatusOrEndpoints = experimental.StatusOr<GrpcEndpoint[]>;
export type Subchannel = experimental.SubchannelInterface;
export type TypedLoadBalancingConfig = experimental.TypedLoadBalancingConfig;
/** grpc-js does not export the type itself. */
export type ServiceConfig = Extract<Parameters<ResolverListener>[2], { ok: true }>['value'];
export type MethodConfig = ServiceConfig['methodConfig'][number];

const NEEDED = [
  'registerResolver',
  'registerLoadBalancerType',
  'statusOrFromValue',
  'statusOrFromError',
  'parseDuration',
  'SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX',
  'CHANNEL_ARGS_CONFIG_SELECTOR_KEY',
  'BaseSubchannelWrapper',
  'PickResultType',
  'ChildLoadBalancerHandler',
  'selectLbConfigFromList',
  'trace',
] as const;

/**
 * Throws where the installed grpc-js is not one that this package can plug into.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_GRPC_VERSION` naming what is missing and which versions work.
 */
export function checkGrpc(experimental: Partial<Record<string, unknown>> | undefined): void {
  const missing = NEEDED.filter((name) => experimental?.[name] === undefined);
  if (missing.length === 0) return;
  throw new HeadlessError(
    'ERR_HEADLESS_GRPC_VERSION',
    `the installed @grpc/grpc-js lacks experimental.${missing.join(', experimental.')}: ` +
      'grpc-headless works with @grpc/grpc-js ^1.14.0; install that version',
  );
}

checkGrpc(experimental);

export const {
  registerResolver,
  registerLoadBalancerType,
  statusOrFromValue,
  statusOrFromError,
  parseDuration,
  PickResultType,
  ChildLoadBalancerHandler,
  selectLbConfigFromList,
  BaseSubchannelWrapper,
  CHANNEL_ARGS_CONFIG_SELECTOR_KEY: CONFIG_SELECTOR_KEY,
  // Keys that start so are kept out of the subchannels' arguments, so channels can share subchannels.
  SUBCHANNEL_ARGS_EXCLUDE_KEY_PREFIX: PRIVATE_KEY_PREFIX,
} = experimental;

/**
 * Writes a line to grpc-js's logger, under the tracer `headless` and with the verbosity DEBUG. null where the environment
 * names no tracer (`GRPC_TRACE`, `GRPC_NODE_TRACE`): grpc-js reads it once, when it is loaded, and writes nothing then.
 */
export const traceLine: ((line: string) => void) | null =
  (process.env['GRPC_NODE_TRACE'] ?? process.env['GRPC_TRACE'])
    ? (line) => experimental.trace(logVerbosity.DEBUG, 'headless', line)
    : null;
