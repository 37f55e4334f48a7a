import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Endpoint } from '../../lib/balancer/endpoint.js';
import type { PickArgs } from '../../lib/grpc/experimental.js';
import { createLeastRequest } from '../../lib/picker/least-request.js';
import { createPeakEwma } from '../../lib/picker/peak-ewma.js';
import type { PolicySettings } from '../../lib/picker/policy.js';
import { readyEndpoints } from '../support/fake-endpoint.js';
import { seededRandom } from '../support/fake-random.js';

const LETTERS = 'abcdefghijkl';

let lastTurn = 0;

function pickOnce(
  endpoints: readonly Endpoint[],
  create: (settings: PolicySettings) => ReturnType<typeof createPeakEwma>,
  choices: number,
  seed: number,
): Endpoint {
  const context = { random: seededRandom(seed), turns: { current: () => ++lastTurn }, clock: { now: () => 0 } };
  const { subchannel } = create({ choices, slowStartMs: 0 })
    .createPicker(endpoints, null, context)
    .pick({} as PickArgs);
  return endpoints.find((endpoint) => endpoint.subchannel === subchannel) ?? assert.fail('another endpoint was picked');
}

const loads = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 10 });

for (const [name, create] of [
  ['least_request', createLeastRequest],
  ['peak_ewma', createPeakEwma],
] as const) {
  test(`${name}: with as many choices as pods, or more, the pod with the fewest calls in flight is picked`, () => {
    fc.assert(
      fc.property(loads, fc.nat(3), fc.integer(), (calls, more, seed) => {
        const endpoints = readyEndpoints(LETTERS.slice(0, calls.length), calls);
        const choices = Math.min(10, calls.length + more);
        const picked = pickOnce(endpoints, create, choices, seed);
        assert.equal(picked.snapshot().inFlight, Math.min(...calls));
      }),
    );
  });

  test(`${name}: with more choices, busy pods are picked less often`, () => {
    const calls = Array.from(LETTERS, (_, index) => index + 1);
    const means = [2, 3, 5, 8].map((choices) => {
      let sum = 0;
      for (let seed = 0; seed < 500; seed++)
        sum += pickOnce(readyEndpoints(LETTERS, calls), create, choices, seed).snapshot().inFlight;
      return sum / 500;
    });
    assert.deepEqual(
      means,
      means.toSorted((one, other) => other - one),
    );
    assert.ok((means.at(-1) as number) < 0.6 * (means[0] as number), `${means}`);
  });
}
