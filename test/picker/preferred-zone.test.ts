import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint } from '../../lib/balancer/endpoint.js';
import type { PickArgs } from '../../lib/grpc/experimental.js';
import { leastRequest } from '../../lib/picker/least-request.js';
import type { Picker, PickerContext } from '../../lib/picker/policy.js';
import { preferredZone } from '../../lib/picker/preferred-zone.js';
import { roundRobin } from '../../lib/picker/round-robin.js';
import { readyEndpoint } from '../support/fake-endpoint.js';
import { seededRandom } from '../support/fake-random.js';
import type { FakeSubchannel } from '../support/fake-subchannel.js';

let turn = 0;
const context: PickerContext = { random: seededRandom(1), turns: { current: () => ++turn }, clock: { now: () => 0 } };

function inZone(name: string, zone: string | null): Endpoint {
  const endpoint = readyEndpoint(name);
  endpoint.zone = zone;
  return endpoint;
}

function picked(picker: Picker): string {
  const calls = Array.from({ length: 40 }, () => (picker.pick({} as PickArgs).subchannel as FakeSubchannel).address);
  return [...new Set(calls)].sort().join('');
}

for (const inner of [roundRobin, leastRequest])
  test('calls go to endpoints of the zone while there are any, and to all others while there are none', () => {
    const policy = preferredZone('eu-1a', inner);
    const [a, b, c, d] = [inZone('a', 'eu-1a'), inZone('b', 'eu-1a'), inZone('c', null), inZone('d', 'eu-1b')];
    let picker: Picker | null = null;
    for (const [ready, expected] of [
      [[a, b, c, d], 'ab'],
      [[c, b, d], 'b'],
      [[c, d], 'cd'],
      [[c, d, a], 'a'],
    ] as const) {
      picker = policy.createPicker(ready, picker, context);
      assert.equal(picked(picker), expected);
    }
  });

test('the inner policy keeps its place in the rotation, as without a zone', () => {
  const policy = preferredZone('eu-1a', roundRobin);
  const endpoints = ['a', 'b', 'c'].map((name) => inZone(name, 'eu-1a'));
  const first = policy.createPicker(endpoints, null, { ...context, random: () => 0 });
  first.pick({} as PickArgs);
  const second = policy.createPicker([...endpoints, inZone('x', null)], first, context);
  assert.equal((second.pick({} as PickArgs).subchannel as FakeSubchannel).address, 'b');
});
