import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatIPv4, formatIPv6, isConnectable } from '../../lib/dns/address.js';
import { covers } from '../faults/covers.js';

function v6(hex: string): string {
  return formatIPv6(Buffer.from(hex.replaceAll(':', ''), 'hex'), 0);
}

describe('an IPv6 address as text', () => {
  it('is in the canonical form of RFC 5952', () => {
    assert.equal(v6('2001:0db8:0000:0000:0000:0000:0002:0001'), '2001:db8::2:1');
    assert.equal(v6('2001:0db8:0000:0001:0001:0001:0001:0001'), '2001:db8:0:1:1:1:1:1', 'a single zero stays');
    assert.equal(v6('2001:0000:0000:0001:0000:0000:0000:0001'), '2001:0:0:1::1', 'the longest run');
    assert.equal(v6('2001:0db8:0000:0000:0001:0000:0000:0001'), '2001:db8::1:0:0:1', 'the first of equal runs');
    assert.equal(v6('fe80:0000:0000:0000:0000:0000:0000:0000'), 'fe80::');
    assert.equal(v6('0000:0000:0000:0000:0000:0000:0000:0001'), '::1');
    assert.equal(v6('0000:0000:0000:0000:0000:0000:0000:0000'), '::');
    assert.equal(v6('0000:0000:0000:0000:0000:ffff:0a00:0001'), '::ffff:10.0.0.1');
    assert.equal(v6('ABCD:EF01:2345:6789:ABCD:EF01:2345:6789'), 'abcd:ef01:2345:6789:abcd:ef01:2345:6789');
  });

  it('is the address of its sixteen octets', () => {
    const octet = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(octet, { minLength: 16, maxLength: 16 }), (octets) => {
        const text = formatIPv6(Uint8Array.from(octets), 0);
        assert.equal(isIP(text), 6);
        const same = new BlockList();
        same.addAddress(
          Buffer.from(octets)
            .toString('hex')
            .replace(/(.{4})(?!$)/g, '$1:'),
          'ipv6',
        );
        assert.ok(same.check(text, 'ipv6'), text);
      }),
    );
  });
});

describe('an IPv4 address as text', () => {
  it('is its four octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (octets) => {
        assert.equal(formatIPv4(Buffer.concat([Buffer.alloc(3), octets]), 3), octets.join('.'));
      }),
    );
  });
});

describe('an address', () => {
  it('is refused when it is unspecified, multicast, broadcast or reserved', covers(29), () => {
    const bad = ['0.0.0.0', '0.1.2.3', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'];
    const bad6 = ['::', '0:0:0:0:0:0:0:0', 'ff02::1', 'FF0E::1', '::ffff:0.0.0.0', '::ffff:224.0.0.1'];
    for (const address of [...bad, ...bad6]) assert.equal(isConnectable(address), false, address);
  });

  it('is accepted when a pod may have it', () => {
    const good = [
      '10.0.0.1',
      '127.0.0.1',
      '1.0.0.0',
      '223.255.255.255',
      '::1',
      'fd00::1',
      'fe80::1',
      '::ffff:10.0.0.1',
      'ff::1',
    ];
    for (const address of good) assert.equal(isConnectable(address), true, address);
  });
});
