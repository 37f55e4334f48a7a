/** What users write for a transport, its checks and its defaults. */
import type { BinaryReadOptions, BinaryWriteOptions } from '@bufbuild/protobuf';
import type { Interceptor } from '@connectrpc/connect';
import { type ChannelCredentials, type ChannelOptions, compressionAlgorithms } from '@grpc/grpc-js';
import type { HeadlessChannelOptions } from '../channel.js';
import { HeadlessError } from '../errors.js';
import { isOptionsObject } from '../options/options-object.js';
import { refuseName, refuseValue } from '../options/refusal.js';
import type { HeadlessOptions } from '../options.js';

/** All but `target` and `credentials` is optional. */
export interface HeadlessTransportOptions {
  /** As `HeadlessChannel` takes it: `name:port` or `headless:///name:port`, without `http://`. */
  readonly target: string;
  /** grpc-js's: `credentials.createInsecure()`, `credentials.createSsl()`, with call credentials combined where there are any. */
  readonly credentials: ChannelCredentials;
  /** The options of this package. Default: their defaults. */
  readonly headless?: HeadlessOptions | undefined;
  /** grpc-js's channel options, as `HeadlessChannel` takes them. Default: none. */
  readonly options?: HeadlessChannelOptions | undefined;
  /** Connect's interceptors; the first is the outermost. Default: none. */
  readonly interceptors?: readonly Interceptor[] | undefined;
  /** How messages are read and written. Default: protobuf-es's defaults. */
  readonly binaryOptions?: Partial<BinaryReadOptions & BinaryWriteOptions> | undefined;
  /** Compresses requests; servers have to support it. Responses may come in gzip or deflate in any case. Default `identity`. */
  readonly sendCompression?: 'identity' | 'gzip' | 'deflate' | undefined;
  /** Smaller requests are not compressed. Default 1024 bytes. */
  readonly compressMinBytes?: number | undefined;
  /** A larger response fails with `resource_exhausted`. Default: grpc-js's 4 MiB (4,194,304 bytes). */
  readonly readMaxBytes?: number | undefined;
  /** A larger request fails with `resource_exhausted`. Default: no limit. */
  readonly writeMaxBytes?: number | undefined;
  /** For calls that have no `timeoutMs` of their own. Default: none. */
  readonly defaultTimeoutMs?: number | undefined;
}

export interface TransportSettings {
  readonly channelOptions: HeadlessChannelOptions;
  readonly interceptors: Interceptor[];
  readonly binaryOptions: Partial<BinaryReadOptions & BinaryWriteOptions> | undefined;
  readonly compressMinBytes: number;
  readonly defaultTimeoutMs: number | undefined;
}

const KNOWN = {
  target: true,
  credentials: true,
  headless: true,
  options: true,
  interceptors: true,
  binaryOptions: true,
  sendCompression: true,
  compressMinBytes: true,
  readMaxBytes: true,
  writeMaxBytes: true,
  defaultTimeoutMs: true,
} as const satisfies Record<keyof HeadlessTransportOptions, true>;

/** Options of Connect's own transports that have no meaning here, and what to do. */
const OF_OTHER_TRANSPORTS: ReadonlyMap<string, string> = new Map([
  ['baseUrl', 'write `target: "name:port"`, and say by `credentials` whether it is TLS'],
  ['httpVersion', 'leave it out: gRPC is always HTTP/2'],
  ['useBinaryFormat', 'leave it out: grpc-js sends the binary format alone, never JSON'],
  ['jsonOptions', 'leave it out: grpc-js sends the binary format alone, never JSON'],
  ['acceptCompression', 'leave it out: grpc-js always accepts gzip and deflate'],
  ['nodeOptions', 'give TLS options to `credentials`, and others to `options` as channel options of grpc-js'],
  ['sessionManager', 'leave it out: the channel has the connections'],
  ['pingIntervalMs', "write options: { 'grpc.keepalive_time_ms': … }"],
  ['pingTimeoutMs', "write options: { 'grpc.keepalive_timeout_ms': … }"],
  ['pingIdleConnection', "write options: { 'grpc.keepalive_permit_without_calls': 1 }"],
  ['idleConnectionTimeoutMs', "write options: { 'grpc.client_idle_timeout_ms': … }"],
]);

