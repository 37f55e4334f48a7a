import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentTo } from '../../bench/tail.js';

const PODS = [
  { name: 'pod-a', ip: '127.0.0.1' },
  { name: 'pod-b', ip: '127.0.0.11' },
];

test('a call that was answered was sent to the pod that answered', () => {
  assert.equal(sentTo({ pod: 'pod-b', peer: null }, PODS), PODS[1]);
});

test('a call without an answer was sent to the pod on whose connection it waited', () => {
  assert.equal(sentTo({ pod: null, peer: '127.0.0.11:50051' }, PODS), PODS[1]);
  assert.equal(sentTo({ pod: null, peer: '127.0.0.1:50051' }, PODS), PODS[0]);
});

test('a call that no pod was picked for was sent to none', () => {
  assert.equal(sentTo({ pod: null, peer: null }, PODS), undefined);
});
