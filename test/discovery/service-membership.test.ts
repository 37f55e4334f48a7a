import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, formatHostPort } from '../../lib/address.js';
import { defaultPort } from '../../lib/discovery/default-port.js';
import { addressesOf, applyResolution, EMPTY_MEMBERSHIP, type Membership } from '../../lib/discovery/membership.js';
import type { Outcome, Resolution } from '../../lib/dns/resolution.js';
import { covers } from '../faults/covers.js';
import { empty, failed, found, resolution } from '../support/scripted-resolver.js';

const a: Address = { host: '10.0.0.1', port: 1_001, weight: 100 };
const b: Address = { host: '10.0.0.2', port: 1_002, weight: 100 };
const c: Address = { host: '10.0.0.3', port: 1_003, weight: 0 };

function services(addresses: readonly Address[], { partial = false } = {}): Outcome {
  const outcome = found(
    addresses.map(({ host, port }) => formatHostPort(host, port)),
    { partial },
  );
  return { ...outcome, services: addresses } as Outcome;
}

function apply(
  before: Membership,
  answer: Resolution,
): { set: readonly Address[]; changed: boolean; after: Membership } {
  const { membership, changed } = applyResolution(before, answer, 'keep');
  return { set: addressesOf(membership), changed, after: membership };
}

const AB = apply(EMPTY_MEMBERSHIP, resolution({ SRV: services([a, b]) }));

test('endpoints of SRV have ports and weights of their own', covers(62), () => {
  assert.deepEqual(AB.set, [a, b]);
  assert.deepEqual([...AB.after.hosts], ['10.0.0.1:1001', '10.0.0.2:1002']);
});

test('SRV records in another order are the same set', covers(28), () => {
  const { changed, set } = apply(AB.after, resolution({ SRV: services([b, a]) }));
  assert.equal(changed, false);
  assert.deepEqual(set, [a, b]);
});

test('another port of the same host is another endpoint', covers(62), () => {
  const moved = { ...a, port: 9_000 };
  const { changed, set } = apply(AB.after, resolution({ SRV: services([moved, b]) }));
  assert.equal(changed, true);
  assert.deepEqual(set, [moved, b]);
});

test('a weight that changes is a change, and the endpoint stays', () => {
  const heavier = { ...a, weight: 300 };
  const { changed, set, after } = apply(AB.after, resolution({ SRV: services([heavier, b]) }));
  assert.equal(changed, true);
  assert.deepEqual(set, [heavier, b]);
  assert.equal(after.hosts, AB.after.hosts);
});

test('a failure, NXDOMAIN and a truncated answer take no endpoint of SRV away', covers(19, 23, 24), () => {
  assert.deepEqual(apply(AB.after, resolution({ SRV: failed() })).set, [a, b]);
  assert.deepEqual(apply(AB.after, resolution({ SRV: empty('NXDOMAIN') })).set, [a, b]);
  const part = apply(AB.after, resolution({ SRV: services([c], { partial: true }) }));
  assert.deepEqual([part.changed, part.set], [true, [a, b, c]]);
  assert.deepEqual(apply(part.after, resolution({ SRV: failed() })).set, [a, b, c]);
});

test('the failure to ask for the addresses of a target is told beside the set', covers(62), () => {
  const {
    membership,
    error,
    failed: out,
  } = applyResolution(EMPTY_MEMBERSHIP, resolution({ SRV: services([a]), A: failed('TIMEOUT') }), 'keep');
  assert.deepEqual(addressesOf(membership), [a]);
  assert.deepEqual([error?.code, out], ['ERR_HEADLESS_DNS_TIMEOUT', false]);
});

test('an endpoint of SRV keeps its port where an address has none and gets that of the target', () => {
  const addresses = [a, { host: '10.0.0.9', port: 0 }];
  assert.deepEqual(defaultPort(50_051)(addresses), [a, { host: '10.0.0.9', port: 50_051 }]);
});

test('an older answer changes no weight, and one that may be older only adds endpoints', () => {
  const heavier = resolution({ SRV: services([{ ...a, weight: 300 }, c]) });
  const ignored = applyResolution(AB.after, heavier, 'keep', new Map([['SRV', 'ignore']]));
  assert.deepEqual([ignored.changed, addressesOf(ignored.membership)], [false, [a, b]]);
  const added = applyResolution(AB.after, heavier, 'keep', new Map([['SRV', 'add']]));
  assert.deepEqual([added.changed, addressesOf(added.membership)], [true, [a, b, c]]);
});
