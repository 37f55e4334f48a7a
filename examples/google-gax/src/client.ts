import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ChannelCredentials,
  type ChannelOptions,
  credentials,
  type ServiceClientConstructor,
  status,
} from '@grpc/grpc-js';
import {
  CallSettings,
  createApiCall,
  createBackoffSettings,
  createRetryOptions,
  GrpcClient,
  googleAuthLibrary,
} from 'google-gax';
import { HeadlessChannel } from 'grpc-headless';

// In a pod, the name of the headless Service. 'headless://DNS-SERVER:PORT/NAME:PORT' asks a DNS server of your choice.
const target = process.env.HELLO_TARGET ?? 'hello.shop.svc.cluster.local:50051';
const colon = target.lastIndexOf(':');

interface HiResponse {
  fromWho: string;
}

// No Google credentials: the pods are our own.
const gax = new GrpcClient({ authClient: new googleAuthLibrary.PassThroughClient() });
const { Hello } = gax.loadProto('.', 'hello.proto')['hello'] as unknown as { Hello: ServiceClientConstructor };
const stub = await gax.createStub(Hello as never, {
  servicePath: target.slice(0, colon),
  port: Number(target.slice(colon + 1)),
  sslCreds: credentials.createInsecure(),
  // The changed line: it is new. google-gax passes on options that begin with 'grpc.', so not our key 'headless': that goes in here.
  'grpc.channelFactoryOverride': (address: string, creds: ChannelCredentials, options: ChannelOptions) =>
    new HeadlessChannel(address, creds, { ...options, headless: { balance: { policy: 'least_request' } } }),
});

// Retries of google-gax: of calls that end with UNAVAILABLE, first after 10 ms, then ever later, for 10 s in all.
const retry = createRetryOptions([status.UNAVAILABLE], createBackoffSettings(10, 1.3, 1_000, 5_000, 1, 5_000, 10_000));
const metadataBuilder = gax.metadataBuilder({});
const hi = createApiCall(
  Promise.resolve(stub['hi'].bind(stub) as never),
  new CallSettings({ retry, otherArgs: { metadataBuilder } }),
);

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true));

while (!stopped) {
  const [{ fromWho }] = (await hi({ toWho: 'pod', message: 'hi' })) as unknown as [HiResponse];
  console.log(fromWho); // the pod that answered
  await sleep(50);
}
stub.close();
