import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceOf } from '../../lib/kubernetes/service-reference.js';

const SERVICES: readonly [hostname: string, service: string, namespace: string | null, portName: string | null][] = [
  ['hello', 'hello', null, null],
  ['hello.shop', 'hello', 'shop', null],
  ['hello.shop.svc', 'hello', 'shop', null],
  ['hello.shop.svc.cluster.local', 'hello', 'shop', null],
  ['Hello.Shop.SVC.corp.example', 'hello', 'shop', null],
  ['_grpc._tcp.hello.shop', 'hello', 'shop', 'grpc'],
  ['_grpc._tcp.hello.shop.svc.cluster.local', 'hello', 'shop', 'grpc'],
];
for (const [hostname, service, namespace, portName] of SERVICES)
  test(`"${hostname}" is a Service`, () =>
    assert.deepEqual(serviceOf(hostname, false), { service, namespace, portName }));

for (const hostname of [
  'api.example.com',
  'pod-0.hello.shop.svc.cluster.local',
  'hello_.shop',
  '',
  '_grpc._tcp',
  `${'a'.repeat(64)}.shop`,
  // Its slices hold the pods of one cluster, and the name means those of several (KEP-1645).
  'hello.shop.svc.clusterset.local',
])
  test(`"${hostname}" is no Service`, () => assert.equal(serviceOf(hostname, false), null));

test('"example.com" cannot be told from a Service and its namespace: the search list makes it one, too', () =>
  assert.deepEqual(serviceOf('example.com', false), { service: 'example', namespace: 'com', portName: null }));

for (const hostname of [
  'hello',
  'example.com',
  'hello.shop.svc',
  '_grpc._tcp.hello.shop',
  'hello.shop.svc.clusterset.local',
])
  test(`"${hostname}.", which no search list completes, is no Service`, () =>
    assert.equal(serviceOf(hostname, true), null));

test('an absolute name in the domain of a cluster is a Service', () => {
  for (const domain of ['cluster.local', 'corp.example'])
    assert.deepEqual(serviceOf(`hello.shop.svc.${domain}`, true), {
      service: 'hello',
      namespace: 'shop',
      portName: null,
    });
});
