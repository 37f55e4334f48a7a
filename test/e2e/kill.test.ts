import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { HeadlessChannel, type HeadlessChannelOptions } from '../../lib/index.js';
import { covers } from '../faults/covers.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { unary } from '../support/hello-calls.js';
import { callsByPod, HelloClient, sayHi } from '../support/hello-service.js';
import { type Defer, leakCheck } from '../support/leak-check.js';
import { ClosedLoop } from '../support/load-generator.js';
import { PodProcess } from '../support/pods-in-processes.js';
import { RETRY_POLICY } from '../support/recommended-options.js';

/** Calls in the background, without pauses. */
function startCalls(defer: Defer, client: HelloClient, inFlight = 8): ClosedLoop {
  const load = new ClosedLoop(unary(client, { deadlineMs: 10_000 }), { inFlight });
  defer(() => load.stop());
  load.start();
  return load;
}

/** Resolves when so many more calls have been answered. */
async function moreAnswers({ recorder }: ClosedLoop, calls: number): Promise<void> {
  const enough = recorder.answered + calls;
  await eventually(() => recorder.answered >= enough, { timeoutMs: 20_000 });
}

function open(defer: Defer, cluster: Cluster, options: HeadlessChannelOptions = {}) {
  const insecure = credentials.createInsecure();
  const channel = new HeadlessChannel(cluster.target, insecure, { headless: cluster.headless(), ...options });
  const client = new HelloClient(cluster.target, insecure, { channelOverride: channel });
  defer(() => client.close());
  return { channel, client };
}

function stateOf(channel: HeadlessChannel, address: string): string | undefined {
  return channel.snapshot().endpoints.find((endpoint) => endpoint.address === address)?.state;
}

function everyoneReady(channel: HeadlessChannel, pods: number): boolean {
  const { endpoints } = channel.snapshot();
  return endpoints.length === pods && endpoints.every(({ state }) => state === 'ready');
}

test('a hard kill under load costs calls on that pod only, and no call after them', covers(46), async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 4, pod: { delayMs: 10 } });
  const { channel, client } = open(defer, cluster);
  await eventually(async () => assert.equal((await callsByPod(client, 20)).size, 4));
  const load = startCalls(defer, client);
  const [victim] = cluster.pods;
  assert.ok(victim);
  await eventually(() => victim.inFlight > 0);
  await victim.kill();
  await eventually(() => assert.notEqual(stateOf(channel, victim.address), 'ready'));
  await moreAnswers(load, 20);
  const lost = load.recorder.failed;
  for (const { code, peer } of load.recorder.failures)
    assert.deepEqual({ code: status[code], peer }, { code: 'UNAVAILABLE', peer: victim.address });

  // It is in DNS for as long as nobody noticed.
  await moreAnswers(load, 100);
  cluster.unpublish(victim);
  await eventually(() => assert.equal(stateOf(channel, victim.address), undefined));
  await moreAnswers(load, 20);
  await load.stop();
  assert.equal(load.recorder.failed, lost);
});

test('with a retry policy a hard kill costs no call that its pod had not begun to answer', covers(46), async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 4, pod: { delayMs: 10 } });
  const { channel, client } = open(defer, cluster, { 'grpc.service_config': RETRY_POLICY });
  await eventually(async () => assert.equal((await callsByPod(client, 20)).size, 4));
  const load = startCalls(defer, client, 16);
  for (const [index, victim] of [...cluster.pods].slice(0, 3).entries()) {
    // Two of the three have answered nothing of what they hold when they die: all of that is tried again elsewhere.
    if (index < 2) {
      victim.behave({ hang: true });
      await eventually(() => victim.inFlight >= 2);
    }
    await victim.kill();
    await eventually(() => assert.notEqual(stateOf(channel, victim.address), 'ready'));
    await cluster.scaleUp(1);
    cluster.unpublish(victim);
    await moreAnswers(load, 50);
  }
  await load.stop();
  // gRFC A6: headers commit a call.
  for (const { code, committed } of load.recorder.failures)
    assert.deepEqual({ code: status[code], committed }, { code: 'UNAVAILABLE', committed: true });
});

/** A pod that is a process, beside three that are not. */
async function withProcess(defer: Defer) {
  const cluster = await Cluster.start(defer, { pods: 3, pod: { delayMs: 5 } });
  const before = await cluster.startUnpublished();
  await before.kill();
  const pod = await PodProcess.start(before.ip, cluster.port, { delayMs: 5 });
  defer(() => pod.kill());
  const publish = (): void =>
    cluster.dns.set(
      cluster.name,
      [...cluster.pods, pod].map(({ ip }) => ip),
    );
  publish();
  return { cluster, pod, publish };
}

async function untilCalled(client: HelloClient, pod: PodProcess): Promise<void> {
  await eventually(async () => assert.ok((await callsByPod(client, 20)).has(pod.name)), { timeoutMs: 20_000 });
}

test(
  'a pod whose process is killed with calls under way costs none of them, with a retry policy',
  covers(46),
  async (t) => {
    const defer = leakCheck(t);
    const { cluster, pod } = await withProcess(defer);
    const { channel, client } = open(defer, cluster, { 'grpc.service_config': RETRY_POLICY });
    await untilCalled(client, pod);
    await pod.behave({ hang: true });
    const load = startCalls(defer, client);
    await eventually(async () => (await pod.stats()).inFlight >= 2);
    await pod.kill();
    cluster.publish([...cluster.pods]);
    await eventually(() => everyoneReady(channel, 3));
    await moreAnswers(load, 20);
    await load.stop();
    assert.deepEqual(load.recorder.failures, []);
  },
);

test(
  'keepalive takes out a pod whose process stands still, and takes it back when it goes on',
  covers(40),
  async (t) => {
    const defer = leakCheck(t);
    const { cluster, pod } = await withProcess(defer);
    const { channel, client } = open(defer, cluster, {
      'grpc.keepalive_time_ms': 300,
      // Longer than a busy machine may stall: the other pods must not be taken out as well.
      'grpc.keepalive_timeout_ms': 2_000,
    });
    await untilCalled(client, pod);
    await eventually(() => everyoneReady(channel, 4));
    const load = startCalls(defer, client);
    // The kernel goes on acknowledging: no FIN, no RST.
    pod.pause();
    await eventually(() => assert.notEqual(stateOf(channel, pod.address), 'ready'), { timeoutMs: 20_000 });
    // Its port still takes connections, and nobody is there to say hello.
    await moreAnswers(load, 100);
    assert.notEqual(stateOf(channel, pod.address), 'ready');
    for (const { code, peer } of load.recorder.failures)
      assert.deepEqual({ code: status[code], peer }, { code: 'UNAVAILABLE', peer: pod.address });
    for (const other of cluster.pods) assert.equal(other.stats().accepted, 1);

    await load.stop();
    const lost = load.recorder.failed;
    pod.resume();
    await eventually(() => everyoneReady(channel, 4), { timeoutMs: 30_000 });
    await untilCalled(client, pod);
    assert.equal(load.recorder.failed, lost);
  },
);

test('after a kill of the only pod calls fail as UNAVAILABLE, and its successor is found', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 1 });
  const { client } = open(defer, cluster);
  await sayHi(client);
  const [victim] = cluster.pods;
  await victim?.kill();
  const error = await eventually(() =>
    sayHi(client).then(
      () => assert.fail('calls are still answered'),
      (error: ServiceError) => error,
    ),
  );
  assert.equal(error.code, status.UNAVAILABLE);
  await cluster.scaleUp(1);
  if (victim) cluster.unpublish(victim);
  await eventually(() => sayHi(client));
});
