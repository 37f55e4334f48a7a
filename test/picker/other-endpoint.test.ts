import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PickArgs } from '../../lib/grpc/experimental.js';
import { Attempts } from '../../lib/picker/attempts.js';
import { leastRequest } from '../../lib/picker/least-request.js';
import { otherEndpoint } from '../../lib/picker/other-endpoint.js';
import type { Picker, PickerContext } from '../../lib/picker/policy.js';
import { preferredZone } from '../../lib/picker/preferred-zone.js';
import { roundRobin } from '../../lib/picker/round-robin.js';
import { readyEndpoint, readyEndpoints } from '../support/fake-endpoint.js';
import { seededRandom } from '../support/fake-random.js';
import type { FakeSubchannel } from '../support/fake-subchannel.js';

let turn = 0;
const context: PickerContext = { random: seededRandom(1), turns: { current: () => ++turn }, clock: { now: () => 0 } };
const POLICIES = { roundRobin, leastRequest };

/** Where an attempt of this call goes; without a call, where a call without a retry policy goes. */
function pick(picker: Picker, call?: Attempts): string {
  const args = { extraPickInfo: call ?? {} } as unknown as PickArgs;
  return (picker.pick(args).subchannel as FakeSubchannel).address;
}

function picks(picker: Picker, call: Attempts, count: number): string {
  return Array.from({ length: count }, () => pick(picker, call)).join('');
}

for (const [name, policy] of Object.entries(POLICIES)) {
  test(`the attempts of a call go to different endpoints as long as there are any, by ${name}`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }), (pods, attempts) => {
        const picker = otherEndpoint(policy).createPicker(readyEndpoints('abcdefgh'.slice(0, pods)), null, context);
        for (let others = 0; others < 3; others++) pick(picker);
        const tried = picks(picker, new Attempts(), attempts);
        assert.equal(new Set(tried).size, Math.min(pods, attempts));
      }),
    );
  });

  test(`with two endpoints the attempts alternate, and with one they stay there, by ${name}`, () => {
    const create = (names: string) => otherEndpoint(policy).createPicker(readyEndpoints(names), null, context);
    assert.match(picks(create('ab'), new Attempts(), 5), /^(ababa|babab)$/);
    assert.equal(picks(create('a'), new Attempts(), 3), 'aaa');
  });

  test(`second attempts after one failing endpoint are spread over all others, by ${name}`, () => {
    const picker = otherEndpoint(policy).createPicker(readyEndpoints('abcd'), null, context);
    const calls: Attempts[] = [];
    while (calls.length < 30) {
      const call = new Attempts();
      if (pick(picker, call) === 'a') calls.push(call);
    }
    const second = calls.map((call) => pick(picker, call));
    for (const other of 'bcd') assert.equal(second.filter((address) => address === other).length, 10);
  });
}

test('calls without a retry policy go where the inner policy sends them', () => {
  const endpoints = readyEndpoints('abc');
  const zero = { ...context, random: () => 0 };
  const picker = otherEndpoint(roundRobin).createPicker(endpoints, null, zero);
  const plain = roundRobin.createPicker(endpoints, null, zero);
  for (let call = 0; call < 7; call++) assert.equal(pick(picker), pick(plain));
  assert.deepEqual(picker.endpoints, endpoints);
});

test('a call keeps what it has tried through a change of the set, and endpoints that left count for nothing', () => {
  const [a, b, c, d] = readyEndpoints('abcd');
  assert.ok(a && b && c && d);
  const policy = otherEndpoint(roundRobin);
  const first = policy.createPicker([a, b], null, context);
  const call = new Attempts();
  const [one, two] = picks(first, call, 2);
  assert.deepEqual([one, two].sort(), ['a', 'b']);
  const second = policy.createPicker([b, c, d], first, context);
  assert.deepEqual([pick(second, call), pick(second, call)].sort(), ['c', 'd']);
});

test('the inner policy keeps its place in the rotation through a change of the set', () => {
  const [a, b, c] = readyEndpoints('abc');
  assert.ok(a && b && c);
  const policy = otherEndpoint(roundRobin);
  const first = policy.createPicker([a, b], null, { ...context, random: () => 0 });
  assert.equal(pick(first), 'a');
  assert.equal(pick(policy.createPicker([a, b, c], first, context)), 'b');
});

test('a retry leaves the preferred zone only when every endpoint of the zone has had the call', () => {
  const endpoints = ['a', 'b', 'x', 'y'].map((name) => {
    const endpoint = readyEndpoint(name);
    endpoint.zone = name < 'x' ? 'here' : 'there';
    return endpoint;
  });
  const picker = otherEndpoint(preferredZone('here', roundRobin)).createPicker(endpoints, null, context);
  assert.match(picks(picker, new Attempts(), 4), /^(ab|ba)(xy|yx)$/);
});

test('hundreds of failing endpoints need no more than a few pickers at a time, and none is tried twice', () => {
  const names = Array.from({ length: 300 }, (_, index) => `pod-${index}`);
  const endpoints = names.map((name) => readyEndpoint(name));
  const picker = otherEndpoint(roundRobin).createPicker(endpoints, null, context);
  for (let calls = 0; calls < 600; calls++) {
    const call = new Attempts();
    assert.notEqual(pick(picker, call), pick(picker, call));
  }
});
