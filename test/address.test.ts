import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHostPort } from '../lib/address.js';

const cases: [host: string, text: string][] = [
  ['10.0.0.1', '10.0.0.1:50051'],
  ['fd00::1', '[fd00::1]:50051'],
  ['hello.shop', 'hello.shop:50051'],
];
for (const [host, text] of cases)
  test(`${host} with a port is written ${text}`, () => assert.equal(formatHostPort(host, 50_051), text));
