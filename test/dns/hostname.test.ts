import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { assertHostname, hostnameFault } from '../../lib/dns/hostname.js';
import { covers } from '../faults/covers.js';

const longest = [63, 63, 63, 61].map((length) => 'a'.repeat(length)).join('.');

describe('a host name', () => {
  it('may have letters, digits, hyphens and underscores, and up to 255 octets on the wire', () => {
    const good = ['svc', 'svc.ns', '_grpc._tcp.svc.ns', 'xn--e1afmkfd', '-', 'A.9', 'a'.repeat(63), longest];
    for (const hostname of good) assert.equal(hostnameFault(hostname), undefined, hostname);
  });

  it('is refused with the reason when DNS cannot carry it', covers(32), () => {
    const bad: readonly [hostname: string, fault: RegExp][] = [
      ['', /is empty/],
      ['a..b', /empty label/],
      ['.a', /empty label/],
      ['a.', /empty label/],
      ['.', /empty label/],
      [`${'a'.repeat(64)}.b`, /longer than 63 octets/],
      [`${longest}a`, /longer than 255 octets/],
      [`${'abc.'.repeat(63)}ab`, /longer than 255 octets/],
      ['a\0b', /a character other than letters/],
      [' ', /a character other than letters/],
      ['a b', /a character other than letters/],
      ['a\n', /a character other than letters/],
      ['é.b', /a character other than letters/],
      ['a\x7f', /a character other than letters/],
      ['a@b', /a character other than letters/],
      ['*.b', /a character other than letters/],
    ];
    for (const [hostname, fault] of bad) {
      assert.match(hostnameFault(hostname) ?? '', fault, hostname);
      assert.throws(() => assertHostname(hostname), { code: 'ERR_HEADLESS_TARGET', message: fault });
    }
  });

  it('is accepted exactly when its labels and its length are within the limits', () => {
    const text = fc
      .array(fc.constantFrom('a', 'Z', '9', '-', '_', '.', 'a'.repeat(31), ' ', 'é'))
      .map((p) => p.join(''));
    fc.assert(
      fc.property(text, (hostname) => {
        const expected = /^(?=.{1,253}$)[\w-]{1,63}(\.[\w-]{1,63})*$/.test(hostname);
        assert.equal(hostnameFault(hostname) === undefined, expected);
      }),
    );
  });
});
