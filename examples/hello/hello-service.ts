/** The Hello service's definition and its types, read from proto/hello.proto. */
import { fileURLToPath } from 'node:url';
import {
  type CallOptions,
  type ChannelCredentials,
  type Client,
  type ClientOptions,
  type ClientUnaryCall,
  loadPackageDefinition,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export interface HiRequest {
  readonly to_who: string;
  readonly message: string;
}

export interface HiResponse {
  /** The random id of the pod. */
  readonly from_who: string;
  readonly message: string;
}

export interface HelloClient extends Client {
  Hi(
    request: HiRequest,
    options: CallOptions,
    callback: (error: ServiceError | null, response?: HiResponse) => void,
  ): ClientUnaryCall;
}

export interface HelloClientConstructor {
  new (address: string, credentials: ChannelCredentials, options?: ClientOptions): HelloClient;
  readonly service: ServiceDefinition;
  readonly serviceName: string;
}

const proto = fileURLToPath(new URL('./proto/', import.meta.url));
const definition = loadPackageDefinition(
  loadSync(`${proto}hello.proto`, { keepCase: true, defaults: true, includeDirs: [proto] }),
) as unknown as { hello: { Hello: HelloClientConstructor } };

export const HelloClient = definition.hello.Hello;
