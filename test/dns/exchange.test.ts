import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { type ExchangeRequest, type ExchangeResult, exchange, type Transport } from '../../lib/dns/exchange.js';
import { type DnsCounters, zeroDnsCounters } from '../../lib/dns/resolution.js';
import type { ServerAddress } from '../../lib/dns/settings.js';
import { type Clock, systemRuntime } from '../../lib/runtime.js';
import { type DnsExchange, type DnsQuery, DnsServer } from '../helpers/dns-server.js';
import { FakeClock } from '../helpers/fake-clock.js';
import { type Defer, leakCheck } from '../helpers/leak-check.js';
import { a, aQuery, frame, HOSTNAME, reply, u16 } from './wire.js';

interface Asked {
  readonly result: Promise<ExchangeResult>;
  readonly counters: DnsCounters;
  readonly abort: AbortController;
}

/** Asks for `HOSTNAME`; a deadline that no test waits for, unless it has a clock of its own. */
function ask(server: ServerAddress, transport: Transport, clock: Clock = systemRuntime.clock): Asked {
  const counters = zeroDnsCounters();
  const abort = new AbortController();
  const request: ExchangeRequest = {
    server,
    question: { hostname: HOSTNAME, type: 'A' },
    transport,
    edns: false,
    timeoutMs: 20_000,
    clock,
    counters,
    signal: abort.signal,
  };
  const result = exchange(request);
  result.catch(() => {}); // Looked at later.
  return { result, counters, abort };
}

type Answering = (query: DnsQuery, exchange: DnsExchange) => void | Promise<void>;

async function serve(defer: Defer, respond: Answering, host = '127.0.0.1'): Promise<DnsServer> {
  const server = await DnsServer.start({ host });
  defer(() => server.close());
  server.respond = respond;
  return server;
}

/** Resolves with the first query's exchange, to be answered when the test likes. */
function heldBack(): { respond: Answering; asked: Promise<[DnsQuery, DnsExchange]> } {
  let arrived: (pair: [DnsQuery, DnsExchange]) => void;
  const asked = new Promise<[DnsQuery, DnsExchange]>((resolve) => {
    arrived = resolve;
  });
  return { respond: (query, exchange) => arrived([query, exchange]), asked };
}

const good = (query: DnsQuery): Buffer => reply({ query: query.buffer, answers: [a('10.0.0.1')] });

async function addressesOf({ result }: Asked): Promise<readonly string[]> {
  const settled = await result;
  assert.equal(settled.kind, 'reply');
  return settled.kind === 'reply' ? settled.reply.addresses : [];
}

function fails({ result }: Asked, code: string, message?: RegExp): Promise<void> {
  return assert.rejects(result, { code: `ERR_HEADLESS_DNS_${code}`, ...(message && { message }) });
}

const transports: readonly Transport[] = ['udp', 'tcp'];

