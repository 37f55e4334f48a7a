import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { missing } from '../../netns/requirements.js';
import type { Row } from '../scene-table.js';
import { sceneTable } from '../scene-table.js';
import { REQUIREMENTS, TestCluster } from '../test-cluster.js';
import { scaleUpAndDown } from './scaling.js';

const skip = missing(...REQUIREMENTS);

describe('a client with default options in a cluster with a real control plane', { skip }, () => {
  const cleanUps: (() => unknown)[] = [];
  const rows: Row[] = [];
  let net: TestCluster;

  before(async () => {
    net = await TestCluster.start((cleanUp) => cleanUps.push(cleanUp));
  });

  after(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
    console.log(`\n${sceneTable(rows)}\n`);
  });

  test('scale', async () => {
    assert.deepEqual(await net.probeApi(), ['timeout', 'timeout', 'timeout']);
    try { rows.push(await scaleUpAndDown(net)); } catch (e) { console.log(await net.cluster.log()); throw e; }
  });
});
