/** Servers that fail, do not respond, respond late or stop, and clocks that jump. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { credentials } from '@grpc/grpc-js';

import type { DnsExchange, DnsQuery } from '../support/dns-server.js';
import { eventually } from '../support/eventually.js';
import { HelloClient } from '../support/hello-service.js';
import { type ClosedLoop, startLoad } from '../support/load-generator.js';
import { response } from '../support/wire.js';
import { covers } from './covers.js';
import { answerWith, type Fixture, FORGED, NEW, OLD, startFixture } from './fixture.js';

const RCODES = { SERVFAIL: 2, NOTIMP: 4, REFUSED: 5, YXDOMAIN: 6, NOTAUTH: 9 } as const;

/** The server that this query came to. */
function serverOf({ servers }: Fixture, query: DnsQuery): number {
  return servers.findIndex((server) => server.queries.at(-1)?.buffer === query.buffer);
}

for (const [rcode, number] of Object.entries(RCODES))
  test(
    `after ${rcode} from all servers the endpoints stay and polls back off; after ${rcode} from the first the next is asked`,
    covers(23),
    async (t) => {
      const fixture = await startFixture(t, { servers: 3 });
      const { ask, ready, failures, channel, servers } = fixture;
      const fail = (query: DnsQuery, exchange: DnsExchange): void =>
        exchange.reply(response({ query: query.buffer, rcode: number }));
      const asked = servers.map((server) => server.queries.length);
      const counters = await ask(fail);
      assert.deepEqual([counters.queries, counters.replies, counters.failures], [3, 3, 1]);
      assert.ok(servers.every((server, index) => server.queries.length === (asked[index] as number) + 1));
      const code = `ERR_HEADLESS_DNS_${rcode === 'SERVFAIL' || rcode === 'REFUSED' ? rcode : 'RCODE'}`;
      assert.equal(failures[0]?.error.code, code);
      assert.equal(failures[0]?.kept, 2);
      const { nextQueryAt } = channel.snapshot().dns;
      // The backoff begins with a second; the interval would be ten minutes.
      assert.ok(nextQueryAt !== null && nextQueryAt - Date.now() < 5_000);
      await ready(OLD);

      await ask((query, exchange) =>
        serverOf(fixture, query) === 0 ? fail(query, exchange) : exchange.reply(answerWith(query, NEW)),
      );
      assert.equal(channel.snapshot().dns.server, servers[1]?.address);
      await ready(NEW);
    },
  );

test(
  'a first server that is a black hole costs one timeout, and then the next server is asked first',
  covers(33),
  async (t) => {
    const timeoutMs = 300;
    const fixture = await startFixture(t, { servers: 2, dns: { timeoutMs } });
    const { ask, ready, servers, failures } = fixture;
    const [hole, alive] = servers as [(typeof servers)[number], (typeof servers)[number]];
    const { timeouts } = await ask((query, exchange) => {
      if (serverOf(fixture, query) === 1) exchange.reply(answerWith(query, NEW));
    });
    assert.equal(timeouts, 1);
    await ready(NEW);
    const silence = (alive.queries.at(-1)?.at ?? 0) - (hole.queries.at(-1)?.at ?? 0);
    assert.ok(silence >= timeoutMs * 0.9, `the next server was asked after ${silence} ms`);

    const asked = hole.queries.length;
    for (let poll = 0; poll < 5; poll++) {
      const counters = await ask((query, exchange) => {
        if (serverOf(fixture, query) === 1) exchange.reply(answerWith(query, NEW));
      });
      assert.equal(counters.timeouts, 0);
    }
    assert.equal(hole.queries.length, asked);
    assert.deepEqual(failures, []);
  },
);

test('while every server is a black hole the number of sockets stays bounded', covers(33), async (t) => {
  const { ask, channel, failures } = await startFixture(t, { servers: 3, dns: { timeoutMs: 150, attempts: 2 } });
  const idle = openUdpSockets();
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, openUdpSockets());
  }, 20);
  const { timeouts } = await ask(() => {}).finally(() => clearInterval(watch));
  assert.equal(timeouts, 6);
  // One in use, and one that libuv is still closing.
  assert.ok(most - idle <= 2, `${most - idle} sockets at once`);
  await eventually(() => openUdpSockets() === idle);
  assert.equal(failures[0]?.error.code, 'ERR_HEADLESS_DNS_TIMEOUT');
  assert.equal(channel.snapshot().endpoints.length, 2);
});

/** Also counts sockets that are unref'd. */
function openUdpSockets(): number {
  const report = process.report as unknown as { excludeNetwork: boolean; getReport(): { libuv: { type: string }[] } };
  report.excludeNetwork = true;
  return report.getReport().libuv.filter(({ type }) => type === 'udp').length;
}

