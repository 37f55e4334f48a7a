import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { HeadlessChannel } from 'grpc-headless';
import { createClient } from 'nice-grpc';
import { HelloDefinition } from './generated/hello.js';

// In a pod, the name of the headless Service. 'headless://DNS-SERVER:PORT/NAME:PORT' asks a DNS server of your choice.
const target = process.env.HELLO_TARGET ?? 'hello.shop.svc.cluster.local:50051';

// The changed line. It was: const channel = createChannel(target);
const channel = new HeadlessChannel(target, credentials.createInsecure());
const client = createClient(HelloDefinition, channel);

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true));

while (!stopped) {
  const { fromWho } = await client.hi({ toWho: 'pod', message: 'hi' });
  console.log(fromWho); // the pod that answered
  await sleep(50);
}
channel.close();
