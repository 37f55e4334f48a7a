/** Messages that do not belong to our query, before the response that does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DnsExchange, DnsQuery } from '../support/dns-server.js';
import { aQuery, HOSTNAME, response, u16 } from '../support/wire.js';
import { type Coverage, covers } from './covers.js';
import { answerWith, FORGED, NEW, startFixture } from './fixture.js';

interface Row {
  readonly title: string;
  readonly coverage: Coverage;
  /** Sent before the good response. */
  readonly bad: (query: DnsQuery) => readonly Buffer[];
  readonly counts: { readonly dropped?: number; readonly wrongQuestion?: number };
}

const forged = (query: DnsQuery): Buffer => answerWith(query, [FORGED]);

function with16(message: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(value, at);
  return copy;
}

function asking(query: DnsQuery, hostname: string, type: 'A' | 'AAAA' = 'A'): Buffer {
  return response({ query: aQuery({ id: query.id, hostname, type }), answers: [forged(query).subarray(-16)] });
}

/** The first two labels of the question as one label that contains a dot. */
function asOneLabel(query: DnsQuery): Buffer {
  const name = Buffer.from('\x06svc.ns\x03svc\x07cluster\x05local\0', 'latin1');
  const message = forged(query);
  return Buffer.concat([message.subarray(0, 12), name, message.subarray(12 + name.length)]);
}

const ROWS: readonly Row[] = [
  {
    title: 'datagrams of 0 to 11 octets are dropped',
    coverage: covers(1),
    bad: (query) => Array.from({ length: 12 }, (_, length) => forged(query).subarray(0, length)),
    counts: { dropped: 12 },
  },
  {
    title: 'QR=0 is dropped',
    coverage: covers(4),
    bad: (query) => [with16(forged(query), 2, 0x0180), query.buffer],
    counts: { dropped: 2 },
  },
  {
    title: 'opcodes other than QUERY are dropped',
    coverage: covers(4),
    bad: (query) => [1, 2, 4, 5, 6, 15].map((opcode) => with16(forged(query), 2, 0x8180 | (opcode << 11))),
    counts: { dropped: 6 },
  },
  {
    title: 'no question, two questions and 65535 questions are dropped',
    coverage: covers(4),
    bad: (query) => [0, 2, 65_535].map((count) => with16(forged(query), 4, count)),
    counts: { dropped: 3 },
  },
  {
    title: 'responses to other names are not accepted, and counted',
    coverage: covers(5),
    bad: (query) => [
      asking(query, 'svc.ns'),
      asking(query, `x.${HOSTNAME}`),
      asking(query, 'svc.ns.svc.cluster.loca1'),
    ],
    counts: { wrongQuestion: 3 },
  },
  {
    title: 'responses to another type or class are not accepted, and counted',
    coverage: covers(5),
    bad: (query) => [
      asking(query, HOSTNAME, 'AAAA'),
      with16(forged(query), 12 + query.question.length - 2, 3),
      with16(forged(query), 12 + query.question.length - 2, 255),
    ],
    counts: { wrongQuestion: 3 },
  },
  {
    title: '`svc.ns` as one label is not `svc`, `ns`',
    coverage: covers(5),
    bad: (query) => [asOneLabel(query)],
    counts: { wrongQuestion: 1 },
  },
];

for (const { title, coverage, bad, counts } of ROWS)
  test(`${title}, and the good response after them is used`, coverage, async (t) => {
    const { ask, ready, failures } = await startFixture(t);
    const { dropped, wrongQuestion, malformed, timeouts, tcpQueries, replies } = await ask((query, exchange) => {
      for (const message of bad(query)) exchange.reply(message);
      exchange.reply(answerWith(query, NEW));
    });
    assert.deepEqual({ dropped, wrongQuestion }, { dropped: 0, wrongQuestion: 0, ...counts });
    assert.deepEqual(
      { malformed, timeouts, tcpQueries, replies },
      { malformed: 0, timeouts: 0, tcpQueries: 0, replies: 1 },
    );
    assert.deepEqual(failures, []);
    await ready(NEW);
  });

test('without a good response after them the query times out, and the endpoints stay', covers(1, 4, 5), async (t) => {
  const { ask, ready, failures } = await startFixture(t, { dns: { timeoutMs: 300 } });
  const { dropped, wrongQuestion, timeouts } = await ask((query, exchange) => {
    exchange.reply(Buffer.alloc(3));
    exchange.reply(query.buffer);
    exchange.reply(asking(query, 'svc.ns'));
  });
  assert.deepEqual({ dropped, wrongQuestion, timeouts }, { dropped: 2, wrongQuestion: 1, timeouts: 1 });
  assert.equal(failures[0]?.error.code, 'ERR_HEADLESS_DNS_TIMEOUT');
  assert.equal(failures[0]?.kept, 2);
  await ready(['127.61.0.1', '127.61.0.2']);
});

test(
  'a response with a wrong id is never accepted, takes that question to TCP, and is counted',
  covers(2),
  async (t) => {
    const { ask, ready, failures } = await startFixture(t);
    const guess = (query: DnsQuery, exchange: DnsExchange, offset: number): void =>
      exchange.reply(Buffer.concat([u16((query.id + offset) & 0xffff), forged(query).subarray(2)]));
    const { wrongId, udpQueries, tcpQueries } = await ask((query, exchange) => {
      // Many guessed ids, of which the next would have been right.
      if (exchange.transport === 'udp') for (let offset = 1; offset < 50; offset++) guess(query, exchange, offset);
      exchange.reply(exchange.transport === 'udp' ? forged(query) : answerWith(query, NEW));
    });
    assert.deepEqual({ wrongId, udpQueries, tcpQueries }, { wrongId: 1, udpQueries: 1, tcpQueries: 1 });
    assert.deepEqual(failures, []);
    await ready(NEW);
  },
);

test('responses from another port or address are never received', covers(3), async (t) => {
  const { ask, ready, failures } = await startFixture(t);
  const { wrongId, wrongQuestion, malformed } = await ask(async (query, exchange) => {
    for (const host of [undefined, '127.0.0.2'])
      for (const message of [
        forged(query),
        Buffer.concat([u16(query.id ^ 1), forged(query).subarray(2)]),
        Buffer.alloc(4),
      ])
        await exchange.replyFromElsewhere(message, host);
    exchange.reply(answerWith(query, NEW));
  });
  assert.deepEqual({ wrongId, wrongQuestion, malformed }, { wrongId: 0, wrongQuestion: 0, malformed: 0 });
  assert.deepEqual(failures, []);
  await ready(NEW);
});

test(
  'over TCP each message that does not belong to the query fails it, and the endpoints stay',
  covers(2, 4, 5),
  async (t) => {
    const { ask, ready, failures } = await startFixture(t);
    const wrong: readonly ((query: DnsQuery) => Buffer)[] = [
      (query) => Buffer.concat([u16(query.id ^ 1), forged(query).subarray(2)]),
      (query) => query.buffer,
      (query) => with16(forged(query), 4, 0),
      (query) => with16(forged(query), 4, 2),
      (query) => asking(query, 'svc.ns'),
      asOneLabel,
    ];
    for (const [index, message] of wrong.entries()) {
      const { malformed } = await ask((query, exchange) =>
        exchange.reply(
          exchange.transport === 'udp' ? response({ query: query.buffer, flags: 0x8380 }) : message(query),
        ),
      );
      assert.equal(malformed, 1);
      assert.equal(failures[index]?.error.code, 'ERR_HEADLESS_DNS_MALFORMED');
    }
    await ready(['127.61.0.1', '127.61.0.2']);
  },
);
