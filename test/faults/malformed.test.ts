/** Malformed responses to our query: the whole message fails, the next server is asked, the endpoints stay. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DnsExchange, DnsQuery } from '../support/dns-server.js';
import { a, cname, FIRST_RECORD, name, opt, pointer, QUESTION, record, response, TYPE, u16 } from '../support/wire.js';
import { type Coverage, covers } from './covers.js';
import { answerWith, FORGED, NEW, OLD, startFixture, truncatedResponse } from './fixture.js';

/** Makes the malformed response to a query. */
type Broken = (query: DnsQuery) => Buffer;

function withAnswers(...answers: Buffer[]): Broken {
  return (query) => response({ query: query.buffer, answers: [a(FORGED), ...answers] });
}

function withAdditional(...additional: Buffer[]): Broken {
  return (query) => response({ query: query.buffer, answers: [a(FORGED)], additional });
}

function owned(owner: Buffer): Broken {
  return (query) => response({ query: query.buffer, answers: [a(FORGED, { owner })] });
}

/** A TXT record of pointers, each to the one before, and owners at the end of that chain. */
function chained(hops: number, owners: number): Broken {
  const start = FIRST_RECORD + 12;
  const chain = Array.from({ length: hops }, (_, hop) => pointer(start + 2 * hop));
  const text = record({ type: TYPE.TXT, rdata: Buffer.concat([u16(0), ...chain]) });
  const far = Array.from({ length: owners }, (_, index) =>
    a(FORGED, { owner: pointer(start + 2 * (hops - (index % 2))) }),
  );
  return (query) => response({ query: query.buffer, answers: [text, ...far] });
}

const there = record({ type: TYPE.TXT, rdata: pointer(FIRST_RECORD + 14) });
const option = (length: number): Buffer => opt({ rdata: Buffer.concat([u16(10), u16(length), Buffer.alloc(8)]) });
const tooLong = name([63, 63, 63, 62].map((length) => 'a'.repeat(length)).join('.'));

const ROWS: readonly [coverage: Coverage, title: string, broken: Broken][] = [
  [covers(6), 'a self pointer', owned(pointer(FIRST_RECORD))],
  [covers(6), 'a forward pointer', owned(pointer(FIRST_RECORD + 8))],
  [
    covers(6),
    'a two-step loop',
    (query) => response({ query: query.buffer, answers: [there, a(FORGED, { owner: pointer(FIRST_RECORD + 12) })] }),
  ],
  [
    covers(6),
    'a question that points at itself',
    (query) => Buffer.concat([answerWith(query, []).subarray(0, 12), pointer(12), u16(1), u16(1)]),
  ],
  [covers(7), 'an 8,000-hop pointer chain', chained(7_999, 1)],
  [covers(7), '3,000 names at the end of 120 pointers', chained(120, 3_000)],
  [covers(8), 'a label of type 0x40', owned(Buffer.from([0x40, 1, 0]))],
  [covers(8), 'a label of type 0x80', owned(Buffer.from([0x80, 1, 0]))],
  [covers(8), 'a name of 256 octets', owned(tooLong)],
  [covers(9), 'ANCOUNT 65535 and an empty body', (query) => response({ query: query.buffer, ancount: 65_535 })],
  [covers(10), 'an A of RDLENGTH 0', withAnswers(record({ rdata: Buffer.alloc(0) }))],
  [covers(10), 'an A of RDLENGTH 2', withAnswers(record({ rdata: Buffer.alloc(2, 127) }))],
  [covers(10), 'an A of RDLENGTH 3', withAnswers(record({ rdata: Buffer.alloc(3, 127) }))],
  [covers(10), 'an A of RDLENGTH 5', withAnswers(record({ rdata: Buffer.alloc(5, 127) }))],
  [covers(10), 'an A of RDLENGTH 16', withAnswers(record({ rdata: Buffer.alloc(16, 127) }))],
  [covers(10), 'an AAAA of RDLENGTH 4', withAnswers(record({ type: TYPE.AAAA }))],
  [covers(10), 'an RDLENGTH past the end', withAnswers(record({ rdlength: 65_535 }))],
  [covers(10), 'a short A in the additional section', withAdditional(record({ rdata: Buffer.alloc(3, 127) }))],
  [covers(11), 'a response cut in an address', (query) => answerWith(query, [...NEW, FORGED]).subarray(0, -2)],
  [covers(11), 'a response cut between two records', (query) => answerWith(query, [...NEW, FORGED]).subarray(0, -16)],
  [covers(11), 'a response cut in its question', (query) => answerWith(query, NEW).subarray(0, 20)],
  [covers(14), 'a loop of CNAMEs', withAnswers(cname(QUESTION, name('x')), cname(name('x'), QUESTION))],
  [
    covers(14),
    'a chain of 17 CNAMEs',
    withAnswers(
      ...Array.from({ length: 17 }, (_, step) => cname(step === 0 ? QUESTION : name(`n${step}`), name(`n${step + 1}`))),
    ),
  ],
  [covers(16), 'an OPT whose rdata overruns', withAdditional(option(9))],
  [covers(16), 'two OPTs', withAdditional(opt(), opt())],
];

for (const [coverage, title, broken] of ROWS)
  for (const transport of ['udp', 'tcp'] as const)
    test(
      `${title} over ${transport} fails as a whole; the endpoints stay, and the next server is asked`,
      coverage,
      async (t) => {
        const { servers, ask, ready, failures, updates } = await startFixture(t, { servers: 2 });
        const respond = (query: DnsQuery, exchange: DnsExchange): void =>
          exchange.reply(
            transport === 'tcp' && exchange.transport === 'udp' ? truncatedResponse(query) : broken(query),
          );
        const { malformed, replies, polls } = await ask(respond);
        assert.deepEqual({ malformed, replies, polls }, { malformed: 2, replies: 0, polls: 1 });
        assert.equal(failures[0]?.error.code, 'ERR_HEADLESS_DNS_MALFORMED');
        assert.equal(failures[0]?.kept, OLD.length);
        await ready(OLD);

        const asked = servers.map((server) => server.queries.length);
        await ask((query, exchange) => {
          if (query.buffer === servers[0]?.queries.at(-1)?.buffer) respond(query, exchange);
          else exchange.reply(answerWith(query, NEW));
        });
        assert.ok(servers.every((server, index) => server.queries.length > (asked[index] as number)));
        assert.equal(failures.length, 1);
        await ready(NEW);
        assert.equal(updates.length, 2);
      },
    );

test(
  'every proper prefix of a valid response fails as a whole over TCP, and none gives a partial set',
  covers(11),
  async (t) => {
    const { ask, ready, failures } = await startFixture(t);
    const whole = (query: DnsQuery): Buffer => answerWith(query, NEW);
    let length = 0;
    for (let most = 1; length < most; length++) {
      const { malformed, replies } = await ask((query, exchange) => {
        most = whole(query).length;
        exchange.reply(exchange.transport === 'udp' ? truncatedResponse(query) : whole(query).subarray(0, length));
      });
      assert.deepEqual({ length, malformed, replies }, { length, malformed: 1, replies: 0 });
    }
    assert.ok(length > 60);
    assert.ok(failures.every(({ error }) => error.code === 'ERR_HEADLESS_DNS_MALFORMED'));
    await ready(OLD);
  },
);
