/** What the client makes of a server that holds the zones itself. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster } from '../../support/cluster.js';
import { eventually } from '../../support/eventually.js';
import { RealDnsServer, type Recipe } from './server.js';
import { ask, callerOf, clientOf, ips, NAME, serverTest, watch } from './suite.js';

/** What a server does with a set that no message can hold: 65,535 octets are 4,095 A records at the most. */
export type Oversized =
  /** As many as fit, with TC, over TCP. */
  | 'part'
  /** The same, of the set shuffled anew for each answer. */
  | 'another part each time'
  /** TC over TCP, and no record. */
  | 'nothing'
  | 'SERVFAIL';

/** With EDNS's 1232 octets, 28 pods fit 512 octets, about 73 fit one datagram. */
const TRANSPORT_BY_SIZE: readonly [size: number, transport: string][] = [
  [3, 'udp'],
  [70, 'udp'],
  [80, 'tcp'],
  [300, 'tcp'],
];

export function setsComeWhole(title: string, recipes: readonly Recipe[], start: Start): void {
  for (const [size, transport] of TRANSPORT_BY_SIZE)
    serverTest(`${title}: a set of ${size} comes whole over ${transport.toUpperCase()}`, recipes, async (defer) => {
      const { server, authority } = await start(defer);
      await authority.set(NAME, { a: ips(size) });
      const client = clientOf(server);
      // Twice: the second answer of a cache is its own.
      for (let time = 1; time <= 2; time++) {
        const answer = await ask(client);
        assert.deepEqual(answer.found, { A: ips(size) });
        assert.equal(answer.transport, transport);
      }
      assert.equal(client.counters.malformed + client.counters.timeouts, 0);
    });
}

const OVERSIZED_TITLES: Record<Oversized, string> = {
  part: 'of 5,000 records it sends those that fit, which add to the set and remove nothing',
  'another part each time': 'of 5,000 records it sends others each time, and a few polls find them all',
  nothing: 'of 5,000 records it sends none, with TC over TCP, and the set is kept',
  SERVFAIL: 'it answers SERVFAIL to 5,000 records, and the set is kept',
};

/** How many are found at the least, those that are gone included, or why none is. */
const OVERSIZED_OUTCOMES: Record<Oversized, number | string> = {
  part: 4_090,
  'another part each time': 5_100,
  nothing: 'ERR_HEADLESS_DNS_MALFORMED',
  SERVFAIL: 'ERR_HEADLESS_DNS_SERVFAIL',
};

export function oversizedSets(title: string, recipes: readonly Recipe[], oversized: Oversized, start: Start): void {
  const outcome = OVERSIZED_OUTCOMES[oversized];
  serverTest(`${title}: ${OVERSIZED_TITLES[oversized]}`, recipes, async (defer) => {
    const { server, authority, ttlMs } = await start(defer);
    await authority.set(NAME, { a: ips(300) });
    // dnsmasq takes a second for 4,000 records: it puts them into its cache one by one.
    const poller = watch(defer, server, { timeoutMs: 5_000 });
    await poller.poll();
    assert.deepEqual(poller.addresses, ips(300));

    // The first hundred are gone, but no server can say so.
    await authority.set(NAME, { a: ips(5_000, 100) });
    await eventually(
      async () => {
        await poller.poll();
        if (typeof outcome === 'string') assert.equal(poller.error, outcome);
        else assert.ok(poller.addresses.length >= outcome, `${poller.addresses.length} found`);
      },
      { timeoutMs: ttlMs + 5_000, intervalMs: 200 },
    );
    if (typeof outcome === 'string') assert.deepEqual(poller.addresses, ips(300));
    else {
      const known = new Set(poller.addresses);
      assert.ok(
        ips(300).every((ip) => known.has(ip)),
        'nobody was removed',
      );
      const published = new Set(ips(5_100));
      assert.ok([...known].every((ip) => published.has(ip)));
    }

    await authority.set(NAME, { a: ips(250, 1_000) });
    await eventually(
      async () => {
        await poller.poll();
        assert.deepEqual(poller.addresses, ips(250, 1_000));
      },
      { timeoutMs: ttlMs + 5_000, intervalMs: 200 },
    );
  });
}

