import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { type ClientReadableStream, credentials, status } from '@grpc/grpc-js';
import { createAuthority } from './certificates.js';
import { eventually } from './eventually.js';
import { callsByPod, HelloClient, type HiResponse, sayHi } from './hello-service.js';
import { leakCheck } from './leak-check.js';
import { claimLoopback } from './loopback.js';
import { freePort, startPod } from './pod.js';
import { PodHost } from './pod-host.js';
import { PodProcess } from './pods-in-processes.js';

async function messages(stream: ClientReadableStream<HiResponse>): Promise<string[]> {
  const received: string[] = [];
  for await (const { message } of stream as AsyncIterable<HiResponse>) received.push(message);
  return received;
}

test('a pod serves the four kinds of call and counts calls and connections', async (t) => {
  const defer = leakCheck(t);
  const range = await claimLoopback('test', 2);
  defer(() => range.release());
  const pod = await startPod(range.ip(0), 0, { name: 'first', delayMs: 1 });
  defer(() => pod.kill());
  const client = new HelloClient(pod.address, credentials.createInsecure());
  defer(() => client.close());
  assert.deepEqual(await sayHi(client), { from_who: 'first', message: 'hi' });
  assert.deepEqual(await messages(client.HiMany({ to_who: 'all', message: 'a b c' })), ['a', 'b', 'c']);
  const all = await new Promise<HiResponse | undefined>((resolve, reject) => {
    const call = client.HiAll((error, response) => (error ? reject(error) : resolve(response)));
    call.write({ to_who: 'all', message: 'a' });
    call.write({ to_who: 'all', message: 'b' });
    call.end();
  });
  assert.equal(all?.message, 'a b');
  const chat = client.HiChat();
  chat.write({ to_who: 'first', message: 'one' });
  await once(chat, 'readable');
  assert.equal(pod.inFlight, 1);
  chat.end();
  assert.deepEqual(await messages(chat), ['one']);
  await eventually(() => assert.deepEqual(pod.stats(), { calls: 4, inFlight: 0, connections: 1, accepted: 1 }));
});

test('stop() lets calls in flight finish, kill() loses them', async (t) => {
  const defer = leakCheck(t);
  const range = await claimLoopback('test', 2);
  defer(() => range.release());
  const port = await freePort([range.ip(0), range.ip(1)]);
  const [graceful, killed] = await Promise.all([
    startPod(range.ip(0), port, { delayMs: 100 }),
    startPod(range.ip(1), port, { delayMs: 10_000 }),
  ]);
  for (const pod of [graceful, killed]) defer(() => pod.kill());
  const clients = [graceful, killed].map((pod) => new HelloClient(pod.address, credentials.createInsecure()));
  for (const client of clients) defer(() => client.close());
  const [first, second] = clients as [HelloClient, HelloClient];
  const finished = sayHi(first);
  const lost = assert.rejects(sayHi(second), { code: status.UNAVAILABLE });
  await eventually(() => graceful.inFlight === 1 && killed.inFlight === 1);
  await Promise.all([graceful.stop(), killed.kill()]);
  assert.equal((await finished).from_who, range.ip(0));
  await lost;
});

test('a pod with a certificate serves TLS under the name of the service', async (t) => {
  const defer = leakCheck(t);
  const range = await claimLoopback('test', 2);
  defer(() => range.release());
  const authority = createAuthority();
  const pod = await startPod(range.ip(0), 0, { tls: authority.issue({ names: ['hello.ns'] }) });
  defer(() => pod.kill());
  const trust = credentials.createSsl(authority.certificate);
  const client = new HelloClient(pod.address, trust, { 'grpc.ssl_target_name_override': 'hello.ns' });
  defer(() => client.close());
  assert.equal((await sayHi(client)).from_who, range.ip(0));
  const impostor = new HelloClient(pod.address, trust, { 'grpc.ssl_target_name_override': 'other.ns' });
  defer(() => impostor.close());
  await assert.rejects(sayHi(impostor), { code: status.UNAVAILABLE });
});

test('one process hosts many pods, each with its own behaviour and end', async (t) => {
  const defer = leakCheck(t);
  const range = await claimLoopback('test', 2);
  defer(() => range.release());
  const host = await PodHost.spawn();
  defer(() => host.close());
  const first = await host.start(range.ip(0), 0, { name: 'first' });
  const second = await host.start(range.ip(1), first.port, { name: 'second' });
  await assert.rejects(host.start(range.ip(1), first.port), /EADDRINUSE/);
  const client = new HelloClient(`ipv4:${first.address},${second.address}`, credentials.createInsecure(), {
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  });
  defer(() => client.close());
  await eventually(async () => assert.equal((await callsByPod(client, 10)).size, 2));
  await second.behave({ failWith: status.RESOURCE_EXHAUSTED });
  await assert.rejects(callsByPod(client, 10), { code: status.RESOURCE_EXHAUSTED });
  await second.stop();
  assert.deepEqual([...(await callsByPod(client, 10))], [['first', 10]]);
  assert.equal((await first.stats()).connections, 1);
  await assert.rejects(second.stats(), /no pod/);
});

test('a pod process is silent after SIGSTOP, finishes its calls after SIGTERM, and is gone after SIGKILL', async (t) => {
  const defer = leakCheck(t);
  const range = await claimLoopback('test', 2);
  defer(() => range.release());
  const pods = await Promise.all([
    PodProcess.start(range.ip(0), 0, { delayMs: 50, lameDuckMs: 50 }),
    PodProcess.start(range.ip(1)),
  ]);
  for (const pod of pods) defer(() => pod.kill());
  const clients = pods.map((pod) => new HelloClient(pod.address, credentials.createInsecure()));
  for (const client of clients) defer(() => client.close());
  const [pod, other] = pods;
  const [client, otherClient] = clients as [HelloClient, HelloClient];
  assert.equal((await sayHi(client)).from_who, range.ip(0));
  pod.pause();
  await assert.rejects(sayHi(client, { deadline: Date.now() + 200 }), { code: status.DEADLINE_EXCEEDED });
  pod.resume();
  const last = sayHi(client);
  await Promise.all([pod.stop(), other.kill()]);
  assert.equal((await last).from_who, range.ip(0));
  await assert.rejects(sayHi(otherClient), { code: status.UNAVAILABLE });
});
