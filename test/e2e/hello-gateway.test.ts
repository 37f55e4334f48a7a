import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { createGateway, listen } from '../../examples/hello/gateway/gateway.js';
import { createHeadlessClient } from '../../lib/index.js';
import { Cluster, type ClusterOptions } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { type Defer, leakCheck } from '../support/leak-check.js';
import { claimLoopback } from '../support/loopback.js';
import * as echo from './gateway/echo-server.js';
import { ask } from './gateway/http-answer.js';

const descriptors = readFileSync(new URL('../../examples/hello/hello.binpb', import.meta.url));

/** A gateway in front of a cluster; `"ip:port"`. */
async function start(defer: Defer, options?: ClusterOptions): Promise<{ cluster: Cluster; address: string }> {
  const cluster = await Cluster.start(defer, options);
  const client = createHeadlessClient(Client, cluster.target, credentials.createInsecure(), {
    headless: cluster.headless(),
  });
  defer(() => client.close());
  return { cluster, address: await gatewayFor(defer, client, descriptors) };
}

async function gatewayFor(defer: Defer, client: Client, files: Uint8Array): Promise<string> {
  const app = createGateway({ client, descriptors: files });
  defer(() => app.close());
  return new URL(await listen(app, { host: '127.0.0.1', port: 0 })).host;
}

async function podsOf(address: string, requests: number): Promise<Map<unknown, number>> {
  const pods = new Map<unknown, number>();
  for (let index = 0; index < requests; index++) {
    const { status, body } = await ask(address, { path: `/v1/hi/ann?message=${index}` });
    assert.equal(status, 200);
    const { fromWho } = body as { fromWho: string };
    pods.set(fromWho, (pods.get(fromWho) ?? 0) + 1);
  }
  return pods;
}

test('requests spread over the pods, and over a new one', async (t) => {
  const { cluster, address } = await start(leakCheck(t));
  await eventually(async () => assert.equal((await podsOf(address, 4)).size, 2));
  const two = await podsOf(address, 40);
  assert.deepEqual(new Set(two.keys()), new Set(cluster.ips));
  assert.ok([...two.values()].every((calls) => calls >= 5));

  await cluster.scaleUp(1);
  await eventually(async () => assert.equal((await podsOf(address, 6)).size, 3));
  const three = await podsOf(address, 40);
  assert.deepEqual(new Set(three.keys()), new Set(cluster.ips));
  assert.ok([...three.values()].every((calls) => calls >= 3));
});

test('a server stream arrives line by line', async (t) => {
  const { cluster, address } = await start(leakCheck(t), { pods: 1 });
  await cluster.pods[0]?.behave({ delayMs: 200 });
  const outgoing = request(`http://${address}/v1/hi/ann/words?message=a+b+c`, { agent: false });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const lines: { message: string; streaming: boolean }[] = [];
  for await (const line of createInterface({ input: response })) {
    const { result } = JSON.parse(line);
    lines.push({ message: result.message, streaming: cluster.pods[0]?.stats().inFlight === 1 });
  }
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['a', 'b', 'c'],
  );
  // The first came while the pod had not sent the last.
  assert.equal(lines[0]?.streaming, true);
});

test('a deadline that passes is answered with 504 and DEADLINE_EXCEEDED', async (t) => {
  const { cluster, address } = await start(leakCheck(t), { pods: 1 });
  await cluster.pods[0]?.behave({ hang: true });
  const { status, body } = await ask(address, { path: '/v1/hi/ann', headers: { 'grpc-timeout': '100m' } });
  assert.deepEqual([status, (body as { code: number }).code], [504, 4]);
  await eventually(() => assert.equal(cluster.pods[0]?.stats().inFlight, 0));
});

test('without pods a request that cannot wait is answered with an error that names the cause', async (t) => {
  const { cluster, address } = await start(leakCheck(t), { pods: 0 });
  const { status, body } = await ask(address, { path: '/v1/hi/ann', headers: { 'grpc-timeout': '2S' } });
  assert.deepEqual([status, (body as { code: number }).code], [503, 14]);
  assert.match((body as { message: string }).message, new RegExp(cluster.name));
});

test('a client that disconnects cancels its call', async (t) => {
  const defer = leakCheck(t);
  const range = await claimLoopback('test', 1);
  defer(() => range.release());
  const server = await echo.EchoServer.start(range.ip(0));
  defer(() => server.close());
  const client = createHeadlessClient(Client, `${range.ip(0)}:${server.port}`, credentials.createInsecure());
  defer(() => client.close());
  const address = await gatewayFor(defer, client, echo.descriptors);
  for (const [index, path] of ['/v1/wait', '/v1/wait/stream'].entries()) {
    const outgoing = request(`http://${address}${path}`, { agent: false });
    outgoing.on('error', () => {});
    outgoing.end();
    await eventually(() => assert.equal(server.waiting, index + 1));
    assert.equal(server.cancelled, index);
    outgoing.destroy();
    await eventually(() => assert.equal(server.cancelled, index + 1));
  }
});
