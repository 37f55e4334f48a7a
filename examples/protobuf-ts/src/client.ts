import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { GrpcTransport } from '@protobuf-ts/grpc-transport';
import { HeadlessChannel } from 'grpc-headless';
import { HelloClient } from './generated/hello.client';

// In a pod, the name of the headless Service. 'headless://DNS-SERVER:PORT/NAME:PORT' asks a DNS server of your choice.
const target = process.env.HELLO_TARGET ?? 'hello.shop.svc.cluster.local:50051';
const channelCredentials = credentials.createInsecure();

const transport = new GrpcTransport({
  host: target,
  channelCredentials,
  // The changed line: it is new.
  clientOptions: { channelOverride: new HeadlessChannel(target, channelCredentials) },
});
const client = new HelloClient(transport);

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true));

async function main(): Promise<void> {
  while (!stopped) {
    const { fromWho } = await client.hi({ toWho: 'pod', message: 'hi' }).response;
    console.log(fromWho); // the pod that answered
    await sleep(50);
  }
  transport.close();
}

void main();
