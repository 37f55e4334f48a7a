import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient } from 'grpc-headless';
import { HelloClient, type HiRequest, type HiResponse } from './generated/hello.js';

// In a pod, the name of the headless Service. 'headless://DNS-SERVER:PORT/NAME:PORT' asks a DNS server of your choice.
const target = process.env.HELLO_TARGET ?? 'hello.shop.svc.cluster.local:50051';

// The changed line. It was: const client = new HelloClient(target, credentials.createInsecure());
const client = createHeadlessClient(HelloClient, target, credentials.createInsecure());
const hi = promisify<HiRequest, HiResponse>((request, callback) => client.hi(request, callback));

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true));

while (!stopped) {
  const { fromWho } = await hi({ toWho: 'pod', message: 'hi' });
  console.log(fromWho); // the pod that answered
  await sleep(50);
}
client.close();
