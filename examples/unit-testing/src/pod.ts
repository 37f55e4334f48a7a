/** A pod for tests: a server in this process, on an address of the loopback network. */
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { HelloClient, type HiRequest, type HiResponse } from './hello-client';

export interface Pod {
  readonly port: number;
  stop(): void;
}

/** Answers each call with its own address. Pods of one Service share a port: take 0 for the first, its port for the others. */
export async function startPod(address: string, port = 0): Promise<Pod> {
  const server = new Server();
  server.addService(HelloClient.service, {
    Hi: ({ request }: ServerUnaryCall<HiRequest, HiResponse>, callback: sendUnaryData<HiResponse>) =>
      callback(null, { fromWho: address, message: request.message }),
  });
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`${address}:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { port: bound, stop: () => server.forceShutdown() };
}
