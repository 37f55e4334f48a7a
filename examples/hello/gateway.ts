/**
 * The gateway: HTTP/JSON in, balanced gRPC calls to the pods out.
 *
 *     HELLO_TARGET=hello.shop.svc.cluster.local:50051 PORT=8080 npm run ts -- examples/hello/gateway.ts
 *     curl http://127.0.0.1:8080/v1/hi/ann
 */
import { readFileSync } from 'node:fs';
import { Client, credentials } from '@grpc/grpc-js';
import { createHeadlessClient } from '../../lib/index.js';
import { createGateway, listen } from './gateway/gateway.js';
import { listenAddress, targetSettings } from './settings.js';

const { target, headless } = targetSettings();
// Any client will do: the gateway takes the methods from the compiled .proto files.
const client = createHeadlessClient(Client, target, credentials.createInsecure(), { headless });
const descriptors = readFileSync(new URL('./hello.binpb', import.meta.url));
const app = createGateway({ client, descriptors });
console.log(`gateway for ${target} on ${await listen(app, listenAddress(8_080))}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, async () => {
    await app.close(); // Requests in flight finish.
    client.close();
  });
