import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { credentials, status } from '@grpc/grpc-js';
import { createHeadlessTransport } from '../../lib/connect.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { Hello } from '../support/hello-messages.js';
import { type Defer, leakCheck } from '../support/leak-check.js';

async function start(defer: Defer, pods: number) {
  const cluster = await Cluster.start(defer, { pods });
  const transport = createHeadlessTransport({
    target: cluster.target,
    credentials: credentials.createInsecure(),
    headless: cluster.headless(),
  });
  defer(() => transport.close());
  return { cluster, transport, client: createClient(Hello, transport) };
}

type Client = Awaited<ReturnType<typeof start>>['client'];

async function* requests(...words: string[]) {
  for (const message of words) yield { toWho: 'pod', message };
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

/** Each makes a call of one kind, and returns the pod that answered. */
const KINDS: Readonly<Record<string, (client: Client) => Promise<string | undefined>>> = {
  unary: async (client) => (await client.hi({ toWho: 'pod', message: 'hi' })).fromWho,
  'server stream': async (client) => {
    const answers = await collect(client.hiMany({ toWho: 'pod', message: 'one two three' }));
    assert.deepEqual(
      answers.map(({ message }) => message),
      ['one', 'two', 'three'],
    );
    return answers[0]?.fromWho;
  },
  'client stream': async (client) => {
    const { fromWho, message } = await client.hiAll(requests('one', 'two', 'three'));
    assert.equal(message, 'one two three');
    return fromWho;
  },
  'bidirectional stream': async (client) => {
    const answers = await collect(client.hiChat(requests('one', 'two')));
    assert.deepEqual(
      answers.map(({ message }) => message),
      ['one', 'two'],
    );
    return answers[0]?.fromWho;
  },
};

for (const [kind, call] of Object.entries(KINDS))
  test(`calls of a Connect client are balanced over the pods, and over one that comes: ${kind}`, async (t) => {
    const defer = leakCheck(t);
    const { cluster, transport, client } = await start(defer, 3);
    const reached = async (): Promise<number> =>
      new Set(await Promise.all(Array.from({ length: 24 }, () => call(client)))).size;
    await eventually(async () => assert.equal(await reached(), 3));
    await cluster.scaleUp(1);
    await eventually(async () => assert.equal(await reached(), 4));
    assert.equal(transport.channel.snapshot().endpoints.length, 4);
  });

test('a stream of a Connect client outlives the removal of its pod from DNS', async (t) => {
  const defer = leakCheck(t);
  const { cluster, transport, client } = await start(defer, 2);
  const words = new PassThrough({ objectMode: true });
  const answers = client.hiChat(words)[Symbol.asyncIterator]();
  words.write({ toWho: 'pod', message: 'one' });
  const first = answers.next();
  const { fromWho } = (await first).value;
  cluster.unpublish(...cluster.pods.filter(({ name }) => name === fromWho));
  await eventually(() =>
    assert.equal(transport.channel.snapshot().endpoints.filter(({ state }) => state === 'draining').length, 1),
  );
  const second = answers.next();
  words.write({ toWho: 'pod', message: 'two' });
  assert.equal((await second).value.fromWho, fromWho);
  const end = answers.next();
  words.end();
  assert.equal((await end).done, true);
});

test('a call that waits for a pod in vain names the cause in its deadline_exceeded', async (t) => {
  const defer = leakCheck(t);
  const { cluster, client } = await start(defer, 1);
  const [pod] = cluster.pods;
  await client.hi({ toWho: 'pod', message: 'hi' });
  if (pod) pod.behaviour.hang = true;
  const error = await client.hi({ toWho: 'pod', message: 'hi' }, { timeoutMs: 100 }).catch((reason: unknown) => reason);
  assert.ok(error instanceof ConnectError);
  assert.equal(error.code, Code.DeadlineExceeded);
  assert.match(error.rawMessage, /remote_addr=127/);
});

test('the options of the channel hold for a Connect client: failed calls are tried again on another pod', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 2 });
  const [failing, other] = cluster.pods;
  if (failing) failing.behaviour.failWith = status.UNAVAILABLE;
  const transport = createHeadlessTransport({
    target: cluster.target,
    credentials: credentials.createInsecure(),
    options: { headless: cluster.headless({ retry: { attempts: 2 } }) },
  });
  defer(() => transport.close());
  await eventually(() => {
    void transport.channel.getConnectivityState(true);
    assert.equal(transport.channel.snapshot().endpoints.filter(({ state }) => state === 'ready').length, 2);
  });
  const client = createClient(Hello, transport);
  const answers = await Promise.all(Array.from({ length: 10 }, () => client.hi({ toWho: 'pod', message: 'hi' })));
  assert.deepEqual(new Set(answers.map(({ fromWho }) => fromWho)), new Set([other?.name]));
});
