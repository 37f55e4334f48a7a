import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants, createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { credentials, status } from '@grpc/grpc-js';
import { createHeadlessClient, type HeadlessChannel } from '../../lib/index.js';
import { covers } from '../faults/covers.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient, type HiResponse, sayHi } from '../support/hello-service.js';
import { type Defer, leakCheck } from '../support/leak-check.js';

/** A pod whose GOAWAY is sent frame by frame by the test: grpc-js's server and Node's have one way only. */
class FramePod {
  readonly ip: string;
  /** Calls that wait for an answer, in the order in which they came. */
  readonly calls: ServerHttp2Stream[] = [];
  readonly sessions: ServerHttp2Session[] = [];
  /** Times of the pings, for each session. */
  readonly pings: number[][] = [];
  /** Answer at once. */
  prompt = false;
  readonly #server: Http2Server;

  /** On the address of a pod that is no more. */
  static async start(defer: Defer, cluster: Cluster): Promise<FramePod> {
    const before = await cluster.startUnpublished();
    await before.kill();
    const server = createServer();
    const pod = new FramePod(server, before.ip);
    server.listen(cluster.port, pod.ip);
    await once(server, 'listening');
    defer(() => pod.close());
    return pod;
  }

  private constructor(server: Http2Server, ip: string) {
    this.#server = server;
    this.ip = ip;
    server.on('session', (session) => {
      const pings: number[] = [];
      this.sessions.push(session);
      this.pings.push(pings);
      session.on('ping', () => pings.push(performance.now()));
      session.on('error', () => {});
    });
    server.on('stream', (stream) => {
      stream.on('error', () => {});
      if (this.prompt) this.answer(stream);
      else this.calls.push(stream);
    });
  }

  answer(stream: ServerHttp2Stream): void {
    const payload = HelloClient.service['Hi']?.responseSerialize({ from_who: this.ip, message: 'hi' }) as Buffer;
    const head = Buffer.alloc(5);
    head.writeUInt32BE(payload.length, 1);
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.end(Buffer.concat([head, payload]));
  }

  /** On the newest connection. */
  goaway(code: number, lastStreamId: number, data = ''): void {
    this.sessions.at(-1)?.goaway(code, lastStreamId, Buffer.from(data));
  }

  close(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** One such pod, connected; calls go there until `others` are published. */
async function setUp(t: Parameters<typeof leakCheck>[0], options: object = {}) {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 1 });
  const other = cluster.pods[0]?.name as string;
  const pod = await FramePod.start(defer, cluster);
  cluster.dns.set(cluster.name, [pod.ip]);
  const client = createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), {
    ...options,
    headless: cluster.headless(),
  });
  defer(() => client.close());
  const channel = client.getChannel();
  await channel.ready();
  return { cluster, pod, other, client, channel };
}

function readyPods(channel: HeadlessChannel): number {
  return channel.snapshot().endpoints.filter(({ state }) => state === 'ready').length;
}

/** Not yet known, and perhaps known too well: RFC 9113, section 6.8. */
const ANY_STREAM = 2 ** 31 - 1;

const shutdowns: Record<string, (pod: FramePod, lastStreamId: number) => void> = {
  'one GOAWAY': (pod, lastStreamId) => pod.goaway(constants.NGHTTP2_NO_ERROR, lastStreamId),
  'GOAWAY in two steps': (pod, lastStreamId) => {
    pod.goaway(constants.NGHTTP2_NO_ERROR, ANY_STREAM);
    // Frames leave in order, so nothing has to happen between the two.
    pod.goaway(constants.NGHTTP2_NO_ERROR, lastStreamId);
  },
};

for (const [how, shutDown] of Object.entries(shutdowns))
  test(
    `with ${how}, the calls that the pod takes are answered by it and the others by another pod`,
    covers(38),
    async (t) => {
      const { cluster, pod, other, client, channel } = await setUp(t);
      const taken = sayHi(client);
      await eventually(() => pod.calls.length === 1);
      const refused = [sayHi(client), sayHi(client)];
      await eventually(() => pod.calls.length === 3);
      cluster.dns.set(cluster.name, [pod.ip, other]);
      await eventually(() => readyPods(channel) === 2);

      const [first] = pod.calls;
      shutDown(pod, first?.id as number);
      const answers = await Promise.all(refused);
      assert.deepEqual(
        answers.map(({ from_who }) => from_who),
        [other, other],
      );
      pod.answer(first as ServerHttp2Stream);
      assert.equal((await taken).from_who, pod.ip);
      assert.equal(channel.snapshot().counters.connectionsLost, 1);
    },
  );

test('calls go on while a pod under load says GOAWAY and comes back, again and again', covers(38), async (t) => {
  const { cluster, pod, other, client, channel } = await setUp(t);
  pod.prompt = true;
  cluster.dns.set(cluster.name, [pod.ip, other]);
  for (let round = 1; round <= 5; round++) {
    await eventually(() => readyPods(channel) === 2);
    assert.equal((await callsByPod(client, 40)).size, 2);
    const calls = callsByPod(client, 100);
    pod.sessions.at(-1)?.close();
    await calls;
    await eventually(() => pod.sessions.length === round + 1);
  }
});

test('a stream on a pod that said GOAWAY goes on to its own end', covers(38), async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 1 });
  const client = createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), {
    headless: cluster.headless(),
  });
  defer(() => client.close());
  const stream = client.HiChat();
  const say = async (message: string): Promise<string> => {
    const answer = once(stream, 'data') as Promise<[HiResponse]>;
    stream.write({ to_who: 'pod', message });
    return (await answer)[0].from_who;
  };
  const [leaver] = cluster.pods;
  assert.equal(await say('one'), leaver?.name);
  const [stayer] = await cluster.scaleUp(1);
  const stopped = leaver?.stop();
  await eventually(async () => assert.deepEqual([...(await callsByPod(client, 5)).keys()], [stayer?.name]));
  assert.equal(await say('two'), leaver?.name);
  const ended = once(stream, 'status');
  stream.end();
  const [{ code }] = await ended;
  assert.equal(code, status.OK);
  await stopped;
});

const KEEPALIVE_MS = 150;

test('after GOAWAY with too_many_pings the next connection pings half as often', covers(39), async (t) => {
  const { pod, channel } = await setUp(t, {
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_permit_without_calls': 1,
  });
  const gaps = (pings: number[] = []): number[] => pings.slice(1).map((at, index) => at - (pings[index] ?? 0));
  await eventually(() => (pod.pings[0]?.length ?? 0) >= 3);
  pod.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, 'too_many_pings');
  await eventually(() => (pod.pings[1]?.length ?? 0) >= 4);
  // Timers are late on a busy machine and never early, and so may be the pod: the least gap is the interval.
  const total = gaps(pod.pings[1]).reduce((sum, gap) => sum + gap, 0);
  assert.ok(total / 3 >= 1.5 * KEEPALIVE_MS, `pings came ${gaps(pod.pings[1]).map(Math.round)} ms apart`);
  assert.equal(channel.snapshot().state, 'READY');
});
