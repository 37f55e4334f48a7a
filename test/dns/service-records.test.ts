import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import packet from 'dns-packet';
import fc from 'fast-check';
import { encodeQuery } from '../../lib/dns/message.js';
import { MalformedMessage } from '../../lib/dns/name.js';
import { type Response, readResponse } from '../../lib/dns/response.js';
import type { ServiceRecord } from '../../lib/dns/service-records.js';
import { covers } from '../faults/covers.js';
import { a, aaaa, cname, name, pointer, QUESTION, record, response, srv, TYPE, u16 } from '../support/wire.js';

const HOSTNAME = '_grpc._tcp.svc.ns';
const query = encodeQuery({ id: 1, hostname: HOSTNAME, type: 'SRV', edns: false });
const FIRST_RECORD = query.length;

interface Sections {
  readonly answers?: readonly Buffer[];
  readonly authority?: readonly Buffer[];
  readonly additional?: readonly Buffer[];
  readonly rcode?: number;
}

function read(sections: Sections): Response {
  return readResponse(response({ query, ...sections }), 'SRV');
}

function fails(sections: Sections, why: RegExp): void {
  assert.throws(
    () => read(sections),
    (error) => error instanceof MalformedMessage && why.test(error.message),
  );
}

/** `"port target addresses"`. */
function shown({ services }: Response): string[] {
  return services.map(({ port, target, ipv4, ipv6 }) => [port, target, ...ipv4, ...ipv6].join(' '));
}

describe('a query for SRV', () => {
  it('has the type 33 and the name with its underscores', () => {
    assert.deepEqual(query.subarray(12), Buffer.concat([name(HOSTNAME), u16(TYPE.SRV), u16(1)]));
  });
});

describe('a response with SRV records', () => {
  it('gives their four fields, the addresses of their targets, and the smallest TTL of them all', () => {
    const expected: ServiceRecord[] = [
      { priority: 1, weight: 60, port: 50_051, target: 'pod-0.svc.ns', ipv4: ['10.0.0.1'], ipv6: ['fd00::1'] },
      { priority: 2, weight: 0, port: 9_090, target: 'pod-1.svc.ns', ipv4: [], ipv6: [] },
    ];
    const message = read({
      answers: [
        srv(50_051, name('Pod-0.svc.ns'), { priority: 1, weight: 60, ttl: 30 }),
        srv(9_090, name('pod-1.svc.ns'), { priority: 2, weight: 0, ttl: 20 }),
      ],
      additional: [
        a('10.0.0.1', { owner: name('pod-0.SVC.ns'), ttl: 7 }),
        aaaa('fd000000000000000000000000000001', { owner: name('pod-0.svc.ns') }),
        a('10.0.0.9', { owner: name('other.svc.ns'), ttl: 1 }),
      ],
    });
    assert.deepEqual(message, {
      rcode: 'NOERROR',
      truncated: false,
      addresses: [],
      services: expected,
      refused: 0,
      ttlMs: 7_000,
    });
  });

  it('may have compressed targets, and owners that point to a target', () => {
    const target = FIRST_RECORD + 2 + 10 + 6;
    const message = read({
      answers: [srv(1, Buffer.concat([name('pod-0').subarray(0, -1), pointer(12 + 6 + 5)]))],
      additional: [a('10.0.0.1', { owner: pointer(target) })],
    });
    assert.deepEqual(shown(message), ['1 pod-0.svc.ns 10.0.0.1']);
  });

  it('is followed along its CNAMEs', () => {
    const answers = [cname(QUESTION, name('_x._tcp.real')), srv(1, name('pod'), { owner: name('_X._tcp.real') })];
    assert.deepEqual(shown(read({ answers })), ['1 pod']);
  });

  it('gives no record of another owner, class or section, and no address of another section or class', () => {
    const message = read({
      answers: [
        srv(1, name('pod')),
        srv(2, name('pod'), { owner: name('_grpc._tcp.other') }),
        srv(3, name('pod'), { class: 3 }),
        a('10.0.0.1', { owner: name('pod') }),
      ],
      authority: [srv(4, name('pod')), a('10.0.0.2', { owner: name('pod') })],
      additional: [srv(5, name('pod')), a('10.0.0.3', { owner: name('pod'), class: 3 })],
    });
    assert.deepEqual(shown(message), ['1 pod']);
  });

  it('gives the target "." as an empty name', () => {
    assert.deepEqual(shown(read({ answers: [srv(0, name(''))] })), ['0 ']);
  });

  it('leaves out, and counts, what no connection can be opened to', () => {
    const message = read({
      answers: [srv(0, name('zero')), srv(1, name('pod')), srv(2, Buffer.from('\x06svc.ns\0', 'latin1'))],
      additional: [a('255.255.255.255', { owner: name('pod') }), a('10.0.0.1', { owner: name('pod') })],
    });
    assert.deepEqual(shown(message), ['1 pod 10.0.0.1']);
    assert.equal(message.refused, 3);
  });

  it('without records gives the negative TTL of its SOA', () => {
    const soa = record({ type: TYPE.SOA, ttl: 5, rdata: Buffer.alloc(22, 1) });
    assert.deepEqual([read({ rcode: 3, authority: [soa] }).ttlMs, read({ rcode: 3 }).ttlMs], [5_000, 0]);
  });

  it('to a question for addresses gives no services', () => {
    const message = response({ answers: [srv(1, name('pod')), a('10.0.0.1')] });
    const { addresses, services } = readResponse(message, 'A');
    assert.deepEqual({ addresses, services }, { addresses: ['10.0.0.1'], services: [] });
  });

  it('of 1,300 records with compressed targets and their addresses is read', () => {
    const suffix = pointer(12 + 6 + 5);
    const answers: Buffer[] = [];
    const additional: Buffer[] = [];
    for (let index = 0; index < 1_300; index++) {
      const target = Buffer.concat([name(`p${index}`).subarray(0, -1), suffix]);
      answers.push(srv(50_051, target));
      additional.push(a(`10.1.${index >> 8}.${index & 255}`, { owner: target }));
    }
    const message = read({ answers, additional });
    assert.equal(message.services.length, 1_300);
    assert.ok(message.services.every(({ ipv4 }) => ipv4.length === 1));
  });
});

