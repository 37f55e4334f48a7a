import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import packet from 'dns-packet';
import fc from 'fast-check';
import { classify, EDNS_UDP_OCTETS, encodeQuery, type QueryBits } from '../../lib/dns/message.js';
import { MalformedMessage } from '../../lib/dns/name.js';
import { covers } from '../faults/covers.js';
import { a, aQuery, HOSTNAME, name, pointer, questionOf, response, u16 } from '../support/wire.js';

const query = aQuery();

describe('a query', () => {
  it('has one question, asks for recursion, and says which size of response is allowed', () => {
    const decoded = packet.decode(encodeQuery({ id: 7, hostname: HOSTNAME, type: 'AAAA', edns: true }));
    assert.equal(decoded.id, 7);
    assert.equal(decoded.flags, packet.RECURSION_DESIRED);
    assert.deepEqual(decoded.questions, [{ name: HOSTNAME, type: 'AAAA', class: 'IN' }]);
    const [opt] = decoded.additionals as packet.OptAnswer[];
    assert.deepEqual([opt?.type, opt?.udpPayloadSize, opt?.ednsVersion], ['OPT', EDNS_UDP_OCTETS, 0]);
    assert.deepEqual(packet.decode(aQuery({ edns: false })).additionals, []);
  });

  it('has the DO bit in its OPT record and the CD bit in its header where they are asked for', () => {
    const octets = (bits: Partial<QueryBits>, edns = true): string => {
      const message = encodeQuery({ id: 0x1234, hostname: HOSTNAME, type: 'A', edns, ...bits });
      const end = 12 + questionOf(message).length;
      // The flags of the header, and the OPT record: root, type 41, 1232 octets, extended RCODE, version, flags, no data.
      return `${message.toString('hex', 2, 4)} ${message.toString('hex', end)}`;
    };
    assert.equal(octets({}), '0100 00002904d0000000000000');
    assert.equal(octets({ dnssecOk: false, checkingDisabled: false }), '0100 00002904d0000000000000');
    assert.equal(octets({ dnssecOk: true }), '0100 00002904d0000080000000');
    assert.equal(octets({ checkingDisabled: true }), '0110 00002904d0000000000000');
    assert.equal(octets({ dnssecOk: true, checkingDisabled: true }), '0110 00002904d0000080000000');
    assert.equal(octets({ dnssecOk: true, checkingDisabled: true }, false), '0110 ', 'without EDNS there is no DO bit');
  });

  it('has the name that it was given, for any valid name', () => {
    const label = fc.stringMatching(/^[A-Za-z0-9_-]{1,63}$/);
    const names = fc.array(label, { minLength: 1, maxLength: 8 }).map((labels) => labels.join('.'));
    fc.assert(
      fc.property(names, (hostname) => {
        fc.pre(hostname.length <= 253);
        const expected = Buffer.concat([name(hostname), u16(1), u16(1)]);
        assert.deepEqual(questionOf(aQuery({ hostname })), expected);
      }),
    );
  });

  it('is not made for a name that DNS cannot be asked for', covers(32), () => {
    const tooLong = Array.from({ length: 64 }, () => 'abc')
      .join('.')
      .slice(0, 254);
    const bad = [
      'a..b',
      '.a',
      'a.',
      '.',
      `${'a'.repeat(64)}.b`,
      tooLong,
      'a\0b',
      '',
      ' ',
      'a b',
      'a\n',
      'é.b',
      'a\x7f',
    ];
    for (const hostname of bad) {
      assert.throws(() => aQuery({ hostname }), { code: 'ERR_HEADLESS_TARGET' });
    }
    assert.equal(aQuery({ hostname: tooLong.slice(1) }).length, 12 + 255 + 4);
  });
});

