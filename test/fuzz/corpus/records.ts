/** Records: wrong lengths, endless chains, addresses that cannot be used. */
import { covers } from '../../faults/covers.js';
import {
  a,
  aQuery,
  cname,
  HOSTNAME,
  ip,
  name,
  opt,
  pointer,
  QUESTION,
  record,
  response,
  TYPE,
  u16,
  u32,
} from '../../support/wire.js';
import { gives, malformed, type Shape, shape } from './shape.js';

const GOOD = a('10.0.0.1');
const V6 = { query: aQuery({ type: 'AAAA' }), type: 'AAAA' } as const;
const FOUR = malformed(/4 octets/);
const PAST = malformed(/past the end/);

function answers(...records: Buffer[]): Buffer {
  return response({ answers: records });
}

function answers6(...hex: string[]): Buffer {
  const records = hex.map((octets) => record({ type: TYPE.AAAA, rdata: Buffer.from(octets.padStart(32, '0'), 'hex') }));
  return response({ query: V6.query, answers: records });
}

function aliases(depth: number, last = name(`n${depth}`)): Buffer[] {
  const target = (step: number): Buffer => (step === depth ? last : name(`n${step}`));
  return Array.from({ length: depth }, (_, step) => cname(step === 0 ? QUESTION : target(step), target(step + 1)));
}

function option(length: number, octets: number): Buffer {
  return opt({ rdata: Buffer.concat([u16(10), u16(length), Buffer.alloc(octets)]) });
}

function everyPrefixEnds(message: Buffer): Shape[] {
  const ends = [1, 2, 3, 4, 5, 6, 8, 10, 13, 14, 15, 16];
  return ends.map((missing) =>
    shape(
      `its last ${missing} octets missing`,
      covers(11),
      'c-ares, "Truncated packets"',
      message.subarray(0, message.length - missing),
      malformed(/past the end|breaks off|fewer records/),
    ),
  );
}

