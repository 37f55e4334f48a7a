/** Outlier ejection with real calls. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, status } from '@grpc/grpc-js';
import { createHeadlessClient } from '../../lib/index.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';
import { startLoad } from '../support/load-generator.js';

test('of three pods one fails every call: it gets next to none, and all again when it is well', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 3 });
  // A tenth of the default times.
  const outlier = { intervalMs: 1_000, baseEjectionMs: 1_000, maxEjectionMs: 3_000 };
  const client = createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), {
    headless: cluster.headless({ outlier }),
  });
  defer(() => client.close());
  const channel = client.getChannel();
  const told: (string | null)[] = [];
  channel.on('ejection', ({ ejected }) => told.push(ejected?.reason ?? null));
  await eventually(async () => assert.equal((await callsByPod(client, 30)).size, 3));
  const [sick] = cluster.pods;
  assert.ok(sick);

  await sick.behave({ failWith: status.UNAVAILABLE });
  const load = startLoad(defer, client, { inFlight: 4, pauseMs: 2 });
  await eventually(() => assert.equal(told[0], 'consecutive_failures'));
  const { ejected } = channel.snapshot().endpoints.find(({ address }) => address === sick.address) ?? {};
  assert.ok(ejected && ejected.untilMs - ejected.since === 1_000);
  const [answered, failed] = [load.recorder.answered, load.recorder.failed];
  await sleep(2_500);
  const calls = load.recorder.answered - answered + load.recorder.failed - failed;
  const share = (load.recorder.failed - failed) / calls;
  assert.ok(share <= 0.01, `${(share * 100).toFixed(2)} % of ${calls} calls failed`);
  assert.ok(told.includes('failed_return'));

  await sick.behave({ failWith: null });
  await eventually(async () => assert.equal((await callsByPod(client, 30)).size, 3), { timeoutMs: 10_000 });
  await load.stop();
});
