import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import { formatHostPort, ipVersion } from '../lib/address.js';

const cases: [host: string, text: string][] = [
  ['10.0.0.1', '10.0.0.1:50051'],
  ['fd00::1', '[fd00::1]:50051'],
  ['hello.shop', 'hello.shop:50051'],
];
for (const [host, text] of cases)
  test(`${host} with a port is written ${text}`, () => assert.equal(formatHostPort(host, 50_051), text));

const texts = [
  '10.0.0.1',
  '10.0.0.256',
  '10.0.0',
  '::',
  '::1',
  'fd00::1',
  'fe80::1%eth0',
  '::ffff:10.0.0.1',
  'fd00:::1',
];
for (const text of [
  ...texts,
  '1:2:3:4:5:6:7:8',
  '1:2:3:4:5:6:7',
  '[::1]',
  '10.0.0.1:53',
  '::1:',
  'hello.shop',
  'a:b',
  '',
])
  test(`"${text}" is read as ${isIP(text) || 'no IP address'}, as node:net reads it`, () =>
    assert.equal(ipVersion(text), isIP(text)));
