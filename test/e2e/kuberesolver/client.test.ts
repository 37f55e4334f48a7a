/** The client of grpc-go with kuberesolver, in both of its ways to call, on the API server that the benchmark has for it. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { machineMs } from '../../../bench/intervals/clock.js';
import { GoObserver } from '../../../bench/intervals/go-observer.js';
import { eventually } from '../../support/eventually.js';
import { FakeApiServer } from '../../support/fake-api-server.js';
import { leakCheck } from '../../support/leak-check.js';
import { freePort, type Pod, startPod } from '../../support/pod.js';
import { GoClient } from '../cluster/go-client.js';
import { missing } from '../netns/requirements.js';
import { kuberesolver } from './program.js';

const IPS = ['127.73.0.1', '127.73.0.2', '127.73.0.3'] as const;
const [REMOVED, KEPT, ADDED] = IPS;
const PATIENT = { timeoutMs: 30_000 };
/** Calls to the other pods, after which a pod without one gets none. */
const ENOUGH = 30;

const skip = missing(kuberesolver.missing);

async function setUp(t: TestContext) {
  const defer = leakCheck(t);
  const api = await FakeApiServer.start();
  defer(() => api.close());
  const port = await freePort(IPS);
  const pods = new Map<string, Pod>(await Promise.all(IPS.map(async (ip) => [ip, await startPod(ip, port)] as const)));
  defer(() => Promise.all([...pods.values()].map((pod) => pod.kill())));
  return {
    api,
    defer,
    target: `hello.test.svc.cluster.local:${port}`,
    callsOf: (ip: string): number => pods.get(ip)?.stats().calls ?? 0,
  };
}

test('without a rate, it tells of the first answer of each pod, and at its end how many calls it made', {
  skip,
}, async (t) => {
  const { api, target, callsOf, defer } = await setUp(t);
  api.publish([REMOVED, KEPT]);
  const startedAt = Date.now();
  const client = new GoClient([`kubernetes:///${target}`, api.url]);
  defer(() => client.stop());
  await eventually(() => assert.deepEqual([...client.report().firstAnswerAt.keys()].sort(), [REMOVED, KEPT]), PATIENT);
  const addedAt = Date.now();
  api.publish(IPS);
  await eventually(() => assert.equal(client.report().firstAnswerAt.size, IPS.length), PATIENT);
  const { started, failed, firstAnswerAt } = await client.stop();
  assert.equal(failed, 0);
  assert.equal(
    started,
    IPS.reduce((sum, ip) => sum + callsOf(ip), 0),
  );
  assert.ok((firstAnswerAt.get(KEPT) as number) >= startedAt);
  assert.ok((firstAnswerAt.get(ADDED) as number) >= addedAt);
});

test('at a rate, it calls a new pod, and leaves a removed one, by the watch of the API server', { skip }, async (t) => {
  const { api, target, callsOf, defer } = await setUp(t);
  api.publish([REMOVED, KEPT]);
  const observer = new GoObserver({
    id: 'kuberesolver',
    client: { kind: 'kuberesolver' },
    dns: '127.0.0.1:1',
    target,
    api: api.url,
    callsPerSecond: 100,
  });
  defer(() => observer.finish());
  await observer.connect();
  observer.call();
  observer.begin();
  const beganAt = machineMs();
  await eventually(() => assert.ok(callsOf(REMOVED) > 0 && callsOf(KEPT) > 0), PATIENT);

  const addedAt = machineMs();
  api.publish(IPS);
  await eventually(() => assert.ok(callsOf(ADDED) > 0), PATIENT);

  api.publish([KEPT, ADDED]);
  let before = { removed: callsOf(REMOVED), others: callsOf(KEPT) + callsOf(ADDED) };
  await eventually(() => {
    const now = { removed: callsOf(REMOVED), others: callsOf(KEPT) + callsOf(ADDED) };
    if (now.removed > before.removed) before = now;
    assert.ok(now.others - before.others >= ENOUGH);
  }, PATIENT);

  const { calls, dueAt, latencyMs, pod, pods: names } = await observer.finish();
  const endedAt = machineMs();
  assert.deepEqual(calls.failedByStatus, {});
  assert.deepEqual(calls.byPod, Object.fromEntries(IPS.map((ip) => [ip, callsOf(ip)])));
  assert.equal(calls.started, dueAt.length);
  // Its clock is that of this process.
  assert.ok(dueAt.every((at) => at >= beganAt - 1_000 && at <= endedAt));
  const first = pod.indexOf(names.indexOf(ADDED));
  const firstAnswerAt = (dueAt[first] as number) + (latencyMs[first] as number);
  assert.ok(firstAnswerAt >= addedAt && firstAnswerAt <= endedAt, `${firstAnswerAt - addedAt} ms`);
  assert.deepEqual([api.count('watch'), api.count('list')], [1, 0]);
});