const GOOD = srv(1, name('pod'));
const rdata = (target: Buffer): Buffer => Buffer.concat([Buffer.alloc(6, 1), target]);
const MALFORMED: Readonly<Record<string, [bad: Buffer, why: RegExp]>> = {
  ...Object.fromEntries(
    [0, 1, 5, 6].map((length) => [
      `RDLENGTH ${length}`,
      [record({ type: TYPE.SRV, rdata: Buffer.alloc(length, 1) }), /does not fill/],
    ]),
  ),
  'a target cut by RDLENGTH': [
    record({ type: TYPE.SRV, rdata: rdata(Buffer.from('\x03po')) }),
    /does not fill|past the end/,
  ],
  'octets after its target': [record({ type: TYPE.SRV, rdata: rdata(Buffer.from('\x03pod\0\0')) }), /does not fill/],
  'a target that runs into the next record': [
    record({ type: TYPE.SRV, rdata: rdata(Buffer.from('\x04pod')) }),
    /does not fill/,
  ],
  'a target past the end of the message': [
    record({ type: TYPE.SRV, rdata: rdata(Buffer.from('\x3fpod')) }),
    /past the end/,
  ],
  'RDLENGTH past the end of the message': [
    record({ type: TYPE.SRV, rdata: rdata(name('pod')), rdlength: 999 }),
    /past the end/,
  ],
  'a target of a label of an unknown type': [srv(1, Buffer.from([0x41, 0])), /unknown type/],
  'a target that points to itself': [srv(1, pointer(FIRST_RECORD + GOOD.length + 18)), /point back/],
  'a target that points forward': [srv(1, pointer(0x3fff)), /point back/],
  'a target that points into the header': [srv(1, pointer(4)), /point back/],
  'a target of more than 255 octets': [srv(1, name(Array(5).fill('x'.repeat(60)).join('.'))), /255 octets/],
};

for (const [what, [bad, why]] of Object.entries(MALFORMED))
  it(`an SRV record with ${what} fails the whole message`, covers(6, 10), () => {
    fails({ answers: [GOOD, bad, GOOD] }, why);
  });

