import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import packet from 'dns-packet';
import type { RecordType } from '../../lib/dns/message.js';
import { MalformedMessage } from '../../lib/dns/name.js';
import { type Response, readResponse } from '../../lib/dns/response.js';
import { covers } from '../faults/covers.js';
import {
  a,
  cname,
  FIRST_RECORD,
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
} from '../support/wire.js';

function fails(message: Buffer, why: RegExp, type: RecordType = 'A'): void {
  assert.throws(
    () => readResponse(message, type),
    (error) => error instanceof MalformedMessage && why.test(error.message),
  );
}

function addressesIn(...answers: Buffer[]): readonly string[] {
  return readResponse(response({ answers }), 'A').addresses;
}

describe('a response', () => {
  it('gives the addresses, the smallest TTL and the RCODE', () => {
    const message = response({ answers: [a('10.0.0.1', { ttl: 30 }), a('10.0.0.2', { ttl: 5 }), a('255.0.0.1')] });
    const expected: Response = {
      rcode: 'NOERROR',
      truncated: false,
      addresses: ['10.0.0.1', '10.0.0.2'],
      services: [],
      refused: 1,
      ttlMs: 5_000,
    };
    assert.deepEqual(readResponse(message, 'A'), expected);
  });

  it('without addresses gives the TTL or the MINIMUM of its SOA, whichever is smaller', () => {
    const soa = (ttl: number, minimum: number): Buffer =>
      record({
        type: TYPE.SOA,
        ttl,
        rdata: Buffer.concat([name('ns.dns'), name('h'), Buffer.alloc(16), u32(minimum)]),
      });
    assert.equal(readResponse(response({ rcode: 3, authority: [soa(30, 5)] }), 'A').ttlMs, 5_000);
    assert.equal(readResponse(response({ rcode: 3, authority: [soa(3, 5)] }), 'A').ttlMs, 3_000);
    assert.equal(readResponse(response({ rcode: 3 }), 'A').ttlMs, 0);
  });

  it('may have octets after the last record, which are ignored', () => {
    const message = Buffer.concat([response({ answers: [a('10.0.0.1')] }), Buffer.from('trailing')]);
    assert.deepEqual(readResponse(message, 'A').addresses, ['10.0.0.1']);
  });

  it('gives no address of its authority or additional section', () => {
    const message = response({ authority: [a('10.0.0.1')], additional: [a('10.0.0.2')] });
    assert.deepEqual(readResponse(message, 'A').addresses, []);
  });

  it('gives addresses whose owner is written out, in another case or compressed in another way', () => {
    const owners = [name('svc.ns.svc.cluster.local'), name('SVC.ns.svc.CLUSTER.local')];
    const halfCompressed = Buffer.concat([Buffer.from('\x03svc'), pointer(12 + 4)]);
    const answers = [...owners, halfCompressed].map((owner, index) => a(`10.0.0.${index}`, { owner }));
    assert.deepEqual(addressesIn(...answers), ['10.0.0.0', '10.0.0.1', '10.0.0.2']);
  });
});

