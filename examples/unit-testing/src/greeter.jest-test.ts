import { createFakeDns, type FakeDns } from 'grpc-headless/testing';
import { Greeter } from './greeter';
import { type Pod, startPod } from './pod';

let dns: FakeDns;
let greeter: Greeter;
let pods: Pod[];

beforeEach(async () => {
  const first = await startPod('127.0.0.1');
  pods = [first, await startPod('127.0.0.2', first.port)];
  dns = createFakeDns({ 'hello.shop': ['127.0.0.1'] });
  // The line of the test: DNS in memory takes the place of the cluster's.
  greeter = new Greeter(`hello.shop:${first.port}`, { dns: { lookup: dns.lookup }, refresh: { minIntervalMs: 50 } });
});

afterEach(() => {
  greeter.close();
  for (const pod of pods) pod.stop();
});

/** Calls until the pod answers; the test's own time limit ends it. */
async function greetUntil(pod: string): Promise<void> {
  while ((await greeter.greet('hi')) !== pod);
}

test('greets the pod that DNS names', async () => {
  expect(await greeter.greet('hi')).toBe('127.0.0.1');
});

test('greets a pod that comes later', async () => {
  await greeter.greet('hi');
  dns.set('hello.shop', ['127.0.0.1', '127.0.0.2']);
  await greeter.refresh();
  await greetUntil('127.0.0.2');
});

test('goes on while DNS is down', async () => {
  await greeter.greet('hi');
  dns.fail('hello.shop', 'SERVFAIL');
  await greeter.refresh().catch(() => {});
  expect(await greeter.greet('hi')).toBe('127.0.0.1');
});
