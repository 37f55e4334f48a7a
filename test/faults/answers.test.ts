/** Unusual but valid answers, and how each changes the set. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DnsQuery } from '../support/dns-server.js';
import { eventually } from '../support/eventually.js';
import { a, cname, name, opt, QUESTION, type RecordParts, record, response, TYPE, u16 } from '../support/wire.js';
import { type Coverage, covers } from './covers.js';
import { answerWith, FORGED, NEW, OLD, startFixture, truncatedResponse } from './fixture.js';

const end = (parts: RecordParts = {}): Buffer[] => NEW.map((address) => a(address, parts));
const junk = Buffer.from([0xc0, 0xff, 0x3f]);
const longest = name([63, 63, 63, 61].map((length) => 'a'.repeat(length)).join('.'));
const chain = [cname(QUESTION, name('b.x')), cname(name('b.x'), name('c.x')), cname(name('c.x'), name('d.x'))];

interface Row {
  readonly coverage: Coverage;
  readonly answers: readonly Buffer[];
  readonly additional?: readonly Buffer[];
  readonly refused?: number;
}

const ROWS: Readonly<Record<string, Row>> = {
  'a name of 255 octets': { coverage: covers(8), answers: [a(FORGED, { owner: longest }), ...end()] },
  'an A of class CH': { coverage: covers(12), answers: [a(FORGED, { class: 3 }), ...end()] },
  'an A of class 0x8001': { coverage: covers(12), answers: [a(FORGED, { class: 0x8001 }), ...end()] },
  'an A of an unrelated owner': {
    coverage: covers(12),
    answers: [a(FORGED, { owner: name('bank.example') }), ...end()],
  },
  'a chain of three CNAMEs, its A last': { coverage: covers(13), answers: [...chain, ...end({ owner: name('d.x') })] },
  'a chain of three CNAMEs, its A first': { coverage: covers(13), answers: [...end({ owner: name('D.X') }), ...chain] },
  'a malformed DNSKEY in the additional section': {
    coverage: covers(15),
    answers: end(),
    additional: [record({ type: TYPE.DNSKEY, rdata: junk })],
  },
  'malformed records of several types': {
    coverage: covers(15),
    answers: [record({ type: TYPE.TXT, rdata: junk }), ...end(), record({ type: TYPE.NS, rdata: junk })],
    additional: [record({ type: TYPE.SOA, rdata: junk }), opt()],
  },
  'every record three times': { coverage: covers(28), answers: [...end(), ...end().reverse(), ...end()] },
  '0.0.0.0, multicast, reserved and broadcast': {
    coverage: covers(29),
    answers: [
      ...['0.0.0.0', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'].map((bad) => a(bad)),
      ...end(),
    ],
    refused: 5,
  },
};

for (const [title, { coverage, answers, additional = [], refused = 0 }] of Object.entries(ROWS))
  for (const transport of ['udp', 'tcp'] as const)
    test(`${title} over ${transport} beside good addresses: those are used`, coverage, async (t) => {
      const { ask, ready, failures, updates, channel } = await startFixture(t);
      const counters = await ask((query, exchange) =>
        exchange.reply(
          transport === 'tcp' && exchange.transport === 'udp'
            ? truncatedResponse(query)
            : response({ query: query.buffer, answers, additional }),
        ),
      );
      assert.deepEqual([counters.refusedAddresses, counters.malformed, counters.replies], [refused, 0, 1]);
      assert.deepEqual(failures, []);
      await ready(NEW);
      const withPort = (address: string): string => `${address}:${channel.getTarget().split(':').at(-1)}`;
      assert.deepEqual(updates.at(-1), {
        added: [withPort('127.61.0.3')],
        removed: [withPort('127.61.0.1')],
        kept: [withPort('127.61.0.2')],
      });
    });

const NODATA: readonly [coverage: Coverage, title: string, answers: readonly Buffer[]][] = [
  [covers(14), 'a CNAME with no A is NODATA', chain],
  [covers(24), 'an empty answer is NODATA', []],
  [
    covers(29),
    'addresses that no connection can be opened to, and no others, are NODATA',
    [a('0.0.0.0'), a('255.255.255.255')],
  ],
];

for (const [coverage, title, answers] of NODATA)
  test(`${title}, an event reports it, and the endpoints stay`, coverage, async (t) => {
    const { ask, ready, failures, updates } = await startFixture(t);
    const { emptyAnswers, malformed } = await ask((query, exchange) =>
      exchange.reply(response({ query: query.buffer, answers })),
    );
    assert.deepEqual([emptyAnswers, malformed], [1, 0]);
    assert.equal(failures[0]?.error.code, 'ERR_HEADLESS_DNS_NODATA');
    assert.equal(failures[0]?.kept, 2);
    assert.equal(updates.length, 1);
    await ready(OLD);
  });

test('NXDOMAIN after a good answer is reported in an event, and the endpoints stay', covers(24), async (t) => {
  const { ask, ready, failures } = await startFixture(t);
  const { emptyAnswers } = await ask((query, exchange) => exchange.reply(response({ query: query.buffer, rcode: 3 })));
  assert.equal(emptyAnswers, 1);
  assert.equal(failures[0]?.error.code, 'ERR_HEADLESS_DNS_NXDOMAIN');
  await ready(OLD);
});

test('shuffled and repeated records cause no reconnect and no update event', covers(28), async (t) => {
  const { ask, ready, updates, pods } = await startFixture(t);
  for (const addresses of [[...OLD].reverse(), [...OLD, ...OLD], [...OLD].reverse(), OLD]) {
    const { changes } = await ask((query, exchange) => exchange.reply(answerWith(query, addresses)));
    assert.equal(changes, 0);
  }
  await ready(OLD);
  assert.equal(updates.length, 1);
  assert.equal(pods.stats().accepted, 2);
});

test('TC over TCP causes no loop; its addresses are added, and none is removed', covers(19), async (t) => {
  const { ask, ready } = await startFixture(t);
  const { udpQueries, tcpQueries, truncated } = await ask((query, exchange) =>
    exchange.reply(response({ query: query.buffer, flags: 0x8380, answers: [a('127.61.0.3')] })),
  );
  assert.deepEqual({ udpQueries, tcpQueries, truncated }, { udpQueries: 1, tcpQueries: 1, truncated: 1 });
  await ready([...OLD, '127.61.0.3']);
});

test('TC over TCP without addresses fails, and no address is removed', covers(19), async (t) => {
  const { ask, ready, failures } = await startFixture(t);
  const { tcpQueries } = await ask((query, exchange) => exchange.reply(truncatedResponse(query)));
  assert.equal(tcpQueries, 1);
  assert.equal(failures[0]?.error.code, 'ERR_HEADLESS_DNS_MALFORMED');
  await ready(OLD);
});

test('with `dual`, A answered and AAAA failing updates the A and keeps the AAAA', covers(26), async (t) => {
  const aaaa = (query: DnsQuery): Buffer => {
    const rdata = Buffer.from(`${'00'.repeat(15)}01`, 'hex');
    return response({ query: query.buffer, answers: [record({ type: TYPE.AAAA, rdata })] });
  };
  const { ask, failures, channel } = await startFixture(t, { dns: { family: 'dual' } });
  const hosts = (): string[] => [...channel.snapshot().dns.addresses].sort();
  await ask((query, exchange) => exchange.reply(query.type === 'A' ? answerWith(query, OLD) : aaaa(query)));
  assert.deepEqual(hosts(), [...OLD, '::1'].sort());
  const before = failures.length;
  await ask((query, exchange) =>
    exchange.reply(query.type === 'A' ? answerWith(query, NEW) : response({ query: query.buffer, rcode: 2 })),
  );
  assert.deepEqual(hosts(), [...NEW, '::1'].sort());
  assert.equal(failures[before]?.error.code, 'ERR_HEADLESS_DNS_SERVFAIL');
});

for (const [title, ttl] of Object.entries({ 'TTL 0': 0, 'TTL 2^32-1': 0xffff_ffff, 'TTL 2^31-1': 0x7fff_ffff }))
  test(
    `an answer with ${title} is followed by the next query after the interval, not sooner and not later`,
    covers(27),
    async (t) => {
      const { dns, channel } = await startFixture(t, { refresh: { intervalMs: 100, minIntervalMs: 100, jitter: 0 } });
      let turn = 0;
      // TTLs that change are the sign of a cache, and then the TTL is used.
      dns.respond = (query, exchange) =>
        exchange.reply(
          response({
            query: query.buffer,
            answers: OLD.map((address) => a(address, { ttl: turn++ % 3 ? ttl : ttl >>> 1 })),
          }),
        );
      const asked = dns.queries.length;
      await eventually(() => dns.queries.length >= asked + 8, { timeoutMs: 20_000 });
      // Both clocks are monotonic, but the event loop may delay the arrival of one query and not of the next.
      const times = dns.queries.slice(asked).map(({ at }) => at);
      const spanMs = (times.at(-1) as number) - (times[0] as number);
      assert.ok(spanMs >= (times.length - 1) * 100 * 0.8, `${times.length} queries in ${spanMs} ms`);
      const { ttlMs } = channel.snapshot().dns;
      assert.ok(ttlMs !== null && ttlMs >= 0 && ttlMs <= 0x7fff_ffff * 1000, `${ttlMs}`);
    },
  );

test(
  'a bare FORMERR, FORMERR and BADVERS are followed by a query without EDNS, and later queries use EDNS again',
  covers(17),
  async (t) => {
    const { dns, ask, ready, failures } = await startFixture(t);
    const refusals: readonly ((query: DnsQuery) => Buffer)[] = [
      (query) => Buffer.concat([u16(query.id), u16(0x8181), Buffer.alloc(8)]),
      (query) => response({ query: query.buffer, rcode: 1 }),
      (query) => response({ query: query.buffer, additional: [opt({ rcode: 16 })] }),
    ];
    for (const refuse of refusals) {
      const asked = dns.queries.length;
      const { withoutEdns } = await ask((query, exchange) =>
        exchange.reply(query.edns === undefined ? answerWith(query, NEW) : refuse(query)),
      );
      assert.equal(withoutEdns, 1);
      assert.deepEqual(
        dns.queries.slice(asked).map(({ edns }) => edns !== undefined),
        [true, false],
      );
    }
    assert.deepEqual(failures, []);
    await ready(NEW);
  },
);