const DEFAULT_COMPRESS_MIN_BYTES = 1_024;
/** The longest message that gRPC's length prefix can announce. */
const MOST_BYTES = 0xffff_ffff;

/** @throws {HeadlessError} `ERR_HEADLESS_OPTION`. The target, the credentials and the channel's options are the channel's to check. */
export function resolveTransportOptions(options: HeadlessTransportOptions): TransportSettings {
  if (!isOptionsObject(options))
    throw refuseValue('of the transport', options, 'must be an object such as { target, credentials }');
  checkNames(options);
  const { interceptors, binaryOptions, compressMinBytes, readMaxBytes, writeMaxBytes, defaultTimeoutMs } = options;
  if (interceptors !== undefined && !isListOfFunctions(interceptors))
    throw refuseValue('interceptors', interceptors, 'must be a list of functions');
  if (binaryOptions !== undefined && !isOptionsObject(binaryOptions))
    throw refuseValue(
      'binaryOptions',
      binaryOptions,
      "must be an object of protobuf-es's options, such as { readUnknownFields: false }",
    );
  checkBytes('compressMinBytes', compressMinBytes, 0);
  checkBytes('readMaxBytes', readMaxBytes, 1);
  checkBytes('writeMaxBytes', writeMaxBytes, 1);
  if (defaultTimeoutMs !== undefined && !(typeof defaultTimeoutMs === 'number' && defaultTimeoutMs > 0))
    throw refuseValue('defaultTimeoutMs', defaultTimeoutMs, 'must be milliseconds > 0');
  return {
    channelOptions: channelOptionsOf(options),
    interceptors: [...(interceptors ?? [])],
    binaryOptions,
    compressMinBytes: compressMinBytes ?? DEFAULT_COMPRESS_MIN_BYTES,
    defaultTimeoutMs,
  };
}

/** An option that asks for what is the case anyway is refused too: without an effect it would mislead its reader. */
function checkNames(options: HeadlessTransportOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (Object.hasOwn(KNOWN, name) || value === undefined) continue;
    const remedy =
      OF_OTHER_TRANSPORTS.get(name) ?? (name.startsWith('grpc') ? `write options: { '${name}': … }` : null);
    if (remedy === null) throw refuseName('of the transport', name, value, Object.keys(KNOWN));
    throw new HeadlessError(
      'ERR_HEADLESS_OPTION',
      `the transport has no option ${name} (value ${String(value)}): ${remedy}`,
    );
  }
}

function channelOptionsOf(options: HeadlessTransportOptions): HeadlessChannelOptions {
  const { headless, sendCompression, readMaxBytes, writeMaxBytes } = options;
  const given = options.options ?? {};
  if (!isOptionsObject(given))
    throw refuseValue(
      'options',
      given,
      "must be an object of grpc-js's channel options, such as { 'grpc.keepalive_time_ms': 10000 }",
    );
  const own: ChannelOptions = {};
  const add = (name: string, key: keyof ChannelOptions & string, value: unknown): void => {
    if (value === undefined) return;
    if (given[key] !== undefined)
      throw new HeadlessError(
        'ERR_HEADLESS_OPTION',
        `${name} and options['${key}'] say the same: leave one of them out`,
      );
    own[key] = value;
  };
  add('headless', 'headless', headless);
  add('sendCompression', 'grpc.default_compression_algorithm', compressionOf(sendCompression));
  add('readMaxBytes', 'grpc.max_receive_message_length', readMaxBytes);
  add('writeMaxBytes', 'grpc.max_send_message_length', writeMaxBytes);
  return { ...given, ...own };
}

function compressionOf(name: unknown): compressionAlgorithms | undefined {
  switch (name) {
    case undefined:
      return undefined;
    case 'identity':
    case 'gzip':
    case 'deflate':
      return compressionAlgorithms[name];
    default:
      throw refuseValue('sendCompression', name, 'must be "identity", "gzip" or "deflate"');
  }
}

function checkBytes(name: string, value: unknown, least: number): void {
  if (value === undefined) return;
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > MOST_BYTES)
    throw refuseValue(name, value, `must be bytes from ${least} to ${MOST_BYTES}`);
}

function isListOfFunctions(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'function');
}
