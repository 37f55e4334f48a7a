/** The Hello service's definition and its client, typed: what tests, benchmarks and the demo call. */
import { fileURLToPath } from 'node:url';
import {
  type CallOptions,
  type ChannelCredentials,
  type Client,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  loadPackageDefinition,
  Metadata,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export interface HiRequest {
  to_who: string;
  message: string;
}

export interface HiResponse {
  /** The pod's name. */
  from_who: string;
  message: string;
}

export type HiCallback = (error: ServiceError | null, response?: HiResponse) => void;

export interface HelloClient extends Client {
  Hi(request: HiRequest, callback: HiCallback): ClientUnaryCall;
  Hi(request: HiRequest, metadata: Metadata, options: CallOptions, callback: HiCallback): ClientUnaryCall;
  HiMany(request: HiRequest, options?: CallOptions): ClientReadableStream<HiResponse>;
  HiAll(callback: HiCallback): ClientWritableStream<HiRequest>;
  HiAll(metadata: Metadata, options: CallOptions, callback: HiCallback): ClientWritableStream<HiRequest>;
  HiChat(options?: CallOptions): ClientDuplexStream<HiRequest, HiResponse>;
}

export interface HelloClientConstructor {
  new (address: string, credentials: ChannelCredentials, options?: ClientOptions): HelloClient;
  readonly service: ServiceDefinition;
  readonly serviceName: string;
}

const definition = loadPackageDefinition(
  loadSync(fileURLToPath(new URL('./hello.proto', import.meta.url)), { keepCase: true, defaults: true }),
) as unknown as { hello: { Hello: HelloClientConstructor } };

export const HelloClient = definition.hello.Hello;

/** One unary call as a promise. Without options it has a deadline of five seconds, so that no test hangs. */
export function sayHi(
  client: HelloClient,
  options: CallOptions & { metadata?: Metadata } = {},
  message = 'hi',
): Promise<HiResponse> {
  const { metadata = new Metadata(), ...call } = options;
  const request = { to_who: 'pod', message };
  return new Promise((resolve, reject) => {
    client.Hi(request, metadata, { deadline: Date.now() + 5_000, ...call }, (error, response) =>
      error || !response ? reject(error) : resolve(response),
    );
  });
}

/** Makes `count` unary calls, `atOnce` at a time, and counts the answers by pod. Rejects at the first failed call. */
export async function callsByPod(client: HelloClient, count: number, atOnce = 10): Promise<Map<string, number>> {
  const calls = new Map<string, number>();
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const { from_who } = await sayHi(client);
      calls.set(from_who, (calls.get(from_who) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
  return calls;
}
