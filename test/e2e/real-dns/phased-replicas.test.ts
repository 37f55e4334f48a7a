/** Phased reading where a query may reach any of several caches, which do not agree on the time. */
import assert from 'node:assert/strict';
import { eventually } from '../../support/eventually.js';
import { seededRandom } from '../../support/fake-random.js';
import { coredns, corednsCache } from './coredns.js';
import { pollOn } from './polling.js';
import { RealDnsServer } from './server.js';
import { ips, NAME, serverTest } from './suite.js';
import { forwardToAnyOf } from './udp-forwarder.js';

const TTL = 8;
const TTL_MS = TTL * 1_000;

serverTest(
  'two replicas of CoreDNS with a cache behind one address: pods that come are added once and none is removed',
  [coredns, corednsCache(0)],
  async (defer) => {
    const authority = await RealDnsServer.start(defer, coredns, { ttl: TTL });
    await authority.set(NAME, { a: ips(1) });
    const replicas = [
      await RealDnsServer.start(defer, corednsCache(authority.port)),
      await RealDnsServer.start(defer, corednsCache(authority.port)),
    ];
    const address = await forwardToAnyOf(defer, replicas, seededRandom(8));
    // A short interval brings more answers that could be mixed up.
    const polling = pollOn(defer, address, { intervalMs: 1_000 });
    await eventually(() => polling.cache.state === 'present', { timeoutMs: 3 * TTL_MS });

    for (let pods = 2; pods <= 7; pods++) {
      await authority.set(NAME, { a: ips(pods) });
      // One pod comes with each second query.
      const polls = polling.polls.length;
      await eventually(() => polling.polls.length >= polls + 2, { timeoutMs: TTL_MS });
    }
    const timing = { timeoutMs: 2 * TTL_MS };
    await eventually(() => assert.deepEqual(polling.sightings.at(-1)?.addresses, ips(7)), timing);
    polling.sightings.forEach(({ addresses }, index) => {
      for (const known of polling.sightings[index - 1]?.addresses ?? []) assert.ok(addresses.includes(known), known);
    });
    // The replicas did contradict each other: some answer had fewer pods than one before it.
    const sizes = polling.polls.map(({ addresses }) => addresses.length);
    assert.ok(
      sizes.some((size, index) => size < Math.max(...sizes.slice(0, index))),
      `${sizes}`,
    );

    // A removal, too, is told once.
    const sightings = polling.sightings.length;
    await authority.set(NAME, { a: ips(5) });
    await eventually(() => assert.deepEqual(polling.sightings.at(-1)?.addresses, ips(5)), timing);
    assert.equal(polling.sightings.length, sightings + 1);
  },
);
