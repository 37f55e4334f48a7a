import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DnsError, HeadlessError } from '../lib/errors.js';
import { createFakeDns, type FakeFailure } from '../lib/testing.js';
import { covers } from './faults/covers.js';

const signal = new AbortController().signal;

test('fake DNS answers with the addresses it was given, and with a TTL of five seconds unless told otherwise', async () => {
  const dns = createFakeDns({ 'svc.ns': ['127.0.0.1'] });
  assert.deepEqual(await dns.lookup('svc.ns', { signal }), { addresses: ['127.0.0.1'], ttlMs: 5_000 });
  dns.set('svc.ns', ['127.0.0.2', '::1'], { ttlMs: 30_000 });
  assert.deepEqual(await dns.lookup('svc.ns', { signal }), { addresses: ['127.0.0.2', '::1'], ttlMs: 30_000 });
  dns.set('svc.ns', []);
  assert.deepEqual(await dns.lookup('svc.ns', { signal }), { addresses: [], ttlMs: 5_000 });
});

test('names in fake DNS are the same in upper and lower case, with and without a final dot', async () => {
  const dns = createFakeDns({ 'Svc.NS.': ['127.0.0.1'] });
  for (const name of ['svc.ns', 'SVC.ns', 'svc.ns.'])
    assert.deepEqual((await dns.lookup(name, { signal })).addresses, ['127.0.0.1']);
  dns.delete('SVC.NS');
  await assert.rejects(dns.lookup('svc.ns', { signal }), { code: 'ERR_HEADLESS_DNS_NXDOMAIN' });
});

const failures: FakeFailure[] = ['NXDOMAIN', 'NODATA', 'SERVFAIL', 'REFUSED', 'TIMEOUT', 'UNREACHABLE', 'MALFORMED'];
for (const failure of failures)
  test(`a name made to fail with ${failure} does so at once, until it is set again`, async () => {
    const dns = createFakeDns({ 'svc.ns': ['127.0.0.1'] });
    dns.fail('svc.ns', failure);
    await assert.rejects(dns.lookup('svc.ns', { signal }), (error: DnsError) => {
      assert.equal(error.code, `ERR_HEADLESS_DNS_${failure}`);
      assert.equal(error.hostname, 'svc.ns');
      assert.equal(error.isEmptyAnswer, failure === 'NXDOMAIN' || failure === 'NODATA');
      return true;
    });
    dns.set('svc.ns', ['127.0.0.1']);
    assert.deepEqual((await dns.lookup('svc.ns', { signal })).addresses, ['127.0.0.1']);
  });

test('a name that was never set is NXDOMAIN, and a deleted one is so again', async () => {
  const dns = createFakeDns();
  await assert.rejects(dns.lookup('svc.ns', { signal }), { code: 'ERR_HEADLESS_DNS_NXDOMAIN' });
  dns.set('svc.ns', ['127.0.0.1']);
  dns.delete('svc.ns');
  await assert.rejects(dns.lookup('svc.ns', { signal }), { code: 'ERR_HEADLESS_DNS_NXDOMAIN' });
});

test('queries lists the names asked for in order, failed ones too, but none whose lookup was over before it began', async () => {
  const dns = createFakeDns({ a: ['127.0.0.1'] });
  await dns.lookup('a', { signal });
  await dns.lookup('b', { signal }).catch(() => {});
  await assert.rejects(dns.lookup('c', { signal: AbortSignal.abort(new Error('over')) }), /over/);
  assert.deepEqual(dns.queries, ['a', 'b']);
});

test('neither the arrays that go in nor those that come out are shared with the zone', async () => {
  const given = ['127.0.0.1'];
  const dns = createFakeDns({ a: given });
  given.push('127.0.0.2');
  const { addresses } = await dns.lookup('a', { signal });
  (addresses as string[]).push('127.0.0.3');
  assert.deepEqual((await dns.lookup('a', { signal })).addresses, ['127.0.0.1']);
});

const wrong: [what: string, make: () => unknown, message: RegExp][] = [
  [
    'a zone that is an array',
    () => createFakeDns([] as never),
    /zone must be an object of addresses by name.*got \[\]/,
  ],
  [
    'one address without an array',
    () => createFakeDns({ 'svc.ns': '127.0.0.1' as never }),
    /the addresses of "svc\.ns" must be an array, such as \['127\.0\.0\.1'\], got "127\.0\.0\.1"/,
  ],
  [
    'an address with a port',
    () => createFakeDns({ 'svc.ns': ['127.0.0.1:50051'] }),
    /the addresses of "svc\.ns" must be IP addresses without a port.*got "127\.0\.0\.1:50051"/,
  ],
  ['a host in the place of an address', () => createFakeDns({ 'svc.ns': ['localhost'] }), /got "localhost"/],
  ['an address that is no text', () => createFakeDns({ 'svc.ns': [1 as never] }), /got 1$/],
  [
    'a name with a port',
    () => createFakeDns({ 'svc.ns:50051': ['127.0.0.1'] }),
    /a name must be the host of a target, such as "svc\.ns", without scheme and port .*got "svc\.ns:50051"/,
  ],
  ['a target', () => createFakeDns({ 'headless:///svc.ns:1': [] }), /without scheme and port/],
  ['an empty name', () => createFakeDns().delete(''), /a name must be the host.*got ""/],
  ['a name that is no text', () => createFakeDns().set(undefined as never, []), /a name must be.*got undefined/],
  [
    'a negative TTL',
    () => createFakeDns().set('a', [], { ttlMs: -1 }),
    /ttlMs of "a" must be milliseconds >= 0, got -1/,
  ],
  [
    'a TTL that is no number',
    () => createFakeDns().set('a', [], { ttlMs: '5' as never }),
    /ttlMs of "a" must be .*got "5"/,
  ],
  [
    'a TTL in the place of the options',
    () => createFakeDns().set('a', [], 5_000 as never),
    /the options of "a" must be an object with ttlMs, such as \{ ttlMs: 5000 \}, got 5000/,
  ],
  ['options that are null', () => createFakeDns().set('a', [], null as never), /the options of "a" must be .*got null/],
  [
    'a TTL in seconds',
    () => createFakeDns().set('a', [], { ttl: 5 } as never),
    /the options of "a" must be an object with ttlMs, .*and no other, got \{"ttl":5\}/,
  ],
  [
    'another failure',
    () => createFakeDns().fail('a', 'nxdomain' as never),
    /the failure of "a" must be one of "NXDOMAIN", .*got "nxdomain"/,
  ],
];
for (const [what, make, message] of wrong)
  test(`fake DNS refuses ${what}, with the field, the value and the remedy`, covers(47), () => {
    assert.throws(make, (error: HeadlessError) => {
      assert.equal(error.code, 'ERR_HEADLESS_OPTION');
      assert.match(error.message, message);
      assert.match(error.message, /^createFakeDns: /);
      return true;
    });
  });
