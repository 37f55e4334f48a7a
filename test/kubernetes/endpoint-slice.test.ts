/** Which addresses the slices of a Service hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Address, formatHostPort } from '../../lib/address.js';
import { readSlice, type SliceSelection, selectAddresses } from '../../lib/kubernetes/endpoint-slice.js';

type Conditions = { ready?: boolean; serving?: boolean; terminating?: boolean } | null;

function endpoint(ip: string, conditions: Conditions = { ready: true }, more: object = {}): object {
  return { addresses: [ip], conditions, ...more };
}

function slice(name: string, endpoints: object[], { addressType = 'IPv4', ports = [{ port: 8080 }] as object[] } = {}) {
  return { metadata: { name }, addressType, ports, endpoints };
}

function select(objects: unknown[], selection: Partial<SliceSelection> = {}): string[] {
  return selectAll(objects, selection).addresses.map(textOf);
}

function selectAll(objects: unknown[], selection: Partial<SliceSelection> = {}) {
  const slices = objects.map(readSlice).filter((one) => one !== null);
  return selectAddresses(slices, { portName: null, family: 'auto', zone: null, ...selection });
}

function textOf({ host, port, zone }: Address): string {
  return `${formatHostPort(host, port)}${zone === undefined ? '' : ` ${zone}`}`;
}

const PREFER = { name: 'a', mode: 'prefer' } as const;
const PIN = { name: 'a', mode: 'pin' } as const;

test('the set is the union of all slices, each address once, without a port of its own', () => {
  const one = slice('one', [endpoint('10.0.0.1'), endpoint('10.0.0.2')]);
  const two = slice('two', [endpoint('10.0.0.2'), endpoint('10.0.0.3')]);
  assert.deepEqual(select([one, two]), ['10.0.0.1:0', '10.0.0.2:0', '10.0.0.3:0']);
});

const CONDITIONS: readonly [title: string, conditions: Conditions, isUsed: boolean][] = [
  ['without conditions', null, true],
  ['with unset conditions', {}, true],
  ['ready', { ready: true, serving: true, terminating: false }, true],
  ['not ready', { ready: false, serving: false, terminating: false }, false],
  ['not ready that says nothing else', { ready: false }, false],
  ['terminating that serves', { ready: false, serving: true, terminating: true }, false],
  ['terminating that is ready all the same (publishNotReadyAddresses)', { ready: true, terminating: true }, false],
];
for (const [title, conditions, isUsed] of CONDITIONS)
  test(`an endpoint ${title} is ${isUsed ? '' : 'not '}used beside a ready one`, () => {
    const used = select([slice('one', [endpoint('10.0.0.1'), endpoint('10.0.0.2', conditions)])]);
    assert.deepEqual(used, isUsed ? ['10.0.0.1:0', '10.0.0.2:0'] : ['10.0.0.1:0']);
  });

test('a terminating endpoint that serves is the last resort, and one that does not serve is never used', () => {
  const endpoints = [
    endpoint('10.0.0.1', { ready: false, serving: true, terminating: true }),
    endpoint('10.0.0.2', { ready: false, serving: false, terminating: true }),
    endpoint('10.0.0.3', { ready: false, serving: false }),
  ];
  assert.deepEqual(select([slice('one', endpoints)]), ['10.0.0.1:0']);
});

test('an endpoint that two slices have is ready if it is so in one of them', () => {
  const terminating = slice('one', [endpoint('10.0.0.1', { ready: false, serving: true, terminating: true })]);
  const ready = slice('two', [endpoint('10.0.0.1'), endpoint('10.0.0.2')]);
  for (const slices of [
    [terminating, ready],
    [ready, terminating],
  ])
    assert.deepEqual(select(slices).sort(), ['10.0.0.1:0', '10.0.0.2:0']);
});

test('a named port is the one of each slice; slices without it, or with it for UDP, are left out', () => {
  const slices = [
    slice('one', [endpoint('10.0.0.1')], { ports: [{ name: 'grpc', port: 5000, protocol: 'TCP' }] }),
    slice('two', [endpoint('10.0.0.2')], {
      ports: [
        { name: 'http', port: 80 },
        { name: 'grpc', port: 5001 },
      ],
    }),
    slice('three', [endpoint('10.0.0.3')], { ports: [{ name: 'grpc', port: 5002, protocol: 'UDP' }] }),
    slice('four', [endpoint('10.0.0.4')], { ports: [] }),
  ];
  assert.deepEqual(select(slices, { portName: 'grpc' }), ['10.0.0.1:5000', '10.0.0.2:5001']);
});

const FAMILIES: readonly [family: SliceSelection['family'], both: string[], onlyIPv6: string[]][] = [
  ['auto', ['10.0.0.1:0'], ['[fd00::1]:0']],
  ['ipv4', ['10.0.0.1:0'], []],
  ['ipv6', ['[fd00::1]:0'], ['[fd00::1]:0']],
  ['dual', ['10.0.0.1:0', '[fd00::1]:0'], ['[fd00::1]:0']],
];
for (const [family, both, onlyIPv6] of FAMILIES)
  test(`family ${family} takes of a dual-stack Service what the option says`, () => {
    const v4 = slice('v4', [endpoint('10.0.0.1')]);
    const v6 = slice('v6', [endpoint('fd00::1')], { addressType: 'IPv6' });
    assert.deepEqual(select([v4, v6], { family }), both);
    assert.deepEqual(select([slice('empty', []), v6], { family }), onlyIPv6);
  });

test('a zone is told only where the option asks for one; `pin` leaves out the other zones', () => {
  const slices = [
    slice('one', [
      endpoint('10.0.0.1', {}, { zone: 'a' }),
      endpoint('10.0.0.2', {}, { zone: 'b' }),
      endpoint('10.0.0.3'),
    ]),
  ];
  assert.deepEqual(select(slices), ['10.0.0.1:0', '10.0.0.2:0', '10.0.0.3:0']);
  assert.deepEqual(select(slices, { zone: PREFER }), ['10.0.0.1:0 a', '10.0.0.2:0 b', '10.0.0.3:0']);
  assert.deepEqual(select(slices, { zone: PIN }), ['10.0.0.1:0 a']);
});

test('where no endpoint tells its zone, all are used alike, and the selection says so', () => {
  const slices = [slice('one', [endpoint('10.0.0.1'), endpoint('10.0.0.2')])];
  for (const zone of [PREFER, PIN]) {
    assert.equal(selectAll(slices, { zone }).zoneFallback, 'a');
    assert.deepEqual(select(slices, { zone }), ['10.0.0.1:0', '10.0.0.2:0']);
  }
  assert.equal(selectAll([], { zone: PIN }).zoneFallback, null);
});

test('hints take the place of zones where every endpoint has one, and count for nothing otherwise', () => {
  const of = (ip: string, zone: string, hint?: string): object =>
    endpoint(ip, {}, { zone, ...(hint ? { hints: { forZones: [{ name: hint }] } } : {}) });
  const all = [of('10.0.0.1', 'b', 'a'), of('10.0.0.2', 'a', 'b')];
  assert.deepEqual(select([slice('one', all)], { zone: PREFER }), ['10.0.0.1:0 a', '10.0.0.2:0 b']);
  const some = [...all, of('10.0.0.3', 'a')];
  assert.deepEqual(select([slice('one', some)], { zone: PREFER }), ['10.0.0.1:0 b', '10.0.0.2:0 a', '10.0.0.3:0 a']);
  assert.deepEqual(select([slice('one', all)], { zone: PIN }), ['10.0.0.2:0 a'], 'pin is about where pods run');
});

test('what no connection can be opened to, and what is no address of the family, is left out', () => {
  const endpoints = ['0.0.0.0', '224.0.0.1', 'fd00::1', 'host.example', '10.0.0.1'].map((ip) => endpoint(ip));
  assert.deepEqual(select([slice('one', endpoints)]), ['10.0.0.1:0']);
});

test('slices of host names, and what is no slice, are not read', () => {
  for (const object of [null, 1, {}, { metadata: {} }, slice('one', [], { addressType: 'FQDN' })])
    assert.equal(readSlice(object), null);
});

test('no JSON makes reading a slice throw', () => {
  const nested = fc.record({
    metadata: fc.constant({ name: 'one' }),
    addressType: fc.constant('IPv4'),
    endpoints: fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())),
    ports: fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue())),
  });
  fc.assert(fc.property(fc.oneof(fc.jsonValue(), nested), (object) => void readSlice(object)));
});
