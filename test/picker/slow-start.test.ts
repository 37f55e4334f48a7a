import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLeastRequest } from '../../lib/picker/least-request.js';
import { createPeakEwma } from '../../lib/picker/peak-ewma.js';
import type { Picker, Policy, PolicySettings } from '../../lib/picker/policy.js';
import { createRoundRobin } from '../../lib/picker/round-robin.js';
import { SlowStart } from '../../lib/picker/slow-start.js';
import { balancerFixture } from '../support/balancer-fixture.js';
import { readyEndpoint } from '../support/fake-endpoint.js';
import { seededRandom } from '../support/fake-random.js';
import { PodSimulation, type SimulatedPod } from '../support/pod-simulation.js';

const WINDOW_MS = 10_000;

interface Row {
  readonly name: string;
  readonly create: (settings: PolicySettings) => Policy;
  /** How far a share may be from its weight: latency moves calls too, where it is measured. */
  readonly tolerance: number;
  /** Of the p99 beside a pod that warms up to that without slow start. The other policies see by themselves that it is slow. */
  readonly p99Ratio: number;
}

const POLICIES: readonly Row[] = [
  { name: 'round_robin', create: createRoundRobin, tolerance: 0.03, p99Ratio: 0.1 },
  { name: 'least_request', create: createLeastRequest, tolerance: 0.05, p99Ratio: 0.7 },
  { name: 'peak_ewma', create: createPeakEwma, tolerance: 0.15, p99Ratio: 1.2 },
];

test("the weight of a pod that joined follows Envoy's formula: its age over the window, and 10 % at least", () => {
  let now = 0;
  const clock = { now: () => now };
  const [old, joiner] = [readyEndpoint('a'), readyEndpoint('b', 0, 5_000)];
  now = 5_000;
  const slowStart = SlowStart.of(WINDOW_MS, [old, joiner], null, { clock, random: () => 0 });
  for (const [age, weight] of [
    [0, 0.1],
    [999, 0.1],
    [1_000, 0.1],
    [2_500, 0.25],
    [5_000, 0.5],
    [9_999, 0.9999],
    [10_000, 1],
    [60_000, 1],
  ] as const) {
    now = 5_000 + age;
    assert.equal(slowStart?.weight(joiner), weight, `at ${age} ms`);
    assert.equal(slowStart?.weight(old), 1);
    assert.equal(slowStart?.isActive(), age < WINDOW_MS);
  }
});

test('with no pod in its window, or with slow start off, there is nothing to weigh', () => {
  const context = { clock: { now: () => 20_000 }, random: () => 0 };
  assert.equal(SlowStart.of(WINDOW_MS, [readyEndpoint('a'), readyEndpoint('b', 0, 10_000)], null, context), null);
  assert.equal(SlowStart.of(0, [readyEndpoint('a'), readyEndpoint('b', 0, 19_999)], null, context), null);
});

test('where every pod is in its window, the first that joined gets its whole share and the others theirs beside it', () => {
  const clock = { now: () => 5_000 };
  const [one, two] = [readyEndpoint('a', 0, 1_000), readyEndpoint('b', 0, 3_000)];
  const slowStart = SlowStart.of(WINDOW_MS, [one, two], null, { clock, random: () => 0 });
  assert.deepEqual([slowStart?.weight(one), slowStart?.weight(two)], [1, 0.5]);
});

