/** Truncated responses over UDP, and what can go wrong on the TCP connection that follows. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { parseQuery } from '../support/dns-reply.js';
import type { DnsExchange, DnsQuery } from '../support/dns-server.js';
import { type Defer, leakCheck } from '../support/leak-check.js';
import { frame, response } from '../support/wire.js';
import { type Coverage, covers } from './covers.js';
import { answerWith, FORGED, NEW, OLD, startFixture, truncatedResponse } from './fixture.js';

type Answering = (query: DnsQuery, exchange: DnsExchange) => void | Promise<void>;

/** TC over UDP, and the given response over TCP. */
function overTcp(respond: Answering): Answering {
  return (query, exchange) =>
    exchange.transport === 'udp' ? exchange.reply(truncatedResponse(query)) : respond(query, exchange);
}

const good = (query: DnsQuery): Buffer => answerWith(query, NEW);

test('a truncated response is discarded, and TCP to the same server gives the whole set', covers(18), async (t) => {
  const { servers, ask, ready, failures } = await startFixture(t, { servers: 2 });
  const asked = servers.map((server) => server.queries.length);
  const { truncated, tcpQueries, malformed } = await ask((query, exchange) => {
    const part = response({ query: query.buffer, flags: 0x8380, answers: [answerWith(query, [FORGED]).subarray(-16)] });
    // Cut inside a record, as some servers do.
    exchange.reply(exchange.transport === 'udp' ? part.subarray(0, -3) : good(query));
  });
  assert.deepEqual({ truncated, tcpQueries, malformed }, { truncated: 1, tcpQueries: 1, malformed: 0 });
  assert.deepEqual(
    servers.map((server, index) => server.queries.length - (asked[index] as number)),
    [2, 0],
  );
  assert.deepEqual(failures, []);
  await ready(NEW);
});

const SEGMENTED: readonly [coverage: Coverage, title: string, respond: Answering][] = [
  [covers(21), 'TCP split octet by octet', (query, exchange) => exchange.trickle(good(query), 0)],
  [
    covers(21),
    'two frames in one segment',
    (query, exchange) => exchange.write(Buffer.concat([frame(good(query)), frame(answerWith(query, [FORGED]))])),
  ],
  [
    covers(21),
    'a frame and a half',
    (query, exchange) =>
      exchange.write(Buffer.concat([frame(good(query)), frame(answerWith(query, [FORGED])).subarray(0, 9)])),
  ],
  [
    covers(21),
    'a full frame, then FIN',
    (query, exchange) => {
      exchange.reply(good(query));
      exchange.close();
    },
  ],
  [
    covers(21),
    'a full frame, then RST',
    (query, exchange) => {
      exchange.reply(good(query));
      setImmediate(() => exchange.reset());
    },
  ],
];

for (const [coverage, title, respond] of SEGMENTED)
  test(`${title}: the response is read`, coverage, async (t) => {
    const { ask, ready, failures } = await startFixture(t);
    const { replies, malformed, unreachable } = await ask(overTcp(respond));
    assert.deepEqual({ replies, malformed, unreachable }, { replies: 1, malformed: 0, unreachable: 0 });
    assert.deepEqual(failures, []);
    await ready(NEW);
  });