export interface Started {
  /** Whom the client asks. */
  readonly server: RealDnsServer;
  /** Who holds the zones: the same, or the one behind the cache. */
  readonly authority: RealDnsServer;
  /** How long an answer may be old. */
  readonly ttlMs: number;
}

export type Start = (defer: (cleanUp: () => unknown) => void) => Promise<Started>;

export interface AuthorityTraits {
  readonly oversized: Oversized;
  /**
   * Whether a CNAME is followed into another zone that the server holds too. Where it is not, that is left to the
   * resolver in front, which in a cluster is always there.
   */
  readonly followsAcrossZones: boolean;
  /** How it refuses to speak of a domain that is not its own. */
  readonly foreignRcode: 'REFUSED' | 'SERVFAIL';
}

export function authorityScenarios(title: string, recipe: Recipe, traits: AuthorityTraits): void {
  const recipes = [recipe];
  const start: Start = async (defer) => {
    const server = await RealDnsServer.start(defer, recipe);
    return { server, authority: server, ttlMs: 0 };
  };

  setsComeWhole(title, recipes, start);
  oversizedSets(title, recipes, traits.oversized, start);
  scaling(title, recipe);

  serverTest(`${title}: NXDOMAIN at zero pods keeps the set, and pods that come are found`, recipes, async (defer) => {
    const server = await RealDnsServer.start(defer, recipe);
    const cluster = await Cluster.start(defer, { pods: 2 });
    await server.set(NAME, { a: cluster.ips });
    const caller = callerOf(defer, server, cluster);
    const failures: string[] = [];
    caller.channel.on('dnsFailure', ({ error, kept }) => failures.push(`${error.code}, ${kept} kept`));
    await caller.channel.ready();
    await eventually(() => assert.deepEqual(caller.ready, cluster.ips));

    await server.remove(NAME);
    await caller.channel.refresh();
    assert.deepEqual(failures, ['ERR_HEADLESS_DNS_NXDOMAIN, 2 kept']);
    assert.equal(caller.channel.snapshot().dns.rcode, 'NXDOMAIN');
    await caller.answeredBy(cluster.ips);

    const added = (await cluster.scaleUp(2)).map(({ ip }) => ip);
    await server.set(NAME, { a: added });
    await caller.channel.refresh();
    await eventually(() => assert.deepEqual(caller.ready, added));
    await caller.answeredBy(added);
  });

  serverTest(`${title}: a search list as Kubernetes writes it leads to the Service`, recipes, async (defer) => {
    const server = await RealDnsServer.start(defer, recipe);
    await server.set(NAME, { a: ips(3) });
    const folder = mkdtempSync(join(tmpdir(), 'grpc-headless-resolv-'));
    defer(() => rmSync(folder, { recursive: true }));
    const resolvConf = join(folder, 'resolv.conf');
    const search = 'test.svc.cluster.local svc.cluster.local cluster.local us-east-1.compute.internal';
    writeFileSync(resolvConf, `search ${search}\nnameserver 10.96.0.10\noptions ndots:5\n`);

    // Three domains of the cluster say NXDOMAIN to the full name, the node's is refused twice: a round is an attempt.
    const queries = { hello: 1, 'hello.test': 2, 'hello.test.svc': 3, [NAME]: 6 };
    for (const [name, expected] of Object.entries(queries)) {
      const client = clientOf(server, name, { resolvConf }, false);
      const answer = await ask(client);
      assert.deepEqual(answer.found, { A: ips(3) }, name);
      assert.equal(answer.name, NAME);
      assert.equal(client.counters.queries, expected, name);
      await ask(client);
      assert.equal(client.counters.queries, expected + 1, 'the name that answered is asked for first');
    }
    const absolute = clientOf(server, NAME, { resolvConf }, true);
    assert.deepEqual((await ask(absolute)).found, { A: ips(3) });
    assert.equal(absolute.counters.queries, 1);
    const foreign = await ask(clientOf(server, 'db.us-east-1.compute.internal', { resolvConf }, true));
    assert.deepEqual(foreign.found, { A: `ERR_HEADLESS_DNS_${traits.foreignRcode}` });
  });

  serverTest(`${title}: a chain of CNAMEs within the zone is followed`, recipes, async (defer) => {
    const server = await RealDnsServer.start(defer, recipe);
    await server.set(NAME, { a: ips(3) });
    await server.set('hop.test.svc.cluster.local', { cname: NAME });
    await server.set('alias.test.svc.cluster.local', { cname: 'hop.test.svc.cluster.local' });
    const answer = await ask(clientOf(server, 'alias.test.svc.cluster.local'));
    assert.deepEqual(answer.found, { A: ips(3) });
  });

  const outcome = traits.followsAcrossZones ? 'is followed' : 'is left to a resolver, and counts as NODATA';
  serverTest(`${title}: a CNAME into another zone (ExternalName) ${outcome}`, recipes, async (defer) => {
    const server = await RealDnsServer.start(defer, recipe);
    await server.set('real.example.org', { a: ips(3) });
    await server.set('alias.example.org', { cname: 'real.example.org' });
    await server.set(NAME, { cname: 'alias.example.org' });
    const noData = 'ERR_HEADLESS_DNS_NODATA';
    const { found } = await ask(clientOf(server));
    assert.deepEqual(found, traits.followsAcrossZones ? { A: ips(3) } : { A: noData, AAAA: noData });
  });

  families(title, recipes, start);
  namedPorts(title, recipes, start);

  serverTest(`${title}: a restart in mid-poll fails no call, and what changed meanwhile is found`, recipes, (defer) =>
    restartInMidPoll(defer, recipe),
  );

  serverTest(`${title}: a restart in mid-poll over TCP keeps a set of 300`, recipes, async (defer) => {
    const server = await RealDnsServer.start(defer, recipe);
    await server.set(NAME, { a: ips(300) });
    const poller = watch(defer, server, { timeoutMs: 500, attempts: 1 });
    // So often cut over UDP that TCP is asked first.
    for (let polls = 0; polls < 3; polls++) await poller.poll();
    assert.equal(poller.transport, 'tcp');
    await server.freeze();
    const poll = poller.poll();
    await eventually(() => poller.isAsking);
    await server.kill();
    await poll;
    assert.deepEqual([poller.failures, poller.addresses], [1, ips(300)]);
    server.setWhileDown(NAME, { a: ips(290, 5) });
    await server.start();
    await eventually(() => assert.deepEqual(poller.addresses, ips(290, 5)));
  });
}

