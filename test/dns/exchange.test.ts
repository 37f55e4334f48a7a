import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import type { Transport } from '../../lib/dns/exchange.js';
import { covers } from '../faults/covers.js';
import { addressesOf, ask, fails, good, heldBack, responseOf, serve } from '../support/dns-query.js';
import type { DnsQuery } from '../support/dns-server.js';
import { FakeClock } from '../support/fake-clock.js';
import { leakCheck } from '../support/leak-check.js';
import { HOSTNAME, u16 } from '../support/wire.js';

const transports: readonly Transport[] = ['udp', 'tcp'];

for (const transport of transports)
  describe(`an exchange over ${transport}`, () => {
    it('gives the addresses of the response', async (t) => {
      const server = await serve(leakCheck(t), (query, exchange) => exchange.reply(good(query)));
      const asked = ask(server, transport);
      assert.deepEqual(await addressesOf(asked), ['10.0.0.1']);
      const { queries, udpQueries, tcpQueries, replies } = asked.counters;
      assert.deepEqual([queries, udpQueries + tcpQueries, replies], [1, 1, 1]);
    });

    it('works over IPv6', async (t) => {
      const server = await serve(leakCheck(t), (query, exchange) => exchange.reply(good(query)), '::1');
      assert.deepEqual(await addressesOf(ask(server, transport)), ['10.0.0.1']);
    });

    it('carries the DO and CD bits that are asked for', async (t) => {
      const server = await serve(leakCheck(t), (query, exchange) => exchange.reply(good(query)));
      await addressesOf(ask(server, transport));
      await addressesOf(ask(server, transport, { edns: true, bits: { dnssecOk: true, checkingDisabled: true } }));
      const [plain, marked] = server.queries.map(({ buffer }) => buffer) as [Buffer, Buffer];
      assert.deepEqual([plain.readUInt16BE(2), marked.readUInt16BE(2)], [0x0100, 0x0110]);
      // The flags are the last two octets of the OPT record but for its length.
      assert.equal(marked.readUInt16BE(marked.length - 4), 0x8000);
    });

    it('has another id each time', async (t) => {
      const server = await serve(leakCheck(t), (query, exchange) => exchange.reply(good(query)));
      for (let count = 0; count < 5; count++) await addressesOf(ask(server, transport));
      assert.ok(new Set(server.queries.map(({ id }) => id)).size > 1);
    });

    it('times out, and names the server that did not respond', async (t) => {
      const clock = new FakeClock();
      const held = heldBack();
      const server = await serve(leakCheck(t), held.respond);
      const asked = ask(server, transport, { clock });
      await held.asked;
      await clock.advance(20_000);
      await fails(asked, 'timeout', new RegExp(`"${HOSTNAME}": 127.0.0.1:${server.port} .*${transport}.* 20000 ms`));
      assert.deepEqual([asked.counters.timeouts, clock.timers], [1, 0]);
    });

    it('ignores a late response', covers(35), async (t) => {
      const clock = new FakeClock();
      const held = heldBack();
      const server = await serve(leakCheck(t), held.respond);
      const asked = ask(server, transport, { clock });
      const [query, exchange] = await held.asked;
      await clock.advance(20_000);
      exchange.reply(good(query));
      await fails(asked, 'timeout');
      assert.equal(asked.counters.replies, 0);
    });

    it('ends at once when the signal aborts, before it begins or later', covers(44), async (t) => {
      const clock = new FakeClock();
      const held = heldBack();
      const server = await serve(leakCheck(t), held.respond);
      const asked = ask(server, transport, { clock });
      await held.asked;
      asked.abort.abort(new Error('closed'));
      await assert.rejects(asked.result, { message: 'closed' });

      const early = ask(server, transport, { clock });
      early.abort.abort(new Error('closed'));
      await assert.rejects(early.result, { message: 'closed' });
      assert.equal(clock.timers, 0);
    });

    it('fails when the response is malformed', async (t) => {
      const broken = (query: DnsQuery): Buffer => good(query).subarray(0, -1);
      const server = await serve(leakCheck(t), (query, exchange) => exchange.reply(broken(query)));
      const asked = ask(server, transport);
      await fails(asked, 'malformed', /past the end/);
      assert.equal(asked.counters.malformed, 1);
    });

    it('fails at once when nothing listens there', async (t) => {
      leakCheck(t);
      const port = await freePort(transport);
      const asked = ask({ host: '127.0.0.1', port }, transport);
      await fails(asked, 'unreachable', /ECONNREFUSED/);
      assert.equal(asked.counters.unreachable, 1);
    });

    it('fails at once when the system has no route to the server', async (t) => {
      leakCheck(t);
      // A scope that does not exist; over TCP libuv 1.47 and later (Node 22) would take the first interface's instead.
      const host = transport === 'udp' ? 'fe80::1%nowhere0' : '255.255.255.255';
      await fails(ask({ host, port: 53 }, transport), 'unreachable');
    });

    it('accepts a bare FORMERR as a response', covers(17), async (t) => {
      const bare = (query: DnsQuery): Buffer => Buffer.concat([u16(query.id), u16(0x8001), Buffer.alloc(8)]);
      const server = await serve(leakCheck(t), (query, exchange) => exchange.reply(bare(query)));
      assert.equal((await responseOf(ask(server, transport))).rcode, 'FORMERR');
    });
  });

/** A port on which nothing has listened for a moment. */
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
