import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLocalhost, localAddresses, localLookup } from '../../lib/dns/local-names.js';

for (const name of ['localhost', 'LOCALHOST', 'localhost.', 'hello.localhost', 'a.b.LocalHost.'])
  test(`${name} is a name of this host`, () => {
    assert.ok(isLocalhost(name));
    assert.deepEqual(localAddresses(name, 'auto'), ['127.0.0.1']);
  });

for (const name of ['localhost.example', 'mylocalhost', 'hello.shop', 'localhost..', '.localhost.evil.example'])
  test(`${name} is no name of this host`, () => {
    assert.ok(!isLocalhost(name));
    assert.equal(localLookup(name, 'auto'), null);
  });

test('an address is its own answer, whatever the family', async () => {
  assert.deepEqual(localAddresses('fd00::1', 'ipv4'), ['fd00::1']);
  const lookup = localLookup('10.0.0.1', 'ipv6') ?? assert.fail();
  const { signal } = new AbortController();
  assert.deepEqual((await lookup('10.0.0.1', { signal })).addresses, ['10.0.0.1']);
});

test('two channels of one family have one lookup, so that they share a poller', () => {
  assert.equal(localLookup('localhost', 'dual'), localLookup('LOCALHOST', 'dual'));
});