describe('a received message', () => {
  const good = response({ answers: [a('10.0.0.1')] });

  function changed(change: (message: Buffer) => unknown): Buffer {
    const copy = Buffer.from(good);
    change(copy);
    return copy;
  }

  it('is complete or truncated with the id and the question of the query, in any case', () => {
    assert.equal(classify(good, query), 'complete');
    const upperCase = Buffer.from(good.toString('latin1').replace('cluster', 'CLUSTER'), 'latin1');
    assert.equal(classify(upperCase, query), 'complete');
    assert.equal(classify(response({ flags: 0x8380 }), query), 'truncated');
  });

  it('is not a response when it is shorter than a header', covers(1), () => {
    for (let length = 0; length < 12; length++)
      assert.equal(classify(good.subarray(0, length), query), 'not-a-response');
  });

  it('is an id mismatch with another id', covers(2), () => {
    assert.equal(
      classify(
        changed((message) => message.writeUInt16BE(0x1235, 0)),
        query,
      ),
      'id-mismatch',
    );
  });

  it('is not a response with QR=0, another opcode, or 0 or 2 questions', covers(4), () => {
    assert.equal(classify(query, query), 'not-a-response');
    assert.equal(
      classify(
        changed((message) => message.writeUInt16BE(0x8180 | (5 << 11), 2)),
        query,
      ),
      'not-a-response',
    );
    for (const count of [0, 2, 65_535])
      assert.equal(
        classify(
          changed((message) => message.writeUInt16BE(count, 4)),
          query,
        ),
        'not-a-response',
      );
  });

  it('is a question mismatch with another name, type or class', covers(5), () => {
    const type = query.length - 4;
    assert.equal(
      classify(
        changed((message) => message.writeUInt16BE(28, type)),
        query,
      ),
      'question-mismatch',
    );
    assert.equal(
      classify(
        changed((message) => message.writeUInt16BE(3, type + 2)),
        query,
      ),
      'question-mismatch',
    );
    assert.equal(
      classify(response({ query: aQuery({ hostname: 'svc.ns.svc.cluster.loca1' }) }), query),
      'question-mismatch',
    );
    assert.equal(classify(response({ query: aQuery({ hostname: 'svc.ns' }) }), query), 'question-mismatch');
  });

  it('is a question mismatch with the one label `svc.ns` instead of `svc`,`ns`', covers(5), () => {
    const two = aQuery({ hostname: 'svc.ns' });
    const one = Buffer.concat([two.subarray(0, 12), Buffer.from('\x06svc.ns\0', 'latin1'), two.subarray(-4)]);
    assert.deepEqual(packet.decode(one).questions, packet.decode(two).questions, 'alike to dns-packet');
    assert.equal(classify(response({ query: one }), two), 'question-mismatch');
  });

  it('is malformed when its question points at itself', covers(6), () => {
    const selfPointing = Buffer.concat([good.subarray(0, 12), pointer(12), u16(1), u16(1)]);
    assert.throws(() => classify(selfPointing, query), MalformedMessage);
  });

  it('is malformed when it is cut off in its question', covers(11), () => {
    for (let length = 12; length < query.length; length++)
      assert.throws(() => classify(good.subarray(0, length), query), MalformedMessage);
  });

  it('may be a header alone when its RCODE is FORMERR', covers(17), () => {
    const bare = (rcode: number): Buffer => Buffer.concat([query.subarray(0, 2), u16(0x8180 | rcode), Buffer.alloc(8)]);
    assert.equal(classify(bare(1), query), 'complete');
    assert.equal(classify(bare(0), query), 'not-a-response');
    assert.equal(classify(bare(3), query), 'not-a-response');
    assert.equal(classify(Buffer.concat([bare(1), a('10.0.0.1')]), query), 'not-a-response');
  });

  it('causes no other error than MalformedMessage, whatever its octets are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          assert.notEqual(classify(Buffer.from(bytes), query), 'complete');
        } catch (error) {
          assert.ok(error instanceof MalformedMessage);
        }
      }),
    );
  });
});
