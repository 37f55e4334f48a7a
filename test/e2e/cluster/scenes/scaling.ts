/** Scenes in which the number of pods changes. */
import assert from 'node:assert/strict';
import { Scene } from '../scene.js';
import type { Row } from '../scene-table.js';
import type { TestCluster } from '../test-cluster.js';

export async function scaleUpAndDown(net: TestCluster): Promise<Row> {
  const plan = { replicas: 2, pod: { shared: true } };
  const scene = await Scene.open(net, { title: 'scale 2 → 5 → 1 → 30', plan });
  await scene.call();
  for (const count of [5, 1, 30]) {
    await scene.scale(count);
    const pods = await scene.awaitSettled(count);
    await scene.awaitAnswersFrom(pods.map(({ name }) => name));
  }
  return scene.close();
}