for (const transport of transports)
  describe(`a question over ${transport}`, () => {
    it('is answered', async (t) => {
      const server = await serve(leakCheck(t), (query, exchange) => exchange.reply(good(query)));
      const asked = ask(server, transport);
      assert.deepEqual(await addressesOf(asked), ['10.0.0.1']);
      const { queries, udpQueries, tcpQueries, replies } = asked.counters;
      assert.deepEqual([queries, udpQueries + tcpQueries, replies], [1, 1, 1]);
    });

    it('is answered over IPv6', async (t) => {
      const server = await serve(leakCheck(t), (query, exchange) => exchange.reply(good(query)), '::1');
      assert.deepEqual(await addressesOf(ask(server, transport)), ['10.0.0.1']);
    });

    it('is asked under an id of its own each time', async (t) => {
      const server = await serve(leakCheck(t), (query, exchange) => exchange.reply(good(query)));
      for (let count = 0; count < 5; count++) await addressesOf(ask(server, transport));
      assert.ok(new Set(server.queries.map(({ id }) => id)).size > 1);
    });

    it('times out, and says which server was silent', async (t) => {
      const clock = new FakeClock();
      const held = heldBack();
      const server = await serve(leakCheck(t), held.respond);
      const asked = ask(server, transport, clock);
      await held.asked;
      await clock.advance(20_000);
      await fails(asked, 'TIMEOUT', new RegExp(`"${HOSTNAME}": 127.0.0.1:${server.port} .*${transport}.* 20000 ms`));
      assert.deepEqual([asked.counters.timeouts, clock.timers], [1, 0]);
    });

    it('fault 35: may be answered late, to no effect', async (t) => {
      const clock = new FakeClock();
      const held = heldBack();
      const server = await serve(leakCheck(t), held.respond);
      const asked = ask(server, transport, clock);
      const [query, exchange] = await held.asked;
      await clock.advance(20_000);
      exchange.reply(good(query));
      await fails(asked, 'TIMEOUT');
      assert.equal(asked.counters.replies, 0);
    });

    it('fault 44: ends at once with the signal, under way or not begun', async (t) => {
      const clock = new FakeClock();
      const held = heldBack();
      const server = await serve(leakCheck(t), held.respond);
      const asked = ask(server, transport, clock);
      await held.asked;
      asked.abort.abort(new Error('closed'));
      await assert.rejects(asked.result, { message: 'closed' });

      const early = ask(server, transport, clock);
      early.abort.abort(new Error('closed'));
      await assert.rejects(early.result, { message: 'closed' });
      assert.equal(clock.timers, 0);
    });

    it('fails when the reply is malformed', async (t) => {
      const broken = (query: DnsQuery): Buffer => good(query).subarray(0, -1);
      const server = await serve(leakCheck(t), (query, exchange) => exchange.reply(broken(query)));
      const asked = ask(server, transport);
      await fails(asked, 'MALFORMED', /past the end/);
      assert.equal(asked.counters.malformed, 1);
    });

    it('fails at once when nothing listens there', async (t) => {
      leakCheck(t);
      const port = await freePort(transport);
      const asked = ask({ host: '127.0.0.1', port }, transport);
      await fails(asked, 'UNREACHABLE', /ECONNREFUSED/);
      assert.equal(asked.counters.unreachable, 1);
    });

    it('fails when the server has a scope that is not there', async (t) => {
      leakCheck(t);
      await fails(ask({ host: 'fe80::1%nowhere0', port: 53 }, transport), 'UNREACHABLE');
    });

    it('fault 17: takes a bare FORMERR for an answer', async (t) => {
      const bare = (query: DnsQuery): Buffer => Buffer.concat([u16(query.id), u16(0x8001), Buffer.alloc(8)]);
      const server = await serve(leakCheck(t), (query, exchange) => exchange.reply(bare(query)));
      const settled = await ask(server, transport).result;
      assert.equal(settled.kind === 'reply' && settled.reply.rcode, 'FORMERR');
    });
  });

describe('a question over udp', () => {
  /** Every datagram before the good one must be passed over. */
  async function passesOver(t: TestContext, bad: (query: DnsQuery) => Buffer[]): Promise<DnsCounters> {
    const server = await serve(leakCheck(t), (query, exchange) => {
      for (const message of bad(query)) exchange.reply(message);
      exchange.reply(good(query));
    });
    const asked = ask(server, 'udp');
    assert.deepEqual(await addressesOf(asked), ['10.0.0.1']);
    return asked.counters;
  }

  it('fault 1: passes over datagrams of 0 to 11 octets', async (t) => {
    const lengths = Array.from({ length: 12 }, (_, length) => length);
    const { dropped } = await passesOver(t, (query) => lengths.map((length) => good(query).subarray(0, length)));
    assert.equal(dropped, 12);
  });

  it('fault 2: turns suspicious of a reply with a wrong id', async (t) => {
    const server = await serve(leakCheck(t), (query, exchange) => {
      exchange.reply(Buffer.concat([u16(query.id ^ 1), good(query).subarray(2)]));
    });
    const asked = ask(server, 'udp');
    assert.deepEqual(await asked.result, { kind: 'suspect' });
    assert.equal(asked.counters.wrongId, 1);
  });

  it('fault 3: never hears a reply from another port or address', async (t) => {
    const server = await serve(leakCheck(t), async (query, exchange) => {
      const forged = reply({ query: query.buffer, answers: [a('10.6.6.6')] });
      await exchange.replyFromElsewhere(forged);
      await exchange.replyFromElsewhere(forged, '127.0.0.2');
      exchange.reply(good(query));
    });
    assert.deepEqual(await addressesOf(ask(server, 'udp')), ['10.0.0.1']);
  });

  it('fault 4: passes over QR=0, other opcodes, 0 and 2 questions', async (t) => {
    const edited = (query: DnsQuery, at: number, value: number): Buffer => {
      const message = Buffer.from(good(query));
      message.writeUInt16BE(value, at);
      return message;
    };
    const { dropped } = await passesOver(t, (query) => [
      query.buffer,
      edited(query, 2, 0xa800),
      edited(query, 4, 0),
      edited(query, 4, 2),
    ]);
    assert.equal(dropped, 4);
  });

  it('fault 5: passes over replies to other questions', async (t) => {
    const other = (id: number, hostname: string, type: 'A' | 'AAAA'): Buffer =>
      reply({ query: aQuery({ id, hostname, type }), answers: [a('10.6.6.6')] });
    const { wrongQuestion } = await passesOver(t, ({ id }) => [other(id, 'svc.ns', 'A'), other(id, HOSTNAME, 'AAAA')]);
    assert.equal(wrongQuestion, 2);
  });

  it('fault 18: discards a part of the set, however the rest is cut', async (t) => {
    const server = await serve(leakCheck(t), (query, exchange) => {
      exchange.reply(reply({ query: query.buffer, flags: 0x8380, answers: [a('10.0.0.1').subarray(0, 7)] }));
    });
    assert.deepEqual(await ask(server, 'udp').result, { kind: 'truncated' });
  });
});

