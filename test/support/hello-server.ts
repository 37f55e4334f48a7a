/** A gRPC server with handlers of the test's own for the Hello service, on 127.0.0.1. */
import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { HelloClient } from './hello-service.js';
import type { Defer } from './leak-check.js';

/** @returns its `ip:port`. Closed when the test ends. */
export async function startHelloServer(defer: Defer, handlers: UntypedServiceImplementation): Promise<string> {
  const server = new Server();
  server.addService(HelloClient.service, handlers);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  defer(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}
