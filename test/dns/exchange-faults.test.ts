import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { DiscoveryCounters } from '../../lib/telemetry/counters.js';
import { covers } from '../faults/covers.js';
import { addressesOf, ask, fails, good, heldBack, responseOf, serve } from '../support/dns-query.js';
import type { DnsQuery } from '../support/dns-server.js';
import { FakeClock } from '../support/fake-clock.js';
import { leakCheck } from '../support/leak-check.js';
import { a, aQuery, frame, HOSTNAME, response, u16 } from '../support/wire.js';

describe('an exchange over udp', () => {
  /** Sends the bad datagrams and then a good one, which must be accepted. */
  async function countersAfter(t: TestContext, bad: (query: DnsQuery) => Buffer[]): Promise<DiscoveryCounters> {
    const server = await serve(leakCheck(t), (query, exchange) => {
      for (const message of bad(query)) exchange.reply(message);
      exchange.reply(good(query));
    });
    const asked = ask(server, 'udp');
    assert.deepEqual(await addressesOf(asked), ['10.0.0.1']);
    return asked.counters;
  }

  it('ignores datagrams of 0 to 11 octets', covers(1), async (t) => {
    const lengths = Array.from({ length: 12 }, (_, length) => length);
    const { dropped } = await countersAfter(t, (query) => lengths.map((length) => good(query).subarray(0, length)));
    assert.equal(dropped, 12);
  });

  it('ends with `id-mismatch` at a response with a wrong id', covers(2), async (t) => {
    const server = await serve(leakCheck(t), (query, exchange) => {
      exchange.reply(Buffer.concat([u16(query.id ^ 1), good(query).subarray(2)]));
    });
    const asked = ask(server, 'udp');
    assert.deepEqual(await asked.result, { kind: 'id-mismatch' });
    assert.equal(asked.counters.wrongId, 1);
  });

  it('never receives a response from another port or address', covers(3), async (t) => {
    const server = await serve(leakCheck(t), async (query, exchange) => {
      const forged = response({ query: query.buffer, answers: [a('10.6.6.6')] });
      await exchange.replyFromElsewhere(forged);
      await exchange.replyFromElsewhere(forged, '127.0.0.2');
      exchange.reply(good(query));
    });
    assert.deepEqual(await addressesOf(ask(server, 'udp')), ['10.0.0.1']);
  });

  it('ignores QR=0, other opcodes, 0 and 2 questions', covers(4), async (t) => {
    const edited = (query: DnsQuery, at: number, value: number): Buffer => {
      const message = Buffer.from(good(query));
      message.writeUInt16BE(value, at);
      return message;
    };
    const { dropped } = await countersAfter(t, (query) => [
      query.buffer,
      edited(query, 2, 0xa800),
      edited(query, 4, 0),
      edited(query, 4, 2),
    ]);
    assert.equal(dropped, 4);
  });

  it('ignores responses to other questions', covers(5), async (t) => {
    const other = (id: number, hostname: string, type: 'A' | 'AAAA'): Buffer =>
      response({ query: aQuery({ id, hostname, type }), answers: [a('10.6.6.6')] });
    const { wrongQuestion } = await countersAfter(t, ({ id }) => [
      other(id, 'svc.ns', 'A'),
      other(id, HOSTNAME, 'AAAA'),
    ]);
    assert.equal(wrongQuestion, 2);
  });

  it('discards a truncated response, even one that is cut inside a record', covers(18), async (t) => {
    const server = await serve(leakCheck(t), (query, exchange) => {
      exchange.reply(response({ query: query.buffer, flags: 0x8380, answers: [a('10.0.0.1').subarray(0, 7)] }));
    });
    assert.deepEqual(await ask(server, 'udp').result, { kind: 'truncated' });
  });
});

describe('an exchange over tcp', () => {
  it('reads a response that arrives octet by octet', covers(21), async (t) => {
    const server = await serve(leakCheck(t), (query, exchange) => exchange.trickle(good(query), 0));
    assert.deepEqual(await addressesOf(ask(server, 'tcp')), ['10.0.0.1']);
  });

  it('reads the first of two frames in a segment', covers(21), async (t) => {
    const server = await serve(leakCheck(t), (query, exchange) => {
      const second = response({ query: query.buffer, answers: [a('10.0.0.2')] });
      exchange.write(Buffer.concat([frame(good(query)), frame(second)]));
    });
    assert.deepEqual(await addressesOf(ask(server, 'tcp')), ['10.0.0.1']);
  });

  it('reads a complete frame before RST', covers(21), async (t) => {
    const server = await serve(leakCheck(t), (query, exchange) => {
      exchange.reply(good(query));
      exchange.reset();
    });
    assert.deepEqual(await addressesOf(ask(server, 'tcp')), ['10.0.0.1']);
  });

  it('fails when the connection closes in mid-frame', covers(22), async (t) => {
    const defer = leakCheck(t);
    for (const octets of [1, 2, 20]) {
      const server = await serve(defer, (query, exchange) => {
        exchange.write(frame(good(query)).subarray(0, octets));
        exchange.close();
      });
      await fails(ask(server, 'tcp'), 'malformed', /mid-response/);
    }
  });

  it('fails when the connection closes or is reset before any octet', covers(22), async (t) => {
    const defer = leakCheck(t);
    const closing = await serve(defer, (_query, exchange) => exchange.close());
    await fails(ask(closing, 'tcp'), 'unreachable', /closed/);
    const resetting = await serve(defer, (_query, exchange) => exchange.reset());
    await fails(ask(resetting, 'tcp'), 'unreachable', /ECONNRESET/);
  });

  it('fails at a frame of length 0, and of fewer octets than a header', covers(22), async (t) => {
    const defer = leakCheck(t);
    for (const length of [0, 11]) {
      const server = await serve(defer, (query, exchange) => exchange.reply(good(query).subarray(0, length)));
      await fails(ask(server, 'tcp'), 'malformed');
    }
  });

  it('fails at its one deadline when octets arrive slowly but steadily', covers(22), async (t) => {
    const clock = new FakeClock();
    const held = heldBack();
    const server = await serve(leakCheck(t), held.respond);
    const asked = ask(server, 'tcp', { clock });
    const [query, exchange] = await held.asked;
    for (const octet of frame(good(query)).subarray(0, 15)) {
      exchange.write(Buffer.from([octet]));
      await clock.advance(1_000);
    }
    await clock.advance(5_000);
    await fails(asked, 'timeout');
  });

  it('fails at a message that does not belong to the query', covers(2, 4, 5), async (t) => {
    const wrongId = (query: DnsQuery): Buffer => Buffer.concat([u16(query.id ^ 1), good(query).subarray(2)]);
    const wrongName = ({ id }: DnsQuery): Buffer => response({ query: aQuery({ id, hostname: 'svc.ns' }) });
    const defer = leakCheck(t);
    for (const [bad, what] of [
      [wrongId, /another id/],
      [wrongName, /another question/],
      [(query: DnsQuery) => query.buffer, /not a response/],
    ] as const) {
      const server = await serve(defer, (query, exchange) => exchange.reply(bad(query)));
      await fails(ask(server, 'tcp'), 'malformed', what);
    }
  });

  it('reports TC together with the addresses', covers(19), async (t) => {
    const server = await serve(leakCheck(t), (query, exchange) => {
      exchange.reply(response({ query: query.buffer, flags: 0x8380, answers: [a('10.0.0.1')] }));
    });
    assert.equal((await responseOf(ask(server, 'tcp'))).truncated, true);
  });
});
