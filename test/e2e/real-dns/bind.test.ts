import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually.js';
import { authorityScenarios } from './authority.js';
import { bind, bindCache } from './bind.js';
import { cacheScenarios } from './cache.js';
import { coredns } from './coredns.js';
import { RealDnsServer } from './server.js';
import { ips, NAME, serverTest, watch } from './suite.js';

authorityScenarios('BIND', bind, {
  oversized: 'nothing',
  followsAcrossZones: false,
  foreignRcode: 'REFUSED',
});

cacheScenarios('BIND as a cache', bindCache, { oversized: 'SERVFAIL' });

serverTest(
  'BIND as a cache, with its default limit of 100: a set that grows beyond it is SERVFAIL, and is kept as it was',
  [coredns, bind],
  async (defer) => {
    const authority = await RealDnsServer.start(defer, coredns, { ttl: 1 });
    const cache = await RealDnsServer.start(defer, bindCache(authority.port, { maxRecordsPerType: null }));
    await authority.set(NAME, { a: ips(100) });
    const poller = watch(defer, cache);
    await poller.poll();
    assert.deepEqual(poller.addresses, ips(100));
    await authority.set(NAME, { a: ips(101) });
    await eventually(async () => {
      await poller.poll();
      assert.equal(poller.error, 'ERR_HEADLESS_DNS_SERVFAIL');
    });
    assert.deepEqual(poller.addresses, ips(100));
  },
);
