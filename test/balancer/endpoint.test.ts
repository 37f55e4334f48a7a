import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { balancerFixture } from '../support/balancer-fixture.js';

test('a snapshot tells how many calls are under way, began, succeeded and failed', () => {
  const { give, up, call, balancer } = balancerFixture();
  give('a');
  up('a');
  const [one, two, three] = [call(), call(), call()];
  call();
  one();
  two(status.DEADLINE_EXCEEDED);
  three(status.CANCELLED);
  const { inFlight, started, succeeded, failed } = balancer.endpoints()[0] ?? assert.fail();
  assert.deepEqual({ inFlight, started, succeeded, failed }, { inFlight: 1, started: 4, succeeded: 1, failed: 2 });
});

test('a snapshot tells the state and since when; retries after a failure, and what a draining pod does, are no change of state', async () => {
  const { give, up, pod, balancer, clock } = balancerFixture();
  const start = clock.wallTime();
  const seen = (): [string, number] => {
    const { state, since } = balancer.endpoints()[0] ?? assert.fail();
    return [state, since - start];
  };
  give('a');
  assert.deepEqual(seen(), ['connecting', 0]);
  await clock.advance(10);
  pod('a').become('CONNECTING');
  assert.deepEqual(seen(), ['connecting', 0]);
  pod('a').become('TRANSIENT_FAILURE', 'ECONNREFUSED');
  assert.deepEqual(seen(), ['backoff', 10]);
  await clock.advance(10);
  pod('a').become('IDLE');
  pod('a').become('CONNECTING');
  pod('a').become('TRANSIENT_FAILURE', 'ECONNREFUSED');
  assert.deepEqual(seen(), ['backoff', 10]);
  up('a');
  assert.deepEqual(seen(), ['ready', 20]);
  await clock.advance(10);
  give('');
  assert.deepEqual(seen(), ['draining', 30]);
  await clock.advance(10);
  pod('a').setHealthy(false);
  assert.deepEqual(seen(), ['draining', 30]);
  give('a');
  assert.deepEqual(seen(), ['ready', 40]);
});
