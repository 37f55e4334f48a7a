/** UDP that is not enough, and all that can go wrong on the TCP connection that follows. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { test } from 'node:test';
import { parseQuery } from '../support/dns-reply.js';
import type { DnsExchange, DnsQuery } from '../support/dns-server.js';
import { type Defer, leakCheck } from '../support/leak-check.js';
import { frame, reply } from '../support/wire.js';
import { cut, FORGED, NEW, naming, OLD, startScene } from './fixture.js';

type Answering = (query: DnsQuery, exchange: DnsExchange) => void | Promise<void>;

/** TC over UDP, and this over TCP. */
function overTcp(respond: Answering): Answering {
  return (query, exchange) => (exchange.transport === 'udp' ? exchange.reply(cut(query)) : respond(query, exchange));
}

const good = (query: DnsQuery): Buffer => naming(query, NEW);

test('fault 18: TC with a part of the set is discarded, and TCP to the same server gives the whole', async (t) => {
  const { servers, ask, ready, failures } = await startScene(t, { servers: 2 });
  const asked = servers.map((server) => server.queries.length);
  const { truncated, tcpQueries, malformed } = await ask((query, exchange) => {
    const part = reply({ query: query.buffer, flags: 0x8380, answers: [naming(query, [FORGED]).subarray(-16)] });
    // Cut in mid-record, as some servers cut.
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

const SEGMENTED: Readonly<Record<string, Answering>> = {
  'fault 21: TCP split octet by octet': (query, exchange) => exchange.trickle(good(query), 0),
  'fault 21: two frames in one segment': (query, exchange) =>
    exchange.write(Buffer.concat([frame(good(query)), frame(naming(query, [FORGED]))])),
  'fault 21: a frame and a half': (query, exchange) =>
    exchange.write(Buffer.concat([frame(good(query)), frame(naming(query, [FORGED])).subarray(0, 9)])),
  'fault 21: a full frame, then FIN': (query, exchange) => {
    exchange.reply(good(query));
    exchange.close();
  },
  'fault 21: a full frame, then RST': (query, exchange) => {
    exchange.reply(good(query));
    setImmediate(() => exchange.reset());
  },
};

for (const [title, respond] of Object.entries(SEGMENTED))
  test(`${title}: the reply is read`, async (t) => {
    const { ask, ready, failures } = await startScene(t);
    const { replies, malformed, unreachable } = await ask(overTcp(respond));
    assert.deepEqual({ replies, malformed, unreachable }, { replies: 1, malformed: 0, unreachable: 0 });
    assert.deepEqual(failures, []);
    await ready(NEW);
  });

const BROKEN: Readonly<Record<string, { code: string; respond: Answering }>> = {
  'fault 22: TCP closed in mid-frame': {
    code: 'MALFORMED',
    respond: (query, exchange) => {
      exchange.write(frame(good(query)).subarray(0, 20));
      exchange.close();
    },
  },
  'fault 22: TCP closed within the length': {
    code: 'MALFORMED',
    respond: (query, exchange) => {
      exchange.write(frame(good(query)).subarray(0, 1));
      exchange.close();
    },
  },
  'fault 22: TCP closed before anything': { code: 'UNREACHABLE', respond: (_query, exchange) => exchange.close() },
  'fault 22: TCP reset before anything': { code: 'UNREACHABLE', respond: (_query, exchange) => exchange.reset() },
  'fault 22: a frame of length 0': {
    code: 'MALFORMED',
    respond: (_query, exchange) => exchange.reply(Buffer.alloc(0)),
  },
  'fault 22: a frame of 11 octets': {
    code: 'MALFORMED',
    respond: (query, exchange) => exchange.reply(good(query).subarray(0, 11)),
  },
  'fault 22: a length that lies': {
    code: 'MALFORMED',
    respond: (query, exchange) => {
      exchange.write(Buffer.concat([Buffer.from([0xff, 0xff]), good(query)]));
      exchange.close();
    },
  },
};

for (const [title, { code, respond }] of Object.entries(BROKEN))
  test(`${title} fails; the endpoints stay, and the next server is asked`, async (t) => {
    const { servers, ask, ready, failures } = await startScene(t, { servers: 2 });
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

test('fault 22: octets that trickle in fail by the one deadline, and the endpoints stay', async (t) => {
  const timeoutMs = 500;
  const { ask, ready, failures } = await startScene(t, { dns: { timeoutMs } });
  let written = 0;
  const started = performance.now();
  const { timeouts } = await ask(
    overTcp(async (query, exchange) => {
      // Never silent for long: a timeout that began anew with each octet would take half a minute.
      for (const octet of frame(naming(query, Array<string>(100).fill(FORGED))).subarray(0, 300)) {
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

/** A DNS server behind whose port no TCP listens. */
async function udpOnly(defer: Defer): Promise<{ address: string; respond: (query: DnsQuery) => Buffer }> {
  const socket = createSocket('udp4');
  defer(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const server = { address: `127.0.0.1:${socket.address().port}`, respond: (query: DnsQuery) => naming(query, OLD) };
  socket.on('message', (message, from) =>
    socket.send(server.respond(parseQuery(message, 'udp')), from.port, from.address),
  );
  return server;
}

test('fault 20: TCP refused after TC leads to the next server; where there is none, the endpoints stay', async (t) => {
  const defer = leakCheck(t);
  const lame = await udpOnly(defer);
  const { dns, ask, ready, failures } = await startScene(t, { defer, before: [lame.address] });
  lame.respond = cut;
  const { unreachable, truncated } = await ask((query, exchange) => exchange.reply(good(query)));
  assert.deepEqual({ unreachable, truncated }, { unreachable: 1, truncated: 1 });
  assert.equal(failures.length, 0);
  await ready(NEW);

  await dns.close();
  // Without its last server the client hears ICMP's "unreachable", or nothing.
  const alone = await ask(() => {});
  assert.ok(alone.unreachable >= 1);
  assert.match(failures[0]?.error.code ?? '', /^ERR_HEADLESS_DNS_(UNREACHABLE|TIMEOUT)$/);
  await ready(NEW);
});