for (const { name, create, tolerance, p99Ratio } of POLICIES) {
  const policy = create({ choices: 2, slowStartMs: WINDOW_MS });

  test(`${name}: the share of a pod that joins grows with its weight, and the others share the rest evenly`, () => {
    const simulation = new PodSimulation(3, { policy, random: seededRandom(4) });
    simulation.runUntil(5_000);
    const joiner = simulation.join();
    simulation.load(200, 12_000);
    simulation.runUntil(18_000);
    const shareOf = (pod: SimulatedPod, from: number, to: number): number => {
      const within = simulation.calls.filter(({ startedAt }) => startedAt >= from && startedAt < to);
      return within.filter((call) => call.pod === pod).length / within.length;
    };
    for (const [from, to] of [
      [0, 1_000],
      [3_000, 4_000],
      [5_000, 6_000],
      [8_000, 9_000],
    ] as const) {
      const weight = Math.max(0.1, (from + to) / 2 / WINDOW_MS);
      const expected = weight / (3 + weight);
      const share = shareOf(joiner, 5_000 + from, 5_000 + to);
      assert.ok(Math.abs(share - expected) < tolerance, `${share} and not ${expected} after ${from} ms`);
    }
    assert.ok(Math.abs(shareOf(joiner, 15_000, 17_000) - 0.25) < tolerance);
    for (const pod of simulation.pods.slice(0, 3))
      assert.ok(Math.abs(shareOf(pod, 5_000, 6_000) - 0.325) < tolerance, `${shareOf(pod, 5_000, 6_000)}`);
  });

  test(`${name}: a busy set does not send a pod that joins more than its share because it is idle`, () => {
    const simulation = new PodSimulation(3, { policy, random: seededRandom(4), serviceMs: 50, workers: 1_000 });
    simulation.load(1_000, 2_000);
    simulation.runUntil(1_000);
    const joiner = simulation.join();
    simulation.runUntil(1_500);
    const within = simulation.calls.filter(({ startedAt }) => startedAt >= 1_000);
    const share = within.filter(({ pod }) => pod === joiner).length / within.length;
    assert.ok(share > 0.01 && share < 0.06, `${share}`);
  });

  test(`${name}: without slow start a pod that joins gets its whole share at once`, () => {
    const simulation = new PodSimulation(3, {
      policy: create({ choices: 2, slowStartMs: 0 }),
      random: seededRandom(4),
    });
    const joiner = simulation.join();
    simulation.load(200, 1_000);
    simulation.runUntil(2_000);
    const share = simulation.calls.filter(({ pod }) => pod === joiner).length / simulation.calls.length;
    assert.ok(share > 0.2, `${share}`);
  });

  test(`${name}: with all pods in slow start at the same weight, all get equal shares`, () => {
    const simulation = new PodSimulation(1, { policy, random: seededRandom(4) });
    simulation.runUntil(1_000);
    const joiners = [simulation.join(), simulation.join(), simulation.join()];
    simulation.leave(simulation.pod(0));
    simulation.load(200, 3_000);
    simulation.runUntil(5_000);
    for (const joiner of joiners) {
      const share = simulation.calls.filter(({ pod }) => pod === joiner).length / simulation.calls.length;
      assert.ok(Math.abs(share - 1 / 3) < 0.05, `${share}`);
    }
  });

  test(`${name}: the p99 beside a pod that takes 10 s to warm up is at most ${p99Ratio} of that without slow start`, () => {
    const p99Of = (slowStartMs: number): number => {
      const simulation = new PodSimulation(3, { policy: create({ choices: 2, slowStartMs }), random: seededRandom(6) });
      simulation.load(200, 11_000);
      simulation.runUntil(1_000);
      const joiner = simulation.join();
      // Starts ten times slower, as where code has to be compiled and caches have to be filled.
      joiner.serviceMs = (now) => 8 * 10 ** Math.max(0, 1 - (now - 1_000) / WINDOW_MS);
      simulation.runUntil(60_000);
      const latencies = simulation.calls.map(({ latencyMs }) => latencyMs ?? 60_000).sort((one, other) => one - other);
      return latencies[Math.floor(latencies.length * 0.99)] as number;
    };
    const [without, withSlowStart] = [p99Of(0), p99Of(WINDOW_MS)];
    assert.ok(withSlowStart <= p99Ratio * without, `${withSlowStart} ms and ${without} ms`);
  });
}

test('pods of a first set never start slowly, in whatever order they become ready; pods that join a set in use do', async () => {
  const { clock, give, up, last } = balancerFixture({
    policy: createRoundRobin({ slowStartMs: WINDOW_MS }),
  });
  const joinedAt = (): (number | null)[] => (last().picker as Picker).endpoints.map((endpoint) => endpoint.joinedAt);
  give('ab');
  up('a');
  await clock.advance(2_000);
  up('b');
  assert.deepEqual(joinedAt(), [null, null]);
  give('abc');
  await clock.advance(500);
  up('c');
  const joined = clock.now();
  assert.deepEqual(joinedAt(), [null, null, joined]);
  await clock.advance(500);
  give('bc');
  assert.deepEqual(joinedAt(), [null, joined]);
});

test('a connection that breaks and comes back, and a pod that returns during its drain, do not start slowly again', async () => {
  const { clock, give, up, pod, last } = balancerFixture({ policy: createRoundRobin({ slowStartMs: WINDOW_MS }) });
  const joinedAt = (): (number | null)[] => (last().picker as Picker).endpoints.map((endpoint) => endpoint.joinedAt);
  give('a');
  up('a');
  give('ab');
  up('b');
  const joined = clock.now();
  await clock.advance(1_000);
  pod('b').become('IDLE');
  up('b');
  pod('a').become('IDLE');
  up('a');
  assert.deepEqual(joinedAt(), [joined, null]);
  give('b');
  give('ab');
  assert.deepEqual(joinedAt(), [joined, null]);
});