export const RECORDS: readonly Shape[] = [
  ...[0, 1, 2, 3, 5, 8, 16, 255].map((length) =>
    shape(
      `an A of RDLENGTH ${length}`,
      covers(10),
      'RFC 9267 section 5',
      answers(GOOD, record({ rdata: Buffer.alloc(length, 9) })),
      FOUR,
    ),
  ),
  ...[0, 4, 15, 17].map((length) =>
    shape(
      `an AAAA of RDLENGTH ${length}`,
      covers(10),
      '',
      answers(GOOD, record({ type: TYPE.AAAA, rdata: Buffer.alloc(length, 9) })),
      malformed(/16 octets/),
    ),
  ),
  shape(
    'an A of RDLENGTH 180, past the end',
    covers(10),
    'c-ares, "Invalid RR-len"',
    answers(record({ rdlength: 180 })),
    PAST,
  ),
  shape('an A of RDLENGTH 65535', covers(10), 'RFC 9267 section 5', answers(GOOD, record({ rdlength: 65_535 })), PAST),
  shape(
    'an A of RDLENGTH 5 that includes the first octet of the next record',
    covers(10),
    '',
    answers(record({ rdlength: 5 }), GOOD),
    FOUR,
  ),
  shape(
    'an A of RDLENGTH 20 that includes the next record',
    covers(10),
    '',
    response({ answers: [record({ rdlength: 20 }), GOOD], ancount: 1 }),
    FOUR,
  ),
  shape(
    'a TXT that includes the A after it',
    covers(10),
    '',
    response({ answers: [record({ type: TYPE.TXT, rdata: ip('1.2.3.4'), rdlength: 20 }), GOOD], ancount: 1 }),
    gives(),
  ),
  shape(
    'an A inside a TXT',
    null,
    'RFC 9267 section 5',
    answers(record({ type: TYPE.TXT, rdata: a('10.6.6.6') })),
    gives(),
  ),
  shape(
    'an A of RDLENGTH 4 in the additional section, with another owner',
    covers(12),
    '',
    response({ answers: [GOOD], additional: [a('10.6.6.6', { owner: name('ns.x') })] }),
    gives('10.0.0.1'),
  ),
  shape(
    'an A of RDLENGTH 3 in the additional section',
    covers(10),
    '',
    response({ answers: [GOOD], additional: [record({ rdata: Buffer.alloc(3) })] }),
    FOUR,
  ),
  ...everyPrefixEnds(answers(GOOD, a('10.0.0.2'))),
  shape('an A of class CH', covers(12), '', answers(a('10.6.6.6', { class: 3 }), GOOD), gives('10.0.0.1')),
  shape(
    'an A of class 0x8001, as multicast DNS flushes its caches',
    covers(12),
    'RFC 6762 section 10.2',
    answers(a('10.6.6.6', { class: 0x8001 }), GOOD),
    gives('10.0.0.1'),
  ),
  shape(
    'an A of an unrelated owner',
    covers(12),
    'cache poisoning',
    answers(a('10.6.6.6', { owner: name('bank.example') }), GOOD),
    gives('10.0.0.1'),
  ),
  shape(
    'an MX alone',
    null,
    'c-ares, "Wrong sort of answer"',
    answers(record({ type: 15, rdata: Buffer.concat([u16(10), name('mx1.x')]) })),
    gives(),
  ),
  shape(
    'an AAAA in answer to A',
    null,
    'c-ares',
    answers(record({ type: TYPE.AAAA, rdata: Buffer.alloc(16, 9) }), GOOD),
    gives('10.0.0.1'),
  ),
  shape(
    'three CNAMEs and an A',
    covers(13),
    'c-ares, "CnameChain"',
    answers(...aliases(3), a('10.0.0.1', { owner: name('n3') })),
    gives('10.0.0.1'),
  ),
  shape(
    'an A, then the CNAME to it',
    covers(13),
    'c-ares, "CnameLast"',
    answers(a('10.0.0.1', { owner: name('n1') }), ...aliases(1)),
    gives('10.0.0.1'),
  ),
  shape(
    'CNAMEs backwards',
    covers(13),
    '',
    answers(...aliases(3).reverse(), a('10.0.0.1', { owner: name('N3') })),
    gives('10.0.0.1'),
  ),
  shape('a CNAME to itself', covers(14), '', answers(cname(QUESTION, QUESTION), GOOD), malformed(/loop/)),
  shape(
    'a CNAME to itself, in capitals',
    covers(14),
    'RFC 4343',
    answers(cname(QUESTION, name('SVC.NS.SVC.CLUSTER.LOCAL'))),
    malformed(/loop/),
  ),
  shape('a loop of four CNAMEs', covers(14), '', answers(...aliases(4, QUESTION)), malformed(/loop/)),
  shape('16 CNAMEs', covers(14), '', answers(...aliases(16), a('10.0.0.1', { owner: name('n16') })), gives('10.0.0.1')),
  shape(
    '17 CNAMEs',
    covers(14),
    '',
    answers(...aliases(17), a('10.0.0.1', { owner: name('n17') })),
    malformed(/more than 16/),
  ),
  shape('a CNAME and no A', covers(14), 'c-ares, "JustCname"', answers(...aliases(1)), gives()),
  shape(
    'two CNAMEs of one name',
    null,
    'RFC 2181 section 10.1',
    answers(
      cname(QUESTION, name('x')),
      cname(QUESTION, name('y')),
      a('10.0.0.1', { owner: name('x') }),
      a('10.6.6.6', { owner: name('y') }),
    ),
    gives('10.0.0.1'),
  ),
  shape(
    'a CNAME of RDLENGTH 0',
    covers(14),
    'RFC 9267 section 5',
    answers(cname(QUESTION, Buffer.alloc(0)), GOOD),
    malformed(/fill|pointer/),
  ),
  shape(
    'a CNAME with one octet too many',
    null,
    'RFC 9267 section 5',
    answers(cname(QUESTION, Buffer.concat([name('x'), Buffer.alloc(1)]))),
    malformed(/fill/),
  ),
  shape(
    'a CNAME whose name goes beyond its record',
    null,
    'RFC 9267 section 5',
    answers(cname(QUESTION, Buffer.from('\x0fa')), GOOD),
    malformed(/fill/),
  ),
  shape(
    'a CNAME to the root',
    null,
    'RFC 1034',
    answers(cname(QUESTION, Buffer.alloc(1)), a('10.0.0.1', { owner: Buffer.alloc(1) })),
    gives('10.0.0.1'),
  ),
  shape(
    '290 CNAMEs that differ in their last label only',
    covers(7),
    '',
    answers(
      ...Array.from({ length: 290 }, (_, index) =>
        cname(name(`${Array(7).fill('x'.repeat(28)).join('.')}.${index}`), Buffer.alloc(1)),
      ),
    ),
    gives(),
  ),
  shape(
    'a DNSKEY of random octets',
    covers(15),
    '',
    response({ answers: [GOOD], additional: [record({ type: TYPE.DNSKEY, rdata: Buffer.from([0xc0]) })] }),
    gives('10.0.0.1'),
  ),
  shape(
    'an SOA of one octet',
    covers(15),
    '',
    response({ rcode: 3, authority: [record({ type: TYPE.SOA, rdata: Buffer.alloc(1) })] }),
    { addresses: [], rcode: 'NXDOMAIN' },
  ),
  shape(
    'an NS that points at itself',
    covers(15),
    '',
    response({ answers: [GOOD], authority: [record({ type: TYPE.NS, rdata: QUESTION })] }),
    gives('10.0.0.1'),
  ),
  shape(
    'two OPTs',
    covers(16),
    'RFC 6891 section 6.1.1',
    response({ answers: [GOOD], additional: [opt(), opt()] }),
    malformed(/two OPT/),
  ),
  shape(
    'an OPT not of the root',
    covers(16),
    'RFC 6891 section 6.1.2',
    response({ answers: [GOOD], additional: [opt({ owner: QUESTION })] }),
    malformed(/root/),
  ),
  shape(
    'an OPT whose owner points at a root octet',
    null,
    'found by this fuzzer; RFC 6891 section 6.1.2 has the octet 0 there',
    response({ answers: [GOOD], additional: [opt({ owner: pointer(12 + name(HOSTNAME).length - 1) })] }),
    malformed(/root/),
  ),
  shape('an OPT in the answer section', null, 'RFC 6891 section 6.1.1', answers(opt(), GOOD), gives('10.0.0.1')),
  shape(
    'an option one octet longer than its OPT',
    covers(16),
    '',
    response({ additional: [option(9, 8)] }),
    malformed(/past its record/),
  ),
  shape(
    'an option of 65535 octets',
    covers(16),
    'RFC 9267 section 5',
    response({ additional: [option(65_535, 8)] }),
    malformed(/past its record/),
  ),
  shape(
    'an option cut in its own header',
    covers(16),
    '',
    response({ additional: [opt({ rdata: Buffer.alloc(3) })] }),
    malformed(/breaks off/),
  ),
  shape(
    'an option of length 0',
    null,
    'RFC 6891',
    response({ answers: [GOOD], additional: [option(0, 0)] }),
    gives('10.0.0.1'),
  ),
  shape('BADVERS', covers(17), '', response({ additional: [opt({ rcode: 16 })] }), { addresses: [], rcode: 'BADVERS' }),
  shape(
    'a TTL of 2^32-1',
    covers(27),
    'RFC 2181 section 8',
    answers(a('10.0.0.1', { ttl: 0xffff_ffff })),
    gives('10.0.0.1'),
  ),
  shape('the same A 4,000 times', covers(28, 48), '', answers(...Array<Buffer>(4_000).fill(GOOD)), gives('10.0.0.1')),
  shape(
    '0.0.0.0, multicast, reserved and broadcast',
    covers(29),
    '',
    answers(...['0.0.0.0', '224.0.0.251', '240.0.0.1', '255.255.255.255'].map((text) => a(text)), GOOD),
    { addresses: ['10.0.0.1'], refused: 4 },
  ),
  shape(
    '::, multicast, and the mapped forms of the unspecified and of broadcast',
    covers(29),
    '',
    answers6('', 'ff02'.padEnd(32, '0'), 'ffff00000000', 'ffffffffffff', 'fd000000000000000000000000000001'),
    { addresses: ['fd00::1'], refused: 4 },
    V6,
  ),
  shape(
    '::1 and an IPv4-mapped address',
    null,
    'RFC 5952 section 5',
    answers6('1', 'ffff0a000001'),
    gives('::1', '::ffff:10.0.0.1'),
    V6,
  ),
  shape(
    'an SOA with the greatest TTL and MINIMUM',
    covers(27),
    '',
    response({
      authority: [
        record({
          type: TYPE.SOA,
          ttl: 0xffff_ffff,
          rdata: Buffer.concat([name('n'), name('h'), Buffer.alloc(16), u32(0xffff_ffff)]),
        }),
      ],
    }),
    gives(),
  ),
];
