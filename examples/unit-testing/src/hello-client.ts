/** The stub, as proto-loader makes it: any other would do. */
import { type Client, loadPackageDefinition, type ServiceClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

export interface HiRequest {
  toWho: string;
  message: string;
}

export interface HiResponse {
  fromWho: string;
  message: string;
}

export interface HelloClient extends Client {
  hi(request: HiRequest, callback: (error: ServiceError | null, response: HiResponse) => void): void;
}

type HelloConstructor = ServiceClientConstructor & (new (...args: ConstructorParameters<typeof Client>) => HelloClient);

const loaded = loadPackageDefinition(loadSync('hello.proto')) as unknown as { hello: { Hello: HelloConstructor } };

export const HelloClient = loaded.hello.Hello;
