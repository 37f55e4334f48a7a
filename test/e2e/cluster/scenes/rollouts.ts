/** Scenes in which pods are replaced, or change their readiness. */
import assert from 'node:assert/strict';
import { eventually } from '../../../support/eventually.js';
import { podSpec } from '../manifests.js';
import { IN_FLIGHT, PATIENT, Scene } from '../scene.js';
import type { Row } from '../scene-table.js';
import type { TestCluster } from '../test-cluster.js';
import { NODES } from '../topology.js';

export async function rollingRestart(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, { title: 'rolling restart, surge 25 %', plan: { replicas: 4 } });
  await scene.call();
  await scene.quiet();
  await restart(scene, 4);
  return scene.close();
}

export async function rollingRestartWithoutSurge(net: TestCluster): Promise<Row> {
  const plan = { replicas: 4, maxSurge: 0, maxUnavailable: 1 };
  const scene = await Scene.open(net, { title: 'rolling restart, surge 0', plan });
  await scene.call();
  await scene.quiet();
  await restart(scene, 4);
  return scene.close();
}

/** Every pod of before has ended when it resolves. */
async function restart(scene: Scene, count: number): Promise<void> {
  const before = (await scene.pods()).map(({ name }) => name);
  await scene.roll();
  const after = (await scene.awaitSettled(count)).map(({ name }) => name);
  assert.ok(!after.some((name) => before.includes(name)));
  await scene.awaitAnswersFrom(after);
  await eventually(async () => (await scene.allPods()).length === count, PATIENT);
}

export async function brokenRollout(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, {
    title: 'rollout to a version that never becomes ready',
    plan: { replicas: 4 },
  });
  await scene.call();
  const good = (await scene.pods()).map(({ name }) => name);
  await scene.roll(podSpec({ image: 'hello:broken' }));
  await eventually(async () => (await scene.pods()).some(({ ready }) => !ready), PATIENT);
  await scene.moreCalls(1_500);
  assert.deepEqual([...(await scene.report()).byPod.keys()].sort(), good.toSorted(), 'no call went to the new version');
  await scene.roll(podSpec());
  await scene.awaitSettled(4);
  return scene.close();
}

export async function readinessThatFlaps(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, { title: 'readiness that flaps', plan: { replicas: 3 } });
  await scene.call();
  const [flapping, ...others] = (await scene.pods()).map(({ name }) => name);
  assert.ok(flapping !== undefined);
  for (let round = 1; round <= 5; round++) {
    await scene.setReady(flapping, false);
    await scene.moreCalls(100);
    await scene.setReady(flapping, true);
    await scene.moreCalls(100);
  }
  await scene.setReady(flapping, false);
  await scene.awaitAnswersFrom(others);
  await scene.forget(flapping);
  await scene.setReady(flapping, true);
  await scene.awaitSettled(3);
  return scene.close();
}

/** No planned change: the pod is told to stop a second later, before the client has read that it left DNS. */
export async function deletedByForce(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, { title: 'delete pod --force', plan: { replicas: 3 } });
  await scene.call();
  await scene.quiet();
  const [pod] = await scene.pods();
  assert.ok(pod !== undefined);
  await scene.deleteByForce(pod.name);
  await scene.awaitSettled(3);
  await eventually(async () => (await scene.allPods()).length === 3, PATIENT);
  await scene.moreCalls(100);
  return scene.close({ refused: IN_FLIGHT });
}

export async function movedToAnotherNode(net: TestCluster): Promise<Row> {
  const scene = await Scene.open(net, { title: "a pod moved to another node's range", plan: { replicas: 2 } });
  await scene.call();
  await scene.quiet();
  const rangeOf = async () => (await scene.pods()).map(({ ip }) => ip.split('.').slice(0, 3).join('.'));
  const before = await rangeOf();
  await scene.roll(podSpec({ nodeName: NODES[1]?.name ?? '' }));
  const moved = await scene.awaitSettled(2);
  await scene.awaitAnswersFrom(moved.map(({ name }) => name));
  assert.ok(!(await rangeOf()).some((range) => before.includes(range)));
  return scene.close();
}
