/** Headers and questions: messages that are no response to the query, and counts that are too high. */
import { covers } from '../../faults/covers.js';
import { a, aQuery, HOSTNAME, opt, questionOf, record, response, TYPE, u16 } from '../../support/wire.js';
import { gives, malformed, type Shape, shape } from './shape.js';

const GOOD = response({ answers: [a('10.0.0.1')] });
const NOT_A_RESPONSE = { ignored: 'not-a-response' } as const;
const QUESTION_MISMATCH = { ignored: 'question-mismatch' } as const;

/** The good response with two octets changed. */
function with16(at: number, value: number, message = GOOD): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(value, at);
  return copy;
}

export const HEADERS: readonly Shape[] = [
  shape('nothing at all', covers(1), 'Go dnsmessage', Buffer.alloc(0), NOT_A_RESPONSE),
  shape('one octet', covers(1), '', GOOD.subarray(0, 1), NOT_A_RESPONSE),
  shape('an id alone', covers(1), 'Go dnsmessage', GOOD.subarray(0, 2), NOT_A_RESPONSE),
  shape('a header without its last octet', covers(1), 'c-ares', GOOD.subarray(0, 11), NOT_A_RESPONSE),
  shape('a header alone that counts a question', covers(1), 'c-ares', GOOD.subarray(0, 12), malformed(/past the end/)),
  shape('a header of zeroes', covers(4), '', Buffer.alloc(12), NOT_A_RESPONSE),
  shape('64 KB of zeroes', covers(4), '', Buffer.alloc(65_535), NOT_A_RESPONSE),
  shape('64 KB of 0xff', covers(4), '', Buffer.alloc(65_535, 0xff), NOT_A_RESPONSE),
  shape(
    '64 KB of 0xc0 behind a good header',
    covers(7),
    '',
    Buffer.concat([GOOD.subarray(0, 12), Buffer.alloc(65_000, 0xc0)]),
    malformed(/pointer/),
  ),
  shape('another id', covers(2), '', with16(0, 0x1235), { ignored: 'id-mismatch' }),
  shape('the id with its octets swapped', covers(2), '', with16(0, 0x3412), { ignored: 'id-mismatch' }),
  shape('our own query, sent back', covers(4), '', aQuery(), NOT_A_RESPONSE),
  shape('our own query with its OPT, sent back', covers(4), '', aQuery({ edns: true }), NOT_A_RESPONSE),
  ...[1, 2, 4, 5, 6, 15].map((opcode) =>
    shape(`opcode ${opcode}`, covers(4), '', with16(2, 0x8180 | (opcode << 11)), NOT_A_RESPONSE),
  ),
  shape('QDCOUNT 0, with a question', covers(4), 'c-ares, "No question"', with16(4, 0), NOT_A_RESPONSE),
  shape('QDCOUNT 2, with one question', covers(4), 'c-ares, "Two questions"', with16(4, 2), NOT_A_RESPONSE),
  shape('QDCOUNT 65535', covers(4), 'RFC 9267 section 6', with16(4, 65_535), NOT_A_RESPONSE),
  shape('another name', covers(5), 'c-ares', response({ query: aQuery({ hostname: 'other.ns' }) }), QUESTION_MISMATCH),
  shape(
    'a name with one more label',
    covers(5),
    '',
    response({ query: aQuery({ hostname: `x.${HOSTNAME}` }) }),
    QUESTION_MISMATCH,
  ),
  shape(
    'a name with one label less',
    covers(5),
    '',
    response({ query: aQuery({ hostname: HOSTNAME.slice(4) }) }),
    QUESTION_MISMATCH,
  ),
  shape('another type', covers(5), '', response({ query: aQuery({ type: 'AAAA' }) }), QUESTION_MISMATCH),
  shape('another class', covers(5), '', with16(aQuery().length - 2, 3), QUESTION_MISMATCH),
  shape('the class ANY', covers(5), '', with16(aQuery().length - 2, 255), QUESTION_MISMATCH),
  shape(
    'the question in mixed case',
    null,
    'RFC 4343; draft-vixie-dns-0x20',
    response({ query: aQuery({ hostname: 'SvC.nS.sVc.ClUsTeR.lOcAl' }), answers: [a('10.0.0.1')] }),
    gives('10.0.0.1'),
  ),
  shape(
    'a cut within the question',
    covers(11),
    'c-ares, "Truncate mid-question"',
    GOOD.subarray(0, 26),
    malformed(/past the end/),
  ),
  shape(
    "a cut within the question's type",
    covers(11),
    'c-ares',
    GOOD.subarray(0, aQuery().length - 3),
    malformed(/breaks off/),
  ),
  shape(
    'ANCOUNT 65535 and nothing',
    covers(9),
    'RFC 9267 section 6; hickory',
    response({ ancount: 65_535 }),
    malformed(/fewer records/),
  ),
  shape(
    'all counts 65535 and one record',
    covers(9),
    'RFC 9267 section 6',
    [6, 8, 10].reduce((message, at) => with16(at, 65_535, message), GOOD),
    malformed(/fewer records/),
  ),
  shape('ANCOUNT one too many', covers(9), '', with16(6, 2), malformed(/fewer records/)),
  shape(
    'ANCOUNT one too few',
    covers(9),
    '',
    response({ answers: [a('10.0.0.1'), a('10.0.0.2')], ancount: 1 }),
    gives('10.0.0.1'),
  ),
  shape('ANCOUNT 0, with an answer', covers(9), '', with16(6, 0), gives()),
  shape(
    'addresses in the wrong sections',
    null,
    'cache poisoning, Kashpureff 1997',
    response({ authority: [a('10.6.6.6')], additional: [a('10.6.6.7')] }),
    gives(),
  ),
  shape('trailing octets', null, 'hickory', Buffer.concat([GOOD, Buffer.from('trailing')]), gives('10.0.0.1')),
  shape(
    'a bare FORMERR',
    covers(17),
    'RFC 6891 section 7',
    Buffer.concat([u16(0x1234), u16(0x8181), Buffer.alloc(8)]),
    {
      addresses: [],
      rcode: 'FORMERR',
    },
  ),
  shape('a bare FORMERR of another id', covers(2), '', Buffer.concat([u16(0x4321), u16(0x8181), Buffer.alloc(8)]), {
    ignored: 'id-mismatch',
  }),
  shape(
    'a bare FORMERR that counts an answer',
    covers(17),
    '',
    Buffer.concat([u16(0x1234), u16(0x8181), u16(0), u16(1), u16(0), u16(0)]),
    NOT_A_RESPONSE,
  ),
  shape('a bare NXDOMAIN', covers(4), '', Buffer.concat([u16(0x1234), u16(0x8183), Buffer.alloc(8)]), NOT_A_RESPONSE),
  shape('every flag set', null, 'RFC 1035 section 4.1.1', with16(2, 0x87f0), gives('10.0.0.1')),
  shape(
    'an RCODE that EDNS adds to',
    null,
    'miekg/dns, extended RCODE',
    response({ rcode: 7, additional: [opt({ rcode: 16 })] }),
    { addresses: [], rcode: 'BADCOOKIE' },
  ),
  shape(
    'a question and nothing else',
    null,
    'c-ares, "No answer"',
    Buffer.concat([response().subarray(0, 12), questionOf(aQuery())]),
    gives(),
  ),
  shape(
    'TC and a record that is cut',
    covers(18),
    '',
    response({ flags: 0x8380, answers: [a('10.0.0.1'), record({ type: TYPE.A }).subarray(0, 9)] }),
    malformed(/breaks off|past the end/),
  ),
];
