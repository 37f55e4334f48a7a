/** Names: wrong pointers, wrong labels, lengths at the limit. */
import { covers } from '../../faults/covers.js';
import { a, aQuery, FIRST_RECORD, name, pointer, record, response, TYPE, u16 } from '../../support/wire.js';
import { gives, malformed, type Shape, shape } from './shape.js';

/** A response whose first record has these octets as its owner. */
function owned(...owner: (string | number[] | Buffer)[]): Buffer {
  const parts = owner.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part)));
  return response({ answers: [a('10.0.0.1', { owner: Buffer.concat(parts) }), a('10.0.0.2')] });
}

/** A response with octets in a TXT record at a known offset, and an owner that points to them. */
function hidden(octets: Buffer, owner: Buffer, extra: Buffer[] = []): Buffer {
  return response({ answers: [record({ type: TYPE.TXT, rdata: octets }), a('10.0.0.1', { owner }), ...extra] });
}

/** The offset of the octets of `hidden`. */
const HIDDEN = FIRST_RECORD + 12;

function selfContaining(lengths: readonly number[], filler: number): Buffer {
  const head = Buffer.from([...lengths, ...Array<number>(filler).fill(0x78)]);
  // Each pointer goes one length octet further back, so that the name contains itself repeatedly.
  const back = lengths.slice(1).map((_, index) => pointer(HIDDEN + lengths.length - 1 - index));
  return Buffer.concat([head, ...back]);
}

function chain(hops: number): Buffer {
  return Buffer.concat([u16(0), ...Array.from({ length: hops }, (_, hop) => pointer(HIDDEN + 2 * hop))]);
}

const LONG = (last: number): Buffer => name([63, 63, 63, last].map((length) => 'a'.repeat(length)).join('.'));
const POINTER = malformed(/pointer that does not point back/);

