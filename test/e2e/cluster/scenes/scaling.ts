/** Scenes in which the number of pods changes. */
import assert from 'node:assert/strict';
import { eventually } from '../../../support/eventually.js';
import { IN_FLIGHT, INTERVAL, PATIENT, Scene } from '../scene.js';
import type { Row } from '../scene-table.js';
import type { TestCluster } from '../test-cluster.js';

export async function scaleUpAndDown(net: TestCluster): Promise<Row> {
  const plan = { replicas: 2, pod: { shared: true } };
  const scene = await Scene.open(net, { title: 'scale 2 → 5 → 1 → 30', plan });
  await scene.call();
  await scene.quiet();
  for (const count of [5, 1, 30]) {
    await scene.scale(count);
    const pods = await scene.awaitSettled(count);
    await scene.awaitAnswersFrom(pods.map(({ name }) => name));
  }
  return scene.close();
}

/**
 * The calls wait for a pod, as they ask to: without that they have to fail while there is none. The last pod may refuse
 * those that reach it while it shuts down, and there is no other one to repeat them on.
 */
export async function scaleToZeroAndBack(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, {
    title: 'scale to zero and back (calls wait for ready)',
    plan: { replicas: 2 },
  });
  await scene.call({ waitForReady: true });
  await scene.scale(0);
  await eventually(async () => (await scene.allPods()).length === 0, PATIENT);
  const { answered } = await scene.report();
  await scene.scale(2);
  await scene.awaitSettled(2);
  await scene.moreCalls(50);
  assert.ok((await scene.report()).answered > answered);
  return scene.close({ refused: IN_FLIGHT });
}

export async function threeHundredPods(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, {
    title: '300 pods',
    plan: { replicas: 2, pod: { shared: true } },
    bound: { label: `${INTERVAL.label}, and picks at random`, ms: INTERVAL.ms + 15_000 },
  });
  await scene.call({ inFlight: 24 });
  await scene.scale(300);
  await scene.awaitSettled(300);
  await scene.scale(3);
  const left = await scene.awaitSettled(3);
  await scene.awaitAnswersFrom(left.map(({ name }) => name));
  return scene.close();
}
