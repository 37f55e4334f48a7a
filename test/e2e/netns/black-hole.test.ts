import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../faults/covers.js';
import { leakCheck } from '../../support/leak-check.js';
import { POD_PORT } from '../../support/pods-in-namespaces.js';
import { missing, NETWORK_NAMESPACES } from './requirements.js';
import { RestrictedCluster } from './restricted-cluster.js';

const skip = missing(...NETWORK_NAMESPACES);

const KEEPALIVE = { 'grpc.keepalive_time_ms': 1_000, 'grpc.keepalive_timeout_ms': 1_000 } as const;

const RETRY_UNAVAILABLE = JSON.stringify({
  methodConfig: [
    {
      name: [{}],
      retryPolicy: {
        maxAttempts: 5,
        initialBackoff: '0.05s',
        maxBackoff: '0.5s',
        backoffMultiplier: 2,
        retryableStatusCodes: ['UNAVAILABLE'],
      },
    },
  ],
});

test('keepalive takes out a pod that is silent without FIN or RST', { ...covers(40), skip }, async (t) => {
  const net = await RestrictedCluster.start(leakCheck(t), { pods: 4 });
  const silent = net.pods[0] as string;
  await net.open(KEEPALIVE);
  await net.awaitAnswersFrom(net.pods);
  await net.client.startLoad(8, { deadlineMs: 20_000 });

  const began = performance.now();
  await net.blackHole(silent);
  await net.awaitState(silent, 'connecting', 'backoff');
  const takenOutMs = Math.round(performance.now() - began);
  t.diagnostic(`keepalive 1 s + 1 s took the silent pod out after ${takenOutMs} ms`);
  assert.ok(takenOutMs > 500, 'a pod that answers late is not taken out at once');
  const during = await net.client.loadSoFar();
  const { endpoints, counters } = await net.client.snapshot();
  for (const { address, failed } of endpoints)
    if (address !== `${silent}:${POD_PORT}`) assert.equal(failed, 0, `calls to ${address} were not touched`);
  for (const other of net.pods.slice(1)) assert.ok((during.answers.get(other) ?? 0) > 0, `${other} answered meanwhile`);
  for (const failure of during.failures) assert.match(failure, /^UNAVAILABLE/);
  assert.ok(during.failures.length <= 8, 'no more calls than were on it were lost');
  assert.equal(counters.connectionsLost, 1);
  t.diagnostic(`${during.failures.length} calls that were on it failed, of ${during.slowestMs} ms at the most`);

  // Taken out means: no call goes there, so none is lost or slow any more.
  const { answers: after } = await net.client.calls(100, { deadlineMs: 10_000 });
  assert.deepEqual([...after.keys()].sort(), net.pods.slice(1).sort());

  const healed = performance.now();
  await net.heal();
  await net.awaitState(silent, 'ready');
  t.diagnostic(`it was back ${Math.round(performance.now() - healed)} ms after the network healed`);
  await net.client.stopLoad();
  await net.awaitAnswersFrom(net.pods);
});

test('a silent pod on an idle channel is found out by keepalive without calls', { ...covers(40), skip }, async (t) => {
  const net = await RestrictedCluster.start(leakCheck(t), { pods: 2 });
  const [silent, other] = net.pods as [string, string];
  await net.open({ ...KEEPALIVE, 'grpc.keepalive_permit_without_calls': 1 });
  await net.awaitAnswersFrom(net.pods);
  const began = performance.now();
  await net.blackHole(silent);
  await net.awaitState(silent, 'connecting', 'backoff');
  t.diagnostic(`taken out after ${Math.round(performance.now() - began)} ms, before any call met it`);
  const { answers, failures } = await net.client.calls(40, { deadlineMs: 10_000 });
  assert.deepEqual([[...answers.keys()], failures], [[other], []]);
});

test('with half of the pods cut off and the retry policy on, no call fails', { ...covers(40), skip }, async (t) => {
  const net = await RestrictedCluster.start(leakCheck(t), { pods: 6 });
  const cut = net.pods.slice(0, 3);
  const left = net.pods.slice(3);
  await net.open({ ...KEEPALIVE, 'grpc.service_config': RETRY_UNAVAILABLE });
  await net.awaitAnswersFrom(net.pods);
  await net.client.startLoad(8, { deadlineMs: 20_000 });
  const began = performance.now();
  await net.blackHole(...cut);
  await Promise.all(cut.map((ip) => net.awaitState(ip, 'connecting', 'backoff')));
  t.diagnostic(`all three were out after ${Math.round(performance.now() - began)} ms`);
  await net.awaitAnswersFrom(left);
  const { dns } = await net.client.snapshot();
  assert.deepEqual(dns.addresses.toSorted(), net.pods.toSorted(), 'DNS still names them, and so they stay in the set');

  await net.heal();
  await net.awaitAnswersFrom(net.pods);
  const { failures, slowestMs } = await net.client.stopLoad();
  assert.deepEqual(failures, []);
  t.diagnostic(`the slowest call took ${slowestMs} ms`);
});