export const NAMES: readonly Shape[] = [
  shape(
    'an owner that points at itself',
    covers(6),
    'CVE-2007-3409, GHSA-369h-pjr2-6wrh',
    owned(pointer(FIRST_RECORD)),
    POINTER,
  ),
  shape('an owner that points forward', covers(6), 'miekg/dns', owned(pointer(FIRST_RECORD + 16)), POINTER),
  shape('an owner that points past the end', covers(6), 'c-ares', owned([0xff, 0xff]), POINTER),
  shape(
    'two owners that point at each other',
    covers(6),
    'CVE-2017-12995',
    hidden(pointer(HIDDEN + 14), pointer(HIDDEN + 2)),
    POINTER,
  ),
  shape('an owner that points into the header, at ANCOUNT', null, 'RFC 9267 section 2', owned(pointer(6)), POINTER),
  shape('an owner that points at octet 0', covers(6), 'c-ares, miekg/dns', owned(pointer(0)), POINTER),
  shape(
    'a label, then a pointer to that label',
    null,
    'miekg/dns; hickory',
    owned('\x03foo', pointer(FIRST_RECORD)),
    POINTER,
  ),
  shape(
    'labels, then a pointer between them',
    null,
    'miekg/dns',
    owned('\x03foo\x03bar', pointer(FIRST_RECORD + 4)),
    POINTER,
  ),
  shape(
    'a pointer into the middle of its own label',
    null,
    'CVE-2017-12995',
    owned('\x03foo', pointer(FIRST_RECORD + 2)),
    POINTER,
  ),
  shape(
    'a first octet of a pointer, and the message ends',
    null,
    'c-ares; RFC 9267',
    owned(pointer(12)).subarray(0, FIRST_RECORD + 1),
    malformed(/fewer records/),
  ),
  shape(
    'a label, the first octet of a pointer, and the message ends',
    null,
    'c-ares; RFC 9267 section 2',
    owned('\x03foo\xc0').subarray(0, FIRST_RECORD + 5),
    malformed(/pointer runs past/),
  ),
  shape(
    'a chain of 126 pointers',
    covers(7),
    'miekg/dns',
    hidden(chain(125), pointer(HIDDEN + 250), [a('10.0.0.2')]),
    gives('10.0.0.2'),
  ),
  shape(
    'a chain of 127 pointers',
    covers(7),
    'miekg/dns',
    hidden(chain(126), pointer(HIDDEN + 252)),
    malformed(/too many pointers/),
  ),
  shape(
    'a chain of 8,000 pointers',
    covers(7),
    'CVE-2026-64194',
    hidden(chain(8_000), pointer(HIDDEN + 16_000)),
    malformed(/too many pointers/),
  ),
  shape(
    '3,000 owners, at the ends of 119 and of 120 pointers in turn',
    covers(7),
    '',
    hidden(
      chain(120),
      pointer(HIDDEN + 240),
      Array.from({ length: 3_000 }, (_, index) => a('10.0.0.1', { owner: pointer(HIDDEN + 240 - 2 * (index % 2)) })),
    ),
    malformed(/too costly/),
  ),
  shape(
    'a name that contains itself repeatedly, within 255 octets',
    null,
    'miekg/dns, "long by pointer"',
    hidden(selfContaining([37, 34, 31, 28, 25, 22, 19, 16, 13, 10, 0], 9), pointer(HIDDEN), [a('10.0.0.2')]),
    // Other resolvers read it, but its own labels are no "prior occurrence" (RFC 1035 section 4.1.4).
    POINTER,
  ),
  shape(
    'a name that contains itself repeatedly, to more than 255 octets',
    null,
    'miekg/dns, "too long by pointer"',
    hidden(selfContaining([40, 37, 34, 31, 28, 25, 22, 19, 16, 13, 0], 12), pointer(HIDDEN)),
    malformed(/255|pointer/),
  ),
  shape('a label of type 0x40', covers(8), 'RFC 6891 section 5', owned('\x40a\0'), malformed(/unknown type/)),
  shape(
    'a label of type 0x41, the bit-string label',
    covers(8),
    'RFC 2673',
    owned([0x41, 8, 0xff, 0]),
    malformed(/unknown type/),
  ),
  shape('a label of type 0x80', covers(8), 'miekg/dns', owned('\x07example\x80'), malformed(/unknown type/)),
  shape('a label of type 0xbf', covers(8), 'RFC 9267 section 3', owned([0xbf, 1, 2, 0]), malformed(/unknown type/)),
  shape('a label of 64 octets', covers(8), 'c-ares', owned('\x40', 'a'.repeat(64), '\0'), malformed(/unknown type/)),
  shape(
    'a label of 63 octets',
    null,
    'miekg/dns, "long label"',
    owned('\x3f', 'a'.repeat(63), '\0'),
    gives('10.0.0.2'),
  ),
  shape('an owner of 255 octets', covers(8), 'Go dnsmessage', owned(LONG(61)), gives('10.0.0.2')),
  shape('an owner of 256 octets', covers(8), 'Go dnsmessage', owned(LONG(62)), malformed(/255/)),
  shape(
    'an owner of 127 labels',
    null,
    'RFC 1035 section 2.3.4; hickory',
    owned(...Array<string>(127).fill('\x01a'), '\0'),
    gives('10.0.0.2'),
  ),
  shape(
    'an owner of 128 labels',
    null,
    'RFC 1035 section 2.3.4; hickory',
    owned(...Array<string>(128).fill('\x01a'), '\0'),
    malformed(/255/),
  ),
  shape(
    'an owner of 256 octets, most of them behind its pointer',
    covers(8),
    'RFC 9267 section 3',
    hidden(
      name(Array(3).fill('a'.repeat(63)).join('.')),
      Buffer.concat([Buffer.from(`\x3f${'b'.repeat(63)}`), pointer(HIDDEN)]),
    ),
    malformed(/255/),
  ),
  shape(
    'a label that is longer than the message',
    covers(11),
    'RFC 9267 section 3',
    owned('\x3fabc').subarray(0, FIRST_RECORD + 4),
    malformed(/past the end|breaks off/),
  ),
  shape(
    'a name without its root octet',
    null,
    'RFC 9267 section 4; miekg/dns',
    owned('\x07example\x03com').subarray(0, FIRST_RECORD + 12),
    malformed(/past the end/),
  ),
  shape('an owner that is the root', null, 'CVE-2020-8285: empty names', owned([0]), gives('10.0.0.2')),
  shape(
    'an owner with a NUL in a label',
    null,
    'RFC 9267 section 4',
    owned('\x03s\0c\x02ns\x03svc\x07cluster\x05local\0'),
    gives('10.0.0.2'),
  ),
  shape(
    'an owner with a dot in a label',
    null,
    'Go dnsmessage; fault 5',
    owned('\x06svc.ns\x03svc\x07cluster\x05local\0'),
    gives('10.0.0.2'),
  ),
  shape(
    'an owner in capitals',
    null,
    'RFC 4343',
    owned('\x03SVC\x02NS\x03SVC\x07CLUSTER\x05LOCAL\0'),
    gives('10.0.0.1', '10.0.0.2'),
  ),
  shape(
    'an owner that differs by a bit that is not the case bit',
    null,
    'RFC 4343',
    owned('\x03svc\x02ns\x03svc\x07cluster\x05loca\x0c\0'),
    gives('10.0.0.2'),
  ),
  shape('an owner that is the start of the question', covers(12), '', owned('\x03svc\x02ns\0'), gives('10.0.0.2')),
  shape('an owner that is the end of the question', covers(12), '', owned(pointer(16)), gives('10.0.0.2')),
  shape(
    'a question of the root, and addresses of it',
    null,
    'Go dnsmessage',
    Buffer.concat([response().subarray(0, 12), Buffer.from([0]), u16(1), u16(1)]),
    { ignored: 'question-mismatch' },
  ),
  shape(
    'a question that points at itself',
    covers(6),
    'CVE-2018-20994 (trust-dns)',
    Buffer.concat([response().subarray(0, 12), pointer(12), u16(1), u16(1)]),
    POINTER,
  ),
  shape(
    'a question that points at the header',
    covers(6),
    'RFC 9267 section 2',
    Buffer.concat([response().subarray(0, 12), Buffer.from('\x03svc'), pointer(2), u16(1), u16(1)]),
    POINTER,
  ),
  shape(
    'one label `svc.ns` instead of two',
    covers(5),
    '',
    response({
      query: Buffer.concat([
        aQuery().subarray(0, 12),
        Buffer.from('\x06svc.ns\x03svc\x07cluster\x05local\0\0\x01\0\x01', 'latin1'),
      ]),
    }),
    { ignored: 'question-mismatch' },
  ),
];