const BROKEN: readonly [coverage: Coverage, title: string, broken: { code: string; respond: Answering }][] = [
  [
    covers(22),
    'TCP closed in mid-frame',
    {
      code: 'MALFORMED',
      respond: (query, exchange) => {
        exchange.write(frame(good(query)).subarray(0, 20));
        exchange.close();
      },
    },
  ],
  [
    covers(22),
    'TCP closed within the length',
    {
      code: 'MALFORMED',
      respond: (query, exchange) => {
        exchange.write(frame(good(query)).subarray(0, 1));
        exchange.close();
      },
    },
  ],
  [covers(22), 'TCP closed before anything', { code: 'UNREACHABLE', respond: (_query, exchange) => exchange.close() }],
  [covers(22), 'TCP reset before anything', { code: 'UNREACHABLE', respond: (_query, exchange) => exchange.reset() }],
  [
    covers(22),
    'a frame of length 0',
    {
      code: 'MALFORMED',
      respond: (_query, exchange) => exchange.reply(Buffer.alloc(0)),
    },
  ],
  [
    covers(22),
    'a frame of 11 octets',
    {
      code: 'MALFORMED',
      respond: (query, exchange) => exchange.reply(good(query).subarray(0, 11)),
    },
  ],
  [
    covers(22),
    'a length that is too large',
    {
      code: 'MALFORMED',
      respond: (query, exchange) => {
        exchange.write(Buffer.concat([Buffer.from([0xff, 0xff]), good(query)]));
        exchange.close();
      },
    },
  ],
];

for (const [coverage, title, { code, respond }] of BROKEN)
  test(`${title} fails; the endpoints stay, and the next server is asked`, coverage, async (t) => {
    const { servers, ask, ready, failures } = await startFixture(t, { servers: 2 });
    const { replies } = await ask(overTcp(respond));
    assert.equal(replies, 0);
    assert.equal(failures[0]?.error.code, `ERR_HEADLESS_DNS_${code}`);
    await ready(OLD);
    await ask((query, exchange) => {
      const isFirst = servers[0]?.queries.at(-1)?.buffer === query.buffer;
      return isFirst ? overTcp(respond)(query, exchange) : exchange.reply(good(query));
    });
    await ready(NEW);
  });

test('octets that arrive slowly fail at the one deadline, and the endpoints stay', covers(22), async (t) => {
  const timeoutMs = 500;
  const { ask, ready, failures } = await startFixture(t, { dns: { timeoutMs } });
  let written = 0;
  const started = performance.now();
  const { timeouts } = await ask(
    overTcp(async (query, exchange) => {
      // A timeout that was restarted by each octet would take half a minute.
      for (const octet of frame(answerWith(query, Array<string>(100).fill(FORGED))).subarray(0, 300)) {
        if (failures.length > 0) return;
        exchange.write(Buffer.from([octet]));
        written += 1;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }),
  );
  const tookMs = performance.now() - started;
  assert.equal(timeouts, 1);
  assert.equal(failures[0]?.error.code, 'ERR_HEADLESS_DNS_TIMEOUT');
  assert.ok(written < 200, `${written} octets in ${tookMs} ms`);
  await ready(OLD);
});

/** A DNS server that listens on UDP only. */
async function udpOnly(defer: Defer): Promise<{ address: string; respond: (query: DnsQuery) => Buffer }> {
  const socket = createSocket('udp4');
  defer(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const server = {
    address: `127.0.0.1:${socket.address().port}`,
    respond: (query: DnsQuery) => answerWith(query, OLD),
  };
  socket.on('message', (message, from) =>
    socket.send(server.respond(parseQuery(message, 'udp')), from.port, from.address),
  );
  return server;
}

test(
  'TCP refused after TC leads to the next server; where there is none, the endpoints stay',
  covers(20),
  async (t) => {
    const defer = leakCheck(t);
    const lame = await udpOnly(defer);
    const { dns, ask, ready, failures } = await startFixture(t, { defer, before: [lame.address] });
    lame.respond = truncatedResponse;
    const { unreachable, truncated } = await ask((query, exchange) => exchange.reply(good(query)));
    assert.deepEqual({ unreachable, truncated }, { unreachable: 1, truncated: 1 });
    assert.equal(failures.length, 0);
    await ready(NEW);

    await dns.close();
    // Without its last server the resolver gets ICMP's "unreachable", or no response.
    const alone = await ask(() => {});
    assert.ok(alone.unreachable >= 1);
    assert.match(failures[0]?.error.code ?? '', /^ERR_HEADLESS_DNS_(UNREACHABLE|TIMEOUT)$/);
    await ready(NEW);
  },
);
