/** What the client makes of a cache, with CoreDNS behind it as in a cluster. */
import assert from 'node:assert/strict';
import { Cluster } from '../../support/cluster.js';
import { eventually } from '../../support/eventually.js';
import {
  families,
  namedPorts,
  type Oversized,
  oversizedSets,
  restartInMidPoll,
  type Start,
  setsComeWhole,
} from './authority.js';
import { coredns } from './coredns.js';
import { RealDnsServer, type Recipe } from './server.js';
import { ask, callerOf, clientOf, ips, NAME, serverTest, watch } from './suite.js';

/** Seconds. CoreDNS holds nothing for less. */
const TTL = 5;

export function cacheScenarios(
  title: string,
  makeCache: (upstreamPort: number) => Recipe,
  { oversized }: { oversized: Oversized },
): void {
  // For what is missing only the program counts.
  const recipes = [coredns, makeCache(0)];
  const start: Start = async (defer) => {
    const authority = await RealDnsServer.start(defer, coredns, { ttl: TTL });
    return {
      server: await RealDnsServer.start(defer, makeCache(authority.port)),
      authority,
      ttlMs: TTL * 1_000,
    };
  };

  setsComeWhole(title, recipes, start);
  oversizedSets(title, recipes, oversized, start);
  families(title, recipes, start);
  namedPorts(title, recipes, start);

  serverTest(
    `${title}: its TTLs count down, and 'adaptive' asks it again just after they end`,
    recipes,
    async (defer) => {
      const { server, authority, ttlMs } = await start(defer);
      const cluster = await Cluster.start(defer, { pods: 2 });
      await authority.set(NAME, { a: cluster.ips });
      const intervalMs = 20_000;
      // Without jitter the query is made just after the expiry; with it, clients that share a cache spread theirs.
      const refresh = { intervalMs, jitter: 0, minIntervalMs: 1_000, burstMs: 1_500, ttl: 'adaptive' } as const;
      const caller = callerOf(defer, server, cluster, { refresh });
      await caller.channel.ready();
      // While nothing was READY the second poll was set for a second later: it finds the answer that the first one left.
      const cached = await eventually(() => {
        const { answeredAt, nextQueryAt, ttlMs: left } = caller.channel.snapshot().dns;
        assert.ok(answeredAt !== null && nextQueryAt !== null && left !== null && left < ttlMs);
        return { answeredAt, nextQueryAt, left };
      });
      const { answeredAt, nextQueryAt, left } = cached;
      const { polls } = caller.channel.snapshot().counters;
      const planned = nextQueryAt - answeredAt;
      // TTLs are whole seconds, rounded up: the first answer may tell the expiry more exactly than the second.
      const told = `${planned} ms after an answer that holds for ${left} ms`;
      assert.ok(planned >= left - 1_000 && planned < left + 500, told);

      await cluster.scaleUp(1);
      await authority.set(NAME, { a: cluster.ips });
      await eventually(() => assert.deepEqual(caller.ready, cluster.ips), { timeoutMs: intervalMs });
      const waited = Date.now() - answeredAt;
      assert.ok(waited < left + 2_000, `seen ${waited} ms after an answer that held for ${left} ms`);
      // Unbound has an answer of TTL 0 for the last second: then it takes one query more.
      assert.ok(caller.channel.snapshot().counters.polls <= polls + 2);
      await caller.answeredBy(cluster.ips);
    },
  );

  serverTest(`${title}: a cached NXDOMAIN keeps the set until pods are back`, recipes, async (defer) => {
    const { server, authority, ttlMs } = await start(defer);
    await authority.set(NAME, { a: ips(3) });
    // With the plain bits alone: another pair's entry may not have the NXDOMAIN.
    const poller = watch(defer, server, {}, 'adaptive');
    await poller.poll();
    assert.deepEqual(poller.addresses, ips(3));
    const timing = { timeoutMs: ttlMs + 5_000, intervalMs: 200 };
    await authority.remove(NAME);
    await eventually(async () => {
      await poller.poll();
      return poller.rcode === 'NXDOMAIN';
    }, timing);
    assert.deepEqual(poller.addresses, ips(3));
    assert.equal(poller.failures, 0);
    await authority.set(NAME, { a: ips(3, 10) });
    await poller.poll();
    assert.equal(poller.rcode, 'NXDOMAIN', 'the cache has not forgotten yet');
    assert.deepEqual(poller.addresses, ips(3));
    await eventually(async () => {
      await poller.poll();
      assert.deepEqual(poller.addresses, ips(3, 10));
    }, timing);
  });

  serverTest(`${title}: a chain of CNAMEs into another zone (ExternalName) is followed`, recipes, async (defer) => {
    const { server, authority } = await start(defer);
    await authority.set('real.example.org', { a: ips(80) });
    await authority.set('alias.example.org', { cname: 'real.example.org' });
    await authority.set(NAME, { cname: 'alias.example.org' });
    const client = clientOf(server);
    for (let time = 1; time <= 2; time++) assert.deepEqual((await ask(client)).found, { A: ips(80) });
  });

  serverTest(
    `${title}: a restart in mid-poll fails no call, and what changed meanwhile is found`,
    recipes,
    async (defer) => {
      const authority = await RealDnsServer.start(defer, coredns, { ttl: TTL });
      await restartInMidPoll(defer, makeCache(authority.port), authority);
    },
  );
}