/** For each way in which a server may learn of changed zones. */
export function scaling(title: string, recipe: Recipe): void {
  serverTest(`${title}: pods that come and go are seen by the next poll`, [recipe], async (defer) => {
    const server = await RealDnsServer.start(defer, recipe);
    const cluster = await Cluster.start(defer, { pods: 2 });
    await server.set(NAME, { a: cluster.ips });
    const caller = callerOf(defer, server, cluster);
    await caller.channel.ready();
    await eventually(() => assert.deepEqual(caller.ready, cluster.ips));
    const end = caller.callOn();

    const sets = [cluster.ips, [...cluster.ips, ...(await cluster.scaleUp(3)).map(({ ip }) => ip)]];
    sets.push(cluster.ips.slice(2, 4), cluster.ips.slice(3), cluster.ips.slice(0, 1));
    for (const set of sets) {
      await server.set(NAME, { a: set });
      const { polls } = caller.channel.snapshot().counters;
      await caller.channel.refresh();
      const { dns, counters } = caller.channel.snapshot();
      assert.deepEqual([...dns.addresses].sort(), set);
      assert.equal(counters.polls, polls + 1);
      await eventually(() => assert.deepEqual(caller.ready, set));
      await caller.answeredBy(set);
    }
    assert.ok((await end()) > 0);
  });
}

