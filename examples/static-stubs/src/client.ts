import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient } from 'grpc-headless';
import { HelloClient } from '../generated/hello_grpc_pb';
import { HiRequest, type HiResponse } from '../generated/hello_pb';

// In a pod, the name of the headless Service. 'headless://DNS-SERVER:PORT/NAME:PORT' asks a DNS server of your choice.
const target = process.env.HELLO_TARGET ?? 'hello.shop.svc.cluster.local:50051';

// The changed line. It was: const client = new HelloClient(target, credentials.createInsecure());
const client = createHeadlessClient(HelloClient, target, credentials.createInsecure());
const hi = promisify<HiRequest, HiResponse>((request, callback) => client.hi(request, callback));

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true));

async function main(): Promise<void> {
  while (!stopped) {
    const response = await hi(new HiRequest().setToWho('pod').setMessage('hi'));
    console.log(response.getFromWho()); // the pod that answered
    await sleep(50);
  }
  client.close();
}

void main();
