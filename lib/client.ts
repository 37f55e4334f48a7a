/** The drop-in factory: a generated client, made as `new` would make it, on a channel of ours. */
import type { ChannelCredentials, ChannelInterface, ClientOptions } from '@grpc/grpc-js';
import { HeadlessChannel } from './channel.js';
import { HeadlessError } from './errors.js';
import { checkClientClass } from './grpc/grpc-copies.js';
import { isOptionsObject } from './options/options-object.js';
import { formatValue, refuseValue } from './options/refusal.js';
import type { HeadlessOptions } from './options.js';

/** grpc-js's client options (interceptors, channel options …), with ours under one key. */
export type HeadlessClientOptions = ClientOptions & {
  /** The options of this package. */
  headless?: HeadlessOptions | undefined;
};

/** A client class as `@grpc/proto-loader`, grpc-tools or ts-proto make them. */
export type ClientConstructor<C> = new (
  address: string,
  credentials: ChannelCredentials,
  options?: Partial<ClientOptions>,
) => C;

/** A client whose channel is ours. Its own type comes first: TypeScript takes the first signature that fits. */
export type HeadlessClient<C> = {
  /** The channel of this client: its events, its snapshot. */
  getChannel(): HeadlessChannel;
} & C;

/** Options of the client itself, not of its channel. */
const CLIENT_KEYS = ['interceptors', 'interceptor_providers', 'callInvocationTransformer'] as const;

/**
 * Makes a client as `new Client(target, credentials, options)` does, balanced over the pods behind `target`.
 * `client.getChannel()` is a {@link HeadlessChannel}; `client.close()` closes it.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_TARGET`, `ERR_HEADLESS_OPTION` (also for what is no class), or `ERR_HEADLESS_GRPC_VERSION`
 *   for credentials of a second copy of grpc-js, before any packet.
 */
export function createHeadlessClient<C>(
  Client: ClientConstructor<C>,
  target: string,
  credentials: ChannelCredentials,
  options: HeadlessClientOptions = {},
): HeadlessClient<C> {
  if (!isConstructor(Client)) throw refuseClass(Client);
  if (!isOptionsObject(options))
    throw refuseValue('of the client', options, "must be an object such as { 'grpc.keepalive_time_ms': 10000 }");
  for (const key of ['channelOverride', 'channelFactoryOverride'] as const) {
    if (options[key] === undefined) continue;
    const remedy = 'leave it out, or make the client with `new` and give it a HeadlessChannel there';
    throw new HeadlessError(
      'ERR_HEADLESS_OPTION',
      `option ${key} cannot be used here, where the channel is ours: ${remedy}`,
    );
  }
  checkClientClass(Client);
  const channelOptions: HeadlessClientOptions = { ...options };
  const clientOptions: ClientOptions = {};
  for (const key of CLIENT_KEYS) {
    if (options[key] !== undefined) Object.assign(clientOptions, { [key]: options[key] });
    delete channelOptions[key];
  }
  const channelOverride: ChannelInterface = new HeadlessChannel(target, credentials, channelOptions);
  try {
    // A generated client returns its channelOverride from getChannel().
    return new Client(target, credentials, { ...clientOptions, channelOverride }) as HeadlessClient<C>;
  } catch (error) {
    channelOverride.close();
    throw error;
  }
}

function refuseClass(given: unknown): HeadlessError {
  const rule = 'a class of clients, such as a generated one or what makeGenericClientConstructor() of grpc-js returns';
  return new HeadlessError('ERR_HEADLESS_OPTION', `the argument Client must be ${rule}, got ${shortly(given)}`);
}

/** Without calling it. Arrow functions and methods are functions that `new` refuses. */
function isConstructor(value: unknown): boolean {
  try {
    Reflect.construct(Object, [], value as NewableFunction);
    return true;
  } catch {
    return false;
  }
}

/** The definition of a service is an object too, and a long one. */
function shortly(value: unknown): string {
  if (typeof value === 'function') return 'a function that is no class';
  return typeof value === 'object' && value !== null ? 'an object' : formatValue(value);
}
