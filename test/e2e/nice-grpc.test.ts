import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { createClient } from 'nice-grpc';
import { HeadlessChannel } from '../../lib/index.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { HelloClient, type HiRequest, type HiResponse } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';

test('a nice-grpc client on a HeadlessChannel is balanced over the pods, and sees new ones', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 2 });
  const channel = new HeadlessChannel(cluster.target, credentials.createInsecure(), { headless: cluster.headless() });
  defer(() => channel.close());
  // nice-grpc asks for grpc-js's class, which has private members, where it needs no more than the interface.
  const client = createClient(HelloClient.service, channel) as unknown as {
    Hi(request: HiRequest): Promise<HiResponse>;
    HiMany(request: HiRequest): AsyncIterable<HiResponse>;
  };
  const callOf = async (count: number): Promise<Set<string>> => {
    const request = { to_who: 'pod', message: 'hi' };
    const answers = await Promise.all(Array.from({ length: count }, () => client.Hi(request)));
    return new Set(answers.map(({ from_who }) => from_who));
  };
  await eventually(async () => assert.equal((await callOf(20)).size, 2));
  await cluster.scaleUp(1);
  await eventually(async () => assert.equal((await callOf(20)).size, 3));

  const words: string[] = [];
  for await (const { message } of client.HiMany({ to_who: 'pod', message: 'one two' })) words.push(message);
  assert.deepEqual(words, ['one', 'two']);
});
