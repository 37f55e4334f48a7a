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
  test(`"${hostname}" is a Service`, () => assert.deepEqual(serviceOf(hostname), { service, namespace, portName }));

for (const hostname of [
  'api.example.com',
  'pod-0.hello.shop.svc.cluster.local',
  'hello_.shop',
  '',
  '_grpc._tcp',
  `${'a'.repeat(64)}.shop`,
])
  test(`"${hostname}" is no Service`, () => assert.equal(serviceOf(hostname), null));
