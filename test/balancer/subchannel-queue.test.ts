import assert from 'node:assert/strict';
import { test } from 'node:test';
import { balancerFixture } from '../support/balancer-fixture.js';

function manyPods(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
}

test('new pods are made a few in each turn, so that a thousand delay no call, and all are made', async () => {
  const { give, helper, clock, last } = balancerFixture();
  const made = [0];
  const setTurn = clock.setTurn.bind(clock);
  clock.setTurn = (callback) => {
    made.push(helper.made.length);
    return setTurn(callback);
  };
  give(manyPods(1_000));
  await clock.advance(1);
  made.push(helper.made.length);
  const batches = made.slice(1).map((count, index) => count - (made[index] ?? 0));
  assert.ok(Math.max(...batches) <= 16, `${batches}`);
  assert.equal(helper.made.length, 1_000);
  assert.equal(clock.timers, 0);
  assert.equal(last().state, 'CONNECTING');
});

test('while pods are still to be made, the channel is CONNECTING although the first ones failed', async () => {
  const { give, helper, clock, last } = balancerFixture();
  give(manyPods(20));
  for (const subchannel of helper.made) subchannel.become('TRANSIENT_FAILURE', 'ECONNREFUSED');
  assert.equal(last().state, 'CONNECTING');
  await clock.advance(1);
  for (const subchannel of helper.made) subchannel.become('TRANSIENT_FAILURE', 'ECONNREFUSED');
  assert.equal(last().state, 'TRANSIENT_FAILURE');
});

test('a pod that left before it was made is never made, and one that stayed is made once', async () => {
  const { give, helper, clock } = balancerFixture();
  const pods = manyPods(40);
  give(pods);
  give(pods.slice(0, 30));
  give(pods.slice(0, 30).reverse());
  await clock.advance(1);
  const made = helper.made.map(({ address }) => address.replace(':50051', ''));
  assert.deepEqual(made.sort(), pods.slice(0, 30).sort());
});