it('a malformed SRV record of another owner is not read', () => {
  const bad = record({ type: TYPE.SRV, owner: name('else.where'), rdata: Buffer.alloc(3) });
  assert.deepEqual(shown(read({ answers: [bad, GOOD] })), ['1 pod']);
});

it('an address of the wrong length in the additional section fails the message', covers(10), () => {
  fails({ answers: [GOOD], additional: [record({ owner: name('pod'), rdata: Buffer.alloc(3) })] }, /4 octets/);
});

describe('any response with SRV records', () => {
  const label = fc.stringMatching(/^[a-z0-9_-]{1,12}$/);
  const target = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
  const service = fc.record({
    priority: fc.nat(0xffff),
    weight: fc.nat(0xffff),
    port: fc.integer({ min: 1, max: 0xffff }),
    target,
  });
  const octet = fc.integer({ min: 1, max: 223 });
  const address = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
  const whole = fc.tuple(
    fc.array(service, { minLength: 1, maxLength: 8 }),
    fc.array(fc.tuple(target, address), { maxLength: 8 }),
  );

  it('that dns-packet encodes is read', () => {
    fc.assert(
      fc.property(whole, fc.nat(0x7fff_ffff), ([services, glue], ttl) => {
        const owners = services.map((one) => one.target);
        const encoded = packet.encode({
          type: 'response',
          questions: [{ name: HOSTNAME, type: 'SRV' }],
          answers: services.map((data) => ({ name: HOSTNAME, type: 'SRV', ttl, data })),
          additionals: glue.map(([, data], index) => ({
            name: owners[index % owners.length] as string,
            type: 'A',
            ttl,
            data,
          })),
        });
        const { services: found, ttlMs } = readResponse(encoded, 'SRV');
        assert.deepEqual(
          found.map(({ priority, weight, port, target }) => ({ priority, weight, port, target })),
          services.map((one) => ({ ...one })),
        );
        assert.equal(ttlMs, ttl * 1000);
        for (const { target: owner, ipv4 } of found) {
          const expected = glue.filter((_, index) => owners[index % owners.length] === owner).map(([, ip]) => ip);
          assert.deepEqual(ipv4, [...new Set(expected)]);
        }
      }),
      { numRuns: 200 },
    );
  });

  /** Its fields and its addresses are octets of the message, each of a record of their type. */
  function holds(message: Buffer, { services }: Response): boolean {
    return services.every(
      ({ priority, weight, port, ipv4 }) =>
        message.includes(Buffer.concat([u16(priority), u16(weight), u16(port)])) &&
        ipv4.every((ip) => message.includes(Buffer.concat([u16(4), Buffer.from(ip.split('.').map(Number))]))),
    );
  }

  const valid = whole.map(([services, glue]) =>
    response({
      query,
      answers: services.map(({ target: to, ...fields }) => srv(fields.port, name(to), fields)),
      additional: glue.map(([, ip], index) => a(ip, { owner: name(services[index % services.length]?.target ?? '') })),
    }),
  );

  it('fails when it is cut off anywhere', covers(11), () => {
    fc.assert(
      fc.property(valid, (message) => {
        for (let length = 12; length < message.length; length++)
          assert.throws(() => readResponse(message.subarray(0, length), 'SRV'), MalformedMessage);
      }),
      { numRuns: 50 },
    );
  });

  it('makes no endpoint that its octets do not hold, and no other error, when octets are changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(valid, changes, (message, edits) => {
        for (const [at, octet] of edits) message[12 + (at % (message.length - 12))] = octet;
        try {
          assert.ok(holds(message, readResponse(message, 'SRV')));
        } catch (error) {
          assert.ok(error instanceof MalformedMessage);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('makes no endpoint that its octets do not hold, and no other error, when it is random octets', () => {
    const random = fc.uint8Array({ minLength: 12, maxLength: 400 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(random, fc.boolean(), (message, small) => {
        if (small) message.fill(0, 4, 12).writeUInt8(2, 7);
        try {
          assert.ok(holds(message, readResponse(message, 'SRV')));
        } catch (error) {
          assert.ok(error instanceof MalformedMessage);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