describe('a question over tcp', () => {
  it('fault 21: is answered octet by octet', async (t) => {
    const server = await serve(leakCheck(t), (query, exchange) => exchange.trickle(good(query), 0));
    assert.deepEqual(await addressesOf(ask(server, 'tcp')), ['10.0.0.1']);
  });

  it('fault 21: is answered by the first of two frames in a segment', async (t) => {
    const server = await serve(leakCheck(t), (query, exchange) => {
      const second = reply({ query: query.buffer, answers: [a('10.0.0.2')] });
      exchange.write(Buffer.concat([frame(good(query)), frame(second)]));
    });
    assert.deepEqual(await addressesOf(ask(server, 'tcp')), ['10.0.0.1']);
  });

  it('fault 21: is answered by a whole frame before RST', async (t) => {
    const server = await serve(leakCheck(t), (query, exchange) => {
      exchange.reply(good(query));
      exchange.reset();
    });
    assert.deepEqual(await addressesOf(ask(server, 'tcp')), ['10.0.0.1']);
  });

  it('fault 22: fails when the connection closes in mid-frame', async (t) => {
    const defer = leakCheck(t);
    for (const octets of [1, 2, 20]) {
      const server = await serve(defer, (query, exchange) => {
        exchange.write(frame(good(query)).subarray(0, octets));
        exchange.close();
      });
      await fails(ask(server, 'tcp'), 'MALFORMED', /mid-reply/);
    }
  });

  it('fault 22: fails when the connection closes or is reset before any octet', async (t) => {
    const defer = leakCheck(t);
    const closing = await serve(defer, (_query, exchange) => exchange.close());
    await fails(ask(closing, 'tcp'), 'UNREACHABLE', /closed/);
    const resetting = await serve(defer, (_query, exchange) => exchange.reset());
    await fails(ask(resetting, 'tcp'), 'UNREACHABLE', /ECONNRESET/);
  });

  it('fault 22: fails at a frame of length 0, and of fewer octets than a header', async (t) => {
    const defer = leakCheck(t);
    for (const length of [0, 11]) {
      const server = await serve(defer, (query, exchange) => exchange.reply(good(query).subarray(0, length)));
      await fails(ask(server, 'tcp'), 'MALFORMED');
    }
  });

  it('fault 22: fails by the one deadline, however steadily octets trickle in', async (t) => {
    const clock = new FakeClock();
    const held = heldBack();
    const server = await serve(leakCheck(t), held.respond);
    const asked = ask(server, 'tcp', clock);
    const [query, exchange] = await held.asked;
    for (const octet of frame(good(query)).subarray(0, 15)) {
      exchange.write(Buffer.from([octet]));
      await clock.advance(1_000);
    }
    await clock.advance(5_000);
    await fails(asked, 'TIMEOUT');
  });

  it('faults 2, 4, 5: fails at whatever is not the reply', async (t) => {
    const wrongId = (query: DnsQuery): Buffer => Buffer.concat([u16(query.id ^ 1), good(query).subarray(2)]);
    const wrongName = ({ id }: DnsQuery): Buffer => reply({ query: aQuery({ id, hostname: 'svc.ns' }) });
    const defer = leakCheck(t);
    for (const [bad, what] of [
      [wrongId, /another id/],
      [wrongName, /another question/],
      [(query: DnsQuery) => query.buffer, /not a reply/],
    ] as const) {
      const server = await serve(defer, (query, exchange) => exchange.reply(bad(query)));
      await fails(ask(server, 'tcp'), 'MALFORMED', what);
    }
  });

  it('fault 19: tells TC along with the addresses', async (t) => {
    const server = await serve(leakCheck(t), (query, exchange) => {
      exchange.reply(reply({ query: query.buffer, flags: 0x8380, answers: [a('10.0.0.1')] }));
    });
    const settled = await ask(server, 'tcp').result;
    assert.equal(settled.kind === 'reply' && settled.reply.truncated, true);
  });
});

/** A port where nothing listened a moment ago. */
async function freePort(transport: Transport): Promise<number> {
  if (transport === 'udp') {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const { port } = socket.address();
    await new Promise<void>((resolve) => socket.close(resolve));
    return port;
  }
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
