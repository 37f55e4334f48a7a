import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { DnsCounters } from '../../lib/dns/resolution.js';
import { addressesOf, ask, fails, good, heldBack, serve } from '../support/dns-query.js';
import type { DnsQuery } from '../support/dns-server.js';
import { FakeClock } from '../support/fake-clock.js';
import { leakCheck } from '../support/leak-check.js';
import { a, aQuery, frame, HOSTNAME, reply, u16 } from '../support/wire.js';

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
