/**
 * Connect's `Transport` on a HeadlessChannel. Interceptors, signals and the life of a call are Connect's own code; each
 * attempt at a call is one call of grpc-js.
 */
import type { DescMessage, DescMethodStreaming, DescMethodUnary, MessageInitShape } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextValues,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type Transport,
  type UnaryRequest,
  type UnaryResponse,
} from '@connectrpc/connect';
import { createMethodUrl, runStreamingCall, runUnaryCall } from '@connectrpc/connect/protocol';
import { HeadlessChannel } from '../channel.js';
import { type Clock, systemRuntime } from '../runtime.js';
import { CallDeadline } from './deadline.js';
import { GrpcCall } from './grpc-call.js';
import { decode, encode } from './messages.js';
import { toMetadata } from './metadata.js';
import { type HeadlessTransportOptions, resolveTransportOptions, type TransportSettings } from './transport-options.js';

/** A transport for `createClient` of `@connectrpc/connect`, and its channel. */
export interface HeadlessTransport extends Transport {
  /** For `snapshot()`, `ready()`, `refresh()` and events. */
  readonly channel: HeadlessChannel;
  /** Closes the channel: calls under way finish, later ones fail with `canceled`. Idempotent. */
  close(): void;
}

/**
 * Makes a transport for Connect-ES clients that speaks gRPC, balanced over the pods behind `target`.
 *
 * @throws {HeadlessError} `ERR_HEADLESS_OPTION`, `ERR_HEADLESS_TARGET`, or `ERR_HEADLESS_GRPC_VERSION` for credentials of a
 *   second copy of grpc-js, before any packet.
 */
export function createHeadlessTransport(options: HeadlessTransportOptions): HeadlessTransport {
  const settings = resolveTransportOptions(options);
  const channel = new HeadlessChannel(options.target, options.credentials, settings.channelOptions);
  return new GrpcTransport(channel, settings, systemRuntime.clock);
}

/** `HeadersInit`, which TypeScript knows only with its library for browsers. */
type HeaderValues = Parameters<Transport['unary']>[3];

class GrpcTransport implements HeadlessTransport {
  readonly channel: HeadlessChannel;
  readonly #settings: TransportSettings;
  readonly #clock: Clock;
  readonly #baseUrl: string;

  constructor(channel: HeadlessChannel, settings: TransportSettings, clock: Clock) {
    this.channel = channel;
    this.#settings = settings;
    this.#clock = clock;
    this.#baseUrl = channel.getTarget();
  }

  close(): void {
    this.channel.close();
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeaderValues,
    input: MessageInitShape<I>,
    contextValues?: ContextValues,
  ): Promise<UnaryResponse<I, O>> {
    const deadline = this.#deadline(timeoutMs, signal);
    return runUnaryCall<I, O>({
      interceptors: [releaseAtEnd(deadline), ...this.#settings.interceptors],
      signal: deadline.signal,
      req: {
        stream: false,
        service: method.parent,
        method,
        requestMethod: 'POST',
        url: createMethodUrl(this.#baseUrl, method),
        header: new Headers(header),
        contextValues: contextValues ?? createContextValues(),
        message: input,
      },
      next: (request) => this.#callUnary(request, deadline),
    });
  }

  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeaderValues,
    input: AsyncIterable<MessageInitShape<I>>,
    contextValues?: ContextValues,
  ): Promise<StreamResponse<I, O>> {
    const deadline = this.#deadline(timeoutMs, signal);
    return runStreamingCall<I, O>({
      interceptors: [releaseAtEnd(deadline), ...this.#settings.interceptors],
      signal: deadline.signal,
      req: {
        stream: true,
        service: method.parent,
        method,
        requestMethod: 'POST',
        url: createMethodUrl(this.#baseUrl, method),
        header: new Headers(header),
        contextValues: contextValues ?? createContextValues(),
        message: input,
      },
      next: (request) => this.#callStream(request, deadline),
    });
  }

  async #callUnary<I extends DescMessage, O extends DescMessage>(
    { service, method, header, message, signal }: UnaryRequest<I, O>,
    deadline: CallDeadline,
  ): Promise<UnaryResponse<I, O>> {
    const { binaryOptions } = this.#settings;
    const octets = encode(method.input, message, binaryOptions);
    const call = this.#start(method, header, signal, deadline);
    // The server may answer before the write is through.
    void call.write(octets);
    call.endWriting();
    const answer = await call.read();
    if (answer === null) throw new ConnectError('the call ended without its response message', Code.Unimplemented);
    if ((await call.read()) !== null) {
      const error = new ConnectError('a second response message came, where the method has one', Code.Unimplemented);
      call.fail(error);
      throw error;
    }
    const response = decode(method.output, answer, binaryOptions);
    return { stream: false, service, method, header: call.header, message: response, trailer: call.trailer };
  }

  async #callStream<I extends DescMessage, O extends DescMessage>(
    { service, method, header, message, signal }: StreamRequest<I, O>,
    deadline: CallDeadline,
  ): Promise<StreamResponse<I, O>> {
    const { binaryOptions } = this.#settings;
    const call = this.#start(method, header, signal, deadline);
    void sendAll(call, message, (one) => encode(method.input, one, binaryOptions));
    await call.headers();
    const messages = readAll(call, (octets) => decode(method.output, octets, binaryOptions));
    return { stream: true, service, method, header: call.header, message: messages, trailer: call.trailer };
  }

  #start(
    method: DescMethodUnary | DescMethodStreaming,
    header: Headers,
    signal: AbortSignal,
    deadline: CallDeadline,
  ): GrpcCall {
    return new GrpcCall({
      channel: this.channel,
      path: createMethodUrl('/', method),
      metadata: toMetadata(header),
      deadline,
      signal,
      compressMinBytes: this.#settings.compressMinBytes,
    });
  }

  #deadline(timeoutMs: number | undefined, signal: AbortSignal | undefined): CallDeadline {
    const given = timeoutMs ?? this.#settings.defaultTimeoutMs;
    // As in Connect's own transports, 0 takes the default away.
    return new CallDeadline(given !== undefined && given > 0 ? given : undefined, signal, this.#clock);
  }
}

/** Connect aborts the signal that interceptors see at the end of each call, however it ends. */
function releaseAtEnd(deadline: CallDeadline): Interceptor {
  return (next) => (request) => {
    request.signal.addEventListener('abort', () => deadline.release(), { once: true });
    return next(request);
  };
}

/** Never rejects: what goes wrong fails the call. */
async function sendAll<M>(
  call: GrpcCall,
  messages: AsyncIterable<M>,
  encodeOne: (message: M) => Uint8Array,
): Promise<void> {
  try {
    for await (const message of messages) {
      // Leaving the loop lets the caller's iterator clean up.
      if (call.hasEnded) return;
      await call.write(encodeOne(message));
    }
    call.endWriting();
  } catch (error) {
    call.fail(ConnectError.from(error));
  }
}

async function* readAll<M>(call: GrpcCall, decodeOne: (octets: Uint8Array) => M): AsyncGenerator<M, void> {
  try {
    for (let octets = await call.read(); octets !== null; octets = await call.read()) yield decodeOne(octets);
  } finally {
    // Of no effect on a call that has ended.
    call.fail(new ConnectError('the response stream was not read to its end', Code.Canceled));
  }
}
