import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { createHeadlessClient } from '../../lib/index.js';
import { covers } from '../faults/covers.js';
import { Cluster } from '../support/cluster.js';
import { EventLoopDelay } from '../support/event-loop-delay.js';
import { eventually } from '../support/eventually.js';
import { callsByPod, HelloClient } from '../support/hello-service.js';
import { leakCheck } from '../support/leak-check.js';
import { startLoad } from '../support/load-generator.js';
import type { Pod } from '../support/pod.js';

const PODS = 12;
const INTERVAL_MS = 1_000;
/** The interval with its jitter, a query, a connection, and a second for the machine. */
const FOUND_WITHIN_MS = 2_300;
/**
 * What Kubernetes' `preStop` sleep is for: a pod that left DNS serves on until its clients have asked DNS again, so for
 * one refresh interval with its jitter at the least. Then it says GOAWAY and finishes its calls.
 */
const GRACE_MS = 2_500;

test(
  'a rolling replacement of 12 pods under load fails no call, and each new pod is called in time',
  covers(45),
  async (t) => {
    const defer = leakCheck(t);
    const cluster = await Cluster.start(defer, { pods: PODS });
    const client = createHeadlessClient(HelloClient, cluster.target, credentials.createInsecure(), {
      headless: cluster.headless({ refresh: { intervalMs: INTERVAL_MS } }),
    });
    defer(() => client.close());
    await eventually(async () => assert.equal((await callsByPod(client, 60)).size, PODS));
    const load = startLoad(defer, client, { inFlight: 8 });
    const delay = new EventLoopDelay();
    delay.start();
    defer(() => delay.stop());

    const old = [...cluster.pods];
    const published = new Map<Pod, number>();
    const foundAfterMs = new Map<Pod, number>();
    const watch = setInterval(() => {
      for (const [pod, at] of published)
        if (pod.calls > 0 && !foundAfterMs.has(pod)) foundAfterMs.set(pod, performance.now() - at);
    }, 5);
    defer(() => clearInterval(watch));

    const stopping: Promise<unknown>[] = [];
    for (const leaver of old) {
      const [fresh] = await cluster.scaleUp(1);
      if (!fresh) throw new Error('a pod was started');
      published.set(fresh, performance.now());
      cluster.unpublish(leaver);
      stopping.push(sleep(GRACE_MS).then(() => leaver.stop()));
      // Real pods take longer to come up. However slow the machine, calls meet every step.
      const enough = load.recorder.answered + 20;
      await Promise.all([sleep(150), eventually(() => load.recorder.answered >= enough, { timeoutMs: 20_000 })]);
    }
    await Promise.all(stopping);
    await eventually(() => assert.equal(foundAfterMs.size, PODS));
    await load.stop();

    assert.deepEqual(load.recorder.failures, []);
    // Timer, reply, connection and call may each be delayed by a busy machine; at rest that is a few ms.
    const allowedMs = FOUND_WITHIN_MS + 4 * delay.maxMs;
    for (const [pod, ms] of foundAfterMs)
      assert.ok(ms <= allowedMs, `${pod.name} got its first call ${ms} ms after its record; allowed are ${allowedMs}`);
    for (const pod of published.keys()) assert.equal(pod.stats().accepted, 1);
  },
);
