import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { type ClientReadableStream, credentials, ServerCredentials, status } from '@grpc/grpc-js';
import { createAuthority } from './certificates.js';
import { eventually } from './eventually.js';
import { callsByPod, HelloClient, type HiResponse, sayHi } from './hello-service.js';
import { leakCheck } from './leak-check.js';
import { freePort, startPod } from './pod.js';
import { PodHost } from './pod-host.js';
import { startPodProcess } from './pod-process.js';

async function messages(stream: ClientReadableStream<HiResponse>): Promise<string[]> {
  const received: string[] = [];
  for await (const { message } of stream as AsyncIterable<HiResponse>) received.push(message);
  return received;
}

test('a pod serves the four kinds of call and counts calls and connections', async (t) => {
  const defer = leakCheck(t);
  const pod = await startPod('127.0.0.2', 0, { name: 'first', delayMs: 1 });
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
  await eventually(() => assert.deepEqual(pod.stats, { calls: 4, inFlight: 0, connections: 1, accepted: 1 }));
});

test('stop() lets calls in flight finish, kill() loses them', async (t) => {
  const defer = leakCheck(t);
  const port = await freePort(['127.0.0.2', '127.0.0.3']);
  const [graceful, killed] = await Promise.all([
    startPod('127.0.0.2', port, { delayMs: 100 }),
    startPod('127.0.0.3', port, { delayMs: 10_000 }),
  ]);
  for (const pod of [graceful, killed]) defer(() => pod.kill());
  const clients = [graceful, killed].map((pod) => new HelloClient(pod.address, credentials.createInsecure()));
  for (const client of clients) defer(() => client.close());
  const [first, second] = clients as [HelloClient, HelloClient];
  const finished = sayHi(first);
  const lost = assert.rejects(sayHi(second), { code: status.UNAVAILABLE });
  await eventually(() => graceful.inFlight === 1 && killed.inFlight === 1);
  await Promise.all([graceful.stop(), killed.kill()]);
  assert.equal((await finished).from_who, '127.0.0.2');
  await lost;
});

test('a pod with a certificate serves TLS under the name of the service', async (t) => {
  const defer = leakCheck(t);
  const authority = createAuthority();
  const { certificate, key } = authority.issue({ names: ['hello.ns'] });
  const pod = await startPod('127.0.0.2', 0, {
    credentials: ServerCredentials.createSsl(null, [{ cert_chain: certificate, private_key: key }]),
  });
  defer(() => pod.kill());
  const trust = credentials.createSsl(authority.certificate);
  const client = new HelloClient(pod.address, trust, { 'grpc.ssl_target_name_override': 'hello.ns' });
  defer(() => client.close());
  assert.equal((await sayHi(client)).from_who, '127.0.0.2');
  const impostor = new HelloClient(pod.address, trust, { 'grpc.ssl_target_name_override': 'other.ns' });
  defer(() => impostor.close());
  await assert.rejects(sayHi(impostor), { code: status.UNAVAILABLE });
});

test('one process hosts many pods, each with its own behaviour and end', async (t) => {
  const defer = leakCheck(t);
  const host = await PodHost.spawn();
  defer(() => host.close());
  const first = await host.start('127.0.0.2', 0, { name: 'first' });
  const second = await host.start('127.0.0.3', first.port, { name: 'second' });
  await assert.rejects(host.start('127.0.0.3', first.port), /EADDRINUSE/);
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

test('a pod process obeys the signals: silent, going, gone', async (t) => {
  const defer = leakCheck(t);
  const pods = await Promise.all([
    startPodProcess('127.0.0.2', 0, { delayMs: 50, lameDuckMs: 50 }),
    startPodProcess('127.0.0.3'),
  ]);
  for (const pod of pods) defer(() => pod.kill());
  const clients = pods.map((pod) => new HelloClient(pod.address, credentials.createInsecure()));
  for (const client of clients) defer(() => client.close());
  const [pod, other] = pods;
  const [client, otherClient] = clients as [HelloClient, HelloClient];
  assert.equal((await sayHi(client)).from_who, '127.0.0.2');
  pod.pause();
  await assert.rejects(sayHi(client, { deadline: Date.now() + 200 }), { code: status.DEADLINE_EXCEEDED });
  pod.resume();
  const last = sayHi(client);
  await Promise.all([pod.stop(), other.kill()]);
  assert.equal((await last).from_who, '127.0.0.2');
  await assert.rejects(sayHi(otherClient), { code: status.UNAVAILABLE });
});
