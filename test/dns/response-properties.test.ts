import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import packet from 'dns-packet';
import fc from 'fast-check';
import { MalformedMessage } from '../../lib/dns/name.js';
import { type Response, readResponse } from '../../lib/dns/response.js';
import { covers } from '../faults/covers.js';
import { a, ip, name, opt, record, response, TYPE, u16 } from '../support/wire.js';

describe('any response', () => {
  const octets: fc.Arbitrary<Buffer> = fc
    .uint8Array({ minLength: 4, maxLength: 4 })
    .map((bytes) => a([...bytes].join('.')));
  const extras: fc.Arbitrary<Buffer> = fc.constantFrom(
    opt(),
    record({ type: TYPE.TXT }),
    a('10.9.9.9', { owner: name('else.where') }),
  );
  const valid = fc
    .record({
      answers: fc.array(octets, { minLength: 1, maxLength: 20 }),
      authority: fc.array(fc.constant<Buffer>(record({ type: TYPE.SOA, rdata: Buffer.alloc(22) })), { maxLength: 1 }),
      additional: fc.array(extras, { maxLength: 1 }),
    })
    .map((parts) => response(parts));

  it('fails when it is cut off anywhere', covers(11), () => {
    fc.assert(
      fc.property(valid, (message) => {
        for (let length = 12; length < message.length; length++)
          assert.throws(() => readResponse(message.subarray(0, length), 'A'), MalformedMessage);
      }),
      { numRuns: 50 },
    );
  });

  function holds(message: Buffer, read: Response): boolean {
    return read.addresses.every(
      (address) => isIP(address) === 4 && message.includes(Buffer.concat([u16(4), ip(address)])),
    );
  }

  it('gives only addresses that are in its octets, and no other error, when octets are changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(valid, changes, (message, edits) => {
        for (const [at, octet] of edits) message[12 + (at % (message.length - 12))] = octet;
        try {
          assert.ok(holds(message, readResponse(message, 'A')));
        } catch (error) {
          assert.ok(error instanceof MalformedMessage);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives only addresses that are in its octets, and no other error, when it is random octets', () => {
    const random = fc.uint8Array({ minLength: 12, maxLength: 400 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(random, fc.boolean(), (message, small) => {
        if (small) message.fill(0, 4, 12).writeUInt8(2, 7);
        try {
          assert.ok(holds(message, readResponse(message, 'A')));
        } catch (error) {
          assert.ok(error instanceof MalformedMessage);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('that dns-packet encodes is read', () => {
    const v4 = fc.ipV4().filter((text) => /^(?!0\.|22[4-9]|2[3-5]\d)/.test(text));
    fc.assert(
      fc.property(fc.uniqueArray(v4, { maxLength: 60 }), fc.nat(0x7fff_ffff), (addresses, ttl) => {
        const encoded = packet.encode({
          type: 'response',
          questions: [{ name: 'svc.ns', type: 'A' }],
          answers: addresses.map((data) => ({ name: 'svc.ns', type: 'A', ttl, data })),
        });
        const read = readResponse(encoded, 'A');
        assert.deepEqual([...read.addresses].sort(), [...addresses].sort());
        assert.equal(read.ttlMs, addresses.length > 0 ? ttl * 1000 : 0);
      }),
      { numRuns: 200 },
    );
  });
});
