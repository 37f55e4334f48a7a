import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isEmpty, isRcode, type Reason, reasonOf, toError } from '../../lib/dns/failure.js';
import { DnsError, HeadlessError } from '../../lib/errors.js';

const REASONS: readonly Reason[] = [
  'nxdomain',
  'nodata',
  'servfail',
  'refused',
  'rcode',
  'timeout',
  'malformed',
  'unreachable',
  'lookup',
];

describe('a failure', () => {
  it('becomes an error with the code of its reason, and the code leads back to the reason', () => {
    for (const reason of REASONS) {
      const error = toError({ reason, message: 'why', hostname: 'svc.ns', server: '10.0.0.1:53', cause: reason });
      assert.ok(error instanceof DnsError && error instanceof HeadlessError);
      assert.equal(error.code, `ERR_HEADLESS_DNS_${reason.toUpperCase()}`);
      assert.deepEqual([error.message, error.hostname, error.server], ['why', 'svc.ns', '10.0.0.1:53']);
      assert.equal(error.cause, reason);
      assert.equal(error.isEmptyAnswer, isEmpty(reason));
      assert.equal(reasonOf(error.code), reason);
    }
  });

  it('without a server or a cause becomes an error without them', () => {
    const error = toError({ reason: 'nodata', message: 'why', hostname: 'svc.ns' });
    assert.equal(error.server, undefined);
    assert.equal('cause' in error, false);
  });

  it('has no reason for a value that is none of the codes', () => {
    for (const code of [undefined, null, 7, 'ENOTFOUND', 'ERR_HEADLESS_OPTION', 'ERR_HEADLESS_DNS_'])
      assert.equal(reasonOf(code), undefined);
  });

  it('is empty for NXDOMAIN and NODATA, and an RCODE for what else a server can respond', () => {
    assert.deepEqual(REASONS.filter(isEmpty), ['nxdomain', 'nodata']);
    assert.deepEqual(REASONS.filter(isRcode), ['servfail', 'refused', 'rcode']);
  });
});