export function families(title: string, recipes: readonly Recipe[], start: Start): void {
  serverTest(
    `${title}: a Service of IPv6 only is found, and one of both families gives both`,
    recipes,
    async (defer) => {
      const { server, authority } = await start(defer);
      const a = ips(3);
      const aaaa = ['2001:db8::1:1', 'fd00::10', 'fd00:0:0:1::2'].sort();
      await authority.set('six.test.svc.cluster.local', { aaaa });
      await authority.set(NAME, { a, aaaa });
      const noData = 'ERR_HEADLESS_DNS_NODATA';
      const expected: [name: string, family: 'auto' | 'ipv4' | 'ipv6' | 'dual', found: object][] = [
        ['six.test.svc.cluster.local', 'auto', { A: noData, AAAA: aaaa }],
        ['six.test.svc.cluster.local', 'dual', { A: noData, AAAA: aaaa }],
        [NAME, 'auto', { A: a }],
        [NAME, 'ipv6', { AAAA: aaaa }],
        [NAME, 'dual', { A: a, AAAA: aaaa }],
      ];
      for (const [name, family, found] of expected)
        assert.deepEqual((await ask(clientOf(server, name, { family }))).found, found, `${family} of ${name}`);
    },
  );
}

/** SRV records of two ports of a Service, whose pods have ports of their own. */
export function namedPorts(title: string, recipes: readonly Recipe[], start: Start): void {
  serverTest(
    `${title}: a named port leads to the address and the port of each pod, also with more pods than a datagram holds`,
    recipes,
    async (defer) => {
      const { server, authority } = await start(defer);
      for (const count of [3, 60]) {
        const service = `hello-${count}.test.svc.cluster.local`;
        const pods = ips(count).map((ip, index) => ({ ip, port: 50_000 + index, target: `p${index}.${service}` }));
        await authority.setAll({
          ...Object.fromEntries(pods.map(({ target, ip }) => [target, { a: [ip] }])),
          [`_grpc._tcp.${service}`]: { srv: pods.map(({ port, target }) => ({ port, target })) },
        });
        const client = clientOf(server, `_grpc._tcp.${service}`);
        const answer = await ask(client);
        assert.deepEqual(answer.found, { SRV: pods.map(({ ip, port }) => `${ip}:${port}`).sort() });
        assert.equal(answer.transport, count === 3 ? 'udp' : 'tcp');
        const missing = await ask(clientOf(server, `_metrics._tcp.${service}`));
        assert.deepEqual(missing.found, { SRV: 'ERR_HEADLESS_DNS_NXDOMAIN' });
      }
    },
  );
}

/** @param upstream holds the zones, where `recipe` is a cache before it. */
export async function restartInMidPoll(
  defer: (cleanUp: () => unknown) => void,
  recipe: Recipe,
  upstream?: RealDnsServer,
): Promise<void> {
  const server = await RealDnsServer.start(defer, recipe);
  const cluster = await Cluster.start(defer, { pods: 3 });
  await (upstream ?? server).set(NAME, { a: cluster.ips });
  const caller = callerOf(defer, server, cluster, {
    refresh: { intervalMs: 150 },
    dns: { timeoutMs: 300, attempts: 1 },
  });
  await caller.channel.ready();
  await eventually(() => assert.deepEqual(caller.ready, cluster.ips));
  const end = caller.callOn();

  await server.freeze();
  await eventually(() => caller.channel.snapshot().dns.nextQueryAt === null);
  await server.kill();
  await eventually(() => caller.channel.snapshot().dns.failures >= 2);
  assert.deepEqual(caller.ready, cluster.ips);
  await caller.answeredBy(cluster.ips);

  const after = [...cluster.ips.slice(1), ...(await cluster.scaleUp(1)).map(({ ip }) => ip)];
  if (upstream === undefined) server.setWhileDown(NAME, { a: after });
  else await upstream.set(NAME, { a: after });
  await server.start();
  await eventually(() => assert.deepEqual(caller.ready, after));
  assert.equal(caller.channel.snapshot().dns.failures, 0);
  await caller.answeredBy(after);
  assert.ok((await end()) > 0);
}