describe('faults in a response', () => {
  it('a self pointer, a forward pointer and a two-step loop fail', covers(6), () => {
    fails(response({ answers: [a('10.0.0.1', { owner: pointer(FIRST_RECORD) })] }), /pointer/);
    fails(response({ answers: [a('10.0.0.1', { owner: pointer(FIRST_RECORD + 8) })] }), /pointer/);
    const there = record({ type: TYPE.TXT, rdata: pointer(FIRST_RECORD + 14) });
    const andBack = a('10.0.0.1', { owner: pointer(FIRST_RECORD + 12) });
    fails(response({ answers: [there, andBack] }), /pointer/);
    fails(response({ answers: [a('10.0.0.1', { owner: pointer(4) })] }), /pointer/);
  });

  it('a chain of 8,000 pointers fails, and so do 4,000 names of 126 pointers each', covers(7), () => {
    const chain = [u16(0)];
    for (let index = 0; index < 8_000; index++) chain.push(pointer(FIRST_RECORD + 12 + 2 * index));
    const text = record({ type: TYPE.TXT, rdata: Buffer.concat(chain) });
    const behind = (hops: number): Buffer => pointer(FIRST_RECORD + 12 + 2 * hops);
    fails(response({ answers: [text, a('10.0.0.1', { owner: behind(7_999) })] }), /too many pointers/);

    const many = Array.from({ length: 3_000 }, (_, index) => a('10.0.0.1', { owner: behind(110 + (index % 10)) }));
    const message = response({ answers: [text, ...many] });
    assert.ok(message.length <= 65_535);
    fails(message, /too costly/);
  });

  it('a full message of valid names stays within the budget, compressed by a pointer, by suffix or not at all', () => {
    const alias = cname(QUESTION, name('svc-7.ns.svc.cluster.local'));
    const target = FIRST_RECORD + 12;
    const byPointer = Array.from({ length: 4_000 }, (_, i) =>
      a(`10.1.${i >> 8}.${i & 255}`, { owner: pointer(target) }),
    );
    assert.equal(addressesIn(alias, ...byPointer).length, 4_000);
    const bySuffix = (i: number): Buffer => Buffer.concat([Buffer.from(`\x04p${100 + (i % 900)}`), pointer(target)]);
    const pods = Array.from({ length: 3_000 }, (_, i) => a('10.0.0.9', { owner: bySuffix(i) }));
    assert.deepEqual(addressesIn(alias, ...byPointer.slice(0, 1), ...pods), ['10.1.0.0']);
    const written = Array.from({ length: 1_600 }, (_, i) => a(`10.1.${i >> 8}.${i & 255}`, { owner: name(HOSTNAME) }));
    assert.equal(addressesIn(...written).length, 1_600);
  });

  it('64 KB of CNAMEs that differ in their last label only costs no more than the budget', covers(7), () => {
    const long = Array.from({ length: 7 }, () => 'x'.repeat(28)).join('.');
    const aliases = Array.from({ length: 290 }, (_, i) => cname(name(`${long}.${i}`), Buffer.alloc(1)));
    const message = response({ answers: aliases });
    assert.ok(message.length <= 65_535);
    assert.deepEqual(readResponse(message, 'A').addresses, []);
  });

  it('label types 0x40 and 0x80 fail', covers(8), () => {
    for (const kind of [0x40, 0x41, 0x80, 0xbf])
      fails(response({ answers: [a('10.0.0.1', { owner: Buffer.from([kind, 1, 0]) })] }), /unknown type/);
  });

  it('a name of 255 octets is accepted, one of 256 is not', covers(8), () => {
    const octets = (last: number): Buffer => name([63, 63, 63, last].map((length) => 'a'.repeat(length)).join('.'));
    assert.equal(octets(61).length, 255);
    assert.deepEqual(addressesIn(a('10.0.0.9', { owner: octets(61) }), a('10.0.0.1')), ['10.0.0.1']);
    fails(response({ answers: [a('10.0.0.9', { owner: octets(62) }), a('10.0.0.1')] }), /255/);
  });

  it('the length of a name includes the part behind a pointer', covers(8), () => {
    const head = Buffer.from(`\x3f${'b'.repeat(63)}`, 'latin1');
    const target = name(Array.from({ length: 3 }, () => 'a'.repeat(63)).join('.'));
    const first = record({ type: TYPE.TXT, rdata: target });
    const owner = Buffer.concat([head, pointer(FIRST_RECORD + 12)]);
    fails(response({ answers: [first, a('10.0.0.1', { owner })] }), /255/);
  });

  it('ANCOUNT 65535 with an empty body fails', covers(9), () => {
    fails(response({ ancount: 65_535 }), /fewer records/);
  });

  for (const length of [0, 2, 3, 5, 16])
    it(`an A of RDLENGTH ${length} fails the whole message`, covers(10), () => {
      const bad = record({ rdata: Buffer.alloc(length, 1) });
      fails(response({ answers: [a('10.0.0.1'), bad] }), /4 octets/);
      fails(response({ answers: [a('10.0.0.1')], additional: [bad] }), /4 octets/);
    });

  it('an AAAA of RDLENGTH 4 fails the whole message, whatever was asked for', covers(10), () => {
    const bad = record({ type: TYPE.AAAA, rdata: ip('10.0.0.1') });
    fails(response({ answers: [bad] }), /16 octets/, 'AAAA');
    fails(response({ answers: [a('10.0.0.1'), bad] }), /16 octets/);
  });

  it('an RDLENGTH past the end fails the whole message', covers(10), () => {
    fails(response({ answers: [a('10.0.0.1'), record({ rdlength: 65_535 })] }), /past the end/);
    fails(response({ answers: [record({ type: TYPE.TXT, rdlength: 5 })] }), /past the end/);
  });

  it('records of class CH, of class IN with the top bit, and of other owners are skipped', covers(12), () => {
    const others = [
      a('10.0.0.2', { class: 3 }),
      a('10.0.0.3', { class: 0x8001 }),
      a('10.0.0.4', { owner: name('x.y') }),
    ];
    assert.deepEqual(addressesIn(...others, a('10.0.0.1')), ['10.0.0.1']);
    assert.deepEqual(addressesIn(record({ class: 3, rdata: Buffer.alloc(1) }), a('10.0.0.1')), ['10.0.0.1']);
  });

  const chain = [
    cname(QUESTION, name('b.x'), { ttl: 20 }),
    cname(name('B.x'), name('c.x')),
    cname(name('c.X'), name('d.x')),
  ];
  const end = a('10.0.0.1', { owner: name('d.x') });

  it(
    'a chain of three CNAMEs is followed with its A last, first or in between, and gives the smallest TTL',
    covers(13),
    () => {
      for (const answers of [
        [...chain, end],
        [end, ...chain],
        [...chain].reverse(),
        [chain[2], end, chain[0], chain[1]],
      ]) {
        const message = response({ answers: [...(answers as Buffer[]), a('10.0.0.9', { owner: name('e.x') }), end] });
        const { addresses, ttlMs } = readResponse(message, 'A');
        assert.deepEqual([addresses, ttlMs], [['10.0.0.1'], 20_000]);
      }
    },
  );

  it('a loop of CNAMEs fails, of one step or of three', covers(14), () => {
    fails(response({ answers: [cname(QUESTION, QUESTION)] }), /loop/);
    const back = cname(name('d.x'), QUESTION);
    fails(response({ answers: [...chain, back, end] }), /loop/);
  });

  it('a chain of 16 CNAMEs is followed, one of 17 fails', covers(14), () => {
    const deep = (depth: number): Buffer[] => [
      ...Array.from({ length: depth }, (_, i) => cname(i === 0 ? QUESTION : name(`n${i}`), name(`n${i + 1}`))),
      a('10.0.0.1', { owner: name(`n${depth}`) }),
    ];
    assert.deepEqual(addressesIn(...deep(16)), ['10.0.0.1']);
    fails(response({ answers: deep(17) }), /more than 16/);
  });

  it('a CNAME without an A is NODATA', covers(14), () => {
    assert.deepEqual(addressesIn(...chain), []);
  });

  it('a CNAME of the chain whose name does not fill its data fails; outside the chain it is skipped', () => {
    const short = Buffer.concat([name('b.x'), Buffer.alloc(1)]);
    fails(response({ answers: [cname(QUESTION, short)] }), /fill/);
    assert.deepEqual(addressesIn(cname(name('other'), short), a('10.0.0.1')), ['10.0.0.1']);
  });

  it('malformed records of other types with a right length do not prevent a good A from being used', covers(15), () => {
    const junk = Buffer.from([0xc0, 0xff, 0x3f]);
    const additional = [TYPE.DNSKEY, TYPE.TXT, TYPE.NS, TYPE.SOA, 65_280].map((type) => record({ type, rdata: junk }));
    const message = response({ answers: [a('10.0.0.1')], authority: additional, additional });
    assert.deepEqual(readResponse(message, 'A').addresses, ['10.0.0.1']);
    assert.throws(() => packet.decode(message), 'dns-packet gives up on it');
  });

  it('two OPT records, options past the end of their record, and an OPT not owned by the root fail', covers(16), () => {
    const answers = [a('10.0.0.1')];
    fails(response({ answers, additional: [opt(), opt()] }), /two OPT/);
    const option = (length: number): Buffer => opt({ rdata: Buffer.concat([u16(10), u16(length), Buffer.alloc(8)]) });
    assert.deepEqual(readResponse(response({ answers, additional: [option(8)] }), 'A').addresses, ['10.0.0.1']);
    fails(response({ answers, additional: [option(9)] }), /past its record/);
    fails(response({ answers, additional: [option(6)] }), /breaks off/);
    fails(response({ answers, additional: [opt({ owner: name('x') })] }), /root/);
  });

  it('BADVERS is read from the header and the OPT record', covers(17), () => {
    assert.equal(readResponse(response({ additional: [opt({ rcode: 16 })] }), 'A').rcode, 'BADVERS');
    assert.equal(readResponse(response({ rcode: 1 }), 'A').rcode, 'FORMERR');
    assert.equal(readResponse(response({ additional: [opt({ rcode: 0xff0 })], rcode: 0xf }), 'A').rcode, 'RCODE4095');
  });

  it('TC is reported together with the addresses', covers(19), () => {
    const { truncated, addresses } = readResponse(response({ flags: 0x8380, answers: [a('10.0.0.1')] }), 'A');
    assert.deepEqual([truncated, addresses], [true, ['10.0.0.1']]);
  });

  it('a TTL of 0 and one with its top bit set are 0, and 2^31-1 is the largest', covers(27), () => {
    const ttlMs = (ttl: number): number => readResponse(response({ answers: [a('10.0.0.1', { ttl })] }), 'A').ttlMs;
    assert.deepEqual([0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff].map(ttlMs), [0, 2_147_483_647_000, 0, 0]);
  });

  it('an address that occurs twice is given once', covers(28), () => {
    assert.deepEqual(addressesIn(a('10.0.0.2'), a('10.0.0.1'), a('10.0.0.2')), ['10.0.0.2', '10.0.0.1']);
  });

  it('unspecified, multicast and broadcast addresses are left out and counted', covers(29), () => {
    const bad = ['0.0.0.0', '224.0.0.1', '239.1.2.3', '240.0.0.1', '255.255.255.255', '0.0.0.0'].map((text) => a(text));
    const read = readResponse(response({ answers: [...bad, a('10.0.0.1')] }), 'A');
    assert.deepEqual([read.addresses, read.refused], [['10.0.0.1'], 5]);

    const v6 = (hex: string): Buffer => record({ type: TYPE.AAAA, rdata: Buffer.from(hex.padEnd(32, '0'), 'hex') });
    const read6 = readResponse(
      response({ answers: [v6(''), v6('ff02'), v6(`${'00'.repeat(10)}ffffe0000001`), v6('fd00')] }),
      'AAAA',
    );
    assert.deepEqual([read6.addresses, read6.refused], [['fd00::'], 3]);
  });
});