function loadOn({ defer, channel }: Fixture): ClosedLoop {
  const client = new HelloClient(channel.getTarget(), credentials.createInsecure(), { channelOverride: channel });
  return startLoad(defer, client);
}

test('while all DNS is down through many polls no call fails and no pod is removed', covers(34), async (t) => {
  const fixture = await startFixture(t, {
    servers: 2,
    dns: { timeoutMs: 50 },
    refresh: { intervalMs: 50, minIntervalMs: 50 },
  });
  const load = loadOn(fixture);
  const outages: readonly ((query: DnsQuery, exchange: DnsExchange) => void)[] = [
    () => {},
    (query, exchange) => exchange.reply(response({ query: query.buffer, rcode: 2 })),
    (query, exchange) => exchange.reply(answerWith(query, [FORGED]).subarray(0, -1)),
    (_query, exchange) => exchange.reply(Buffer.alloc(5)),
  ];
  for (const outage of outages) {
    for (const server of fixture.servers) server.respond = outage;
    const before = fixture.failures.length;
    await eventually(() => fixture.failures.length >= before + 4, { timeoutMs: 30_000 });
  }
  const enough = load.recorder.answered + 20;
  await eventually(() => load.recorder.answered > enough, { timeoutMs: 20_000 });
  await load.stop();
  assert.deepEqual(load.recorder.failures, []);
  assert.equal(fixture.updates.length, 1);
  await fixture.ready(OLD);
});

test(
  'a response that comes after the timeout is ignored, also while the next query is in progress',
  covers(35),
  async (t) => {
    const { ask, ready, failures, dns } = await startFixture(t, { dns: { timeoutMs: 200 } });
    const late: { query: DnsQuery; exchange: DnsExchange }[] = [];
    await ask((query, exchange) => void late.push({ query, exchange }));
    assert.equal(failures[0]?.error.code, 'ERR_HEADLESS_DNS_TIMEOUT');
    for (const { query, exchange } of late) exchange.reply(answerWith(query, [FORGED]));
    const { wrongId, dropped, malformed } = await ask((query, exchange) => {
      for (const old of late) old.exchange.reply(answerWith(old.query, [FORGED]));
      exchange.reply(answerWith(query, NEW));
    });
    assert.deepEqual({ wrongId, dropped, malformed }, { wrongId: 0, dropped: 0, malformed: 0 });
    assert.equal(failures.length, 1);
    await ready(NEW);
    assert.ok(dns.queries.length >= 3);
  },
);

test('a response that comes after close() is ignored', covers(35), async (t) => {
  const { channel, dns, failures, updates } = await startFixture(t);
  const late: { query: DnsQuery; exchange: DnsExchange }[] = [];
  dns.respond = (query, exchange) => void late.push({ query, exchange });
  const refreshed = channel.refresh();
  await eventually(() => late.length === 1);
  channel.close();
  await refreshed;
  for (const { query, exchange } of late) exchange.reply(answerWith(query, NEW));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual([failures.length, updates.length], [0, 1]);
});

/** Runs `body` with `Date.now()` and `new Date()` shifted by this much. */
async function withWallClockOff(t: TestContext, ms: number, body: () => Promise<void>): Promise<void> {
  const now = Date.now;
  const mocked = t.mock.method(Date, 'now', () => now() + ms);
  try {
    await body();
  } finally {
    mocked.mock.restore();
  }
}

for (const [title, ms] of Object.entries({ forward: 3_600_000, back: -3_600_000 }))
  test(
    `when the wall clock jumps an hour ${title}, polls keep their interval, and calls and endpoints stay`,
    covers(50),
    async (t) => {
      const fixture = await startFixture(t, { refresh: { intervalMs: 100, minIntervalMs: 100, jitter: 0 } });
      const { channel, dns, ready, failures, updates, pods } = fixture;
      await withWallClockOff(t, ms, async () => {
        const asked = dns.queries.length;
        await eventually(() => dns.queries.length >= asked + 5, { timeoutMs: 20_000 });
        const times = dns.queries.slice(asked).map(({ at }) => at);
        const spanMs = (times.at(-1) as number) - (times[0] as number);
        assert.ok(spanMs >= (times.length - 1) * 100 * 0.8, `${times.length} queries in ${spanMs} ms`);
        const { ageMs } = channel.snapshot().dns;
        assert.ok(ageMs !== null && ageMs >= 0 && ageMs < 60_000, `the answer's age is ${ageMs} ms`);
      });
      const load = loadOn(fixture);
      await eventually(() => load.recorder.answered > 10, { timeoutMs: 20_000 });
      await load.stop();
      assert.deepEqual([load.recorder.failures, failures], [[], []]);
      assert.equal(updates.length, 1);
      assert.equal(pods.stats().accepted, 2);
      await ready(OLD);
    },
  );
