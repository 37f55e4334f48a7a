/** Streams that stay open, calls that never end, and hung pods, which look alike from outside: in simulated time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLeastRequest } from '../../lib/picker/least-request.js';
import { createPeakEwma } from '../../lib/picker/peak-ewma.js';
import type { Policy } from '../../lib/picker/policy.js';
import { covers } from '../faults/covers.js';
import { seededRandom } from '../support/fake-random.js';
import { PodSimulation, type SimulatedPod } from '../support/pod-simulation.js';

/** The policies that count calls. */
const POLICIES: readonly [string, Policy][] = [
  ['least_request', createLeastRequest({ choices: 2, slowStartMs: 0 })],
  ['least_request with 4 choices', createLeastRequest({ choices: 4, slowStartMs: 0 })],
  ['peak_ewma', createPeakEwma({ choices: 2, slowStartMs: 0 })],
  ['peak_ewma with 4 choices', createPeakEwma({ choices: 4, slowStartMs: 0 })],
];

function countBy(pods: readonly SimulatedPod[], of: readonly { readonly pod: SimulatedPod }[]): number[] {
  return pods.map((pod) => of.filter((one) => one.pod === pod).length);
}

function imbalance(counts: readonly number[]): number {
  return (Math.max(...counts) * counts.length) / counts.reduce((sum, count) => sum + count, 0);
}

for (const [name, policy] of POLICIES) {
  test(
    `${name}: with quiet streams on one of two pods, each pod gets at least 40 % of the 400 calls that follow`,
    covers(57),
    () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer(), (streams, seed) => {
          const simulation = new PodSimulation(1, { policy, random: seededRandom(seed), serviceMs: 0.3 });
          for (let stream = 0; stream < streams; stream++) simulation.stream();
          simulation.join();
          const counts = countBy(simulation.pods, simulation.sequence(400));
          assert.ok(Math.min(...counts) >= 160, `${streams} streams: ${counts}`);
        }),
        { numRuns: 50 },
      );
    },
  );

  for (const pods of [2, 4])
    test(
      `${name}: 1,000 streams that stay open are spread evenly over ${pods} pods beside short calls, and these too`,
      covers(57),
      () => {
        // Where the kinds of calls alternate as the pods do, any rotation favours a pod; it must not give it everything.
        const patterns: [string, (index: number, random: number) => boolean, mostOfCalls: number][] = [
          ['at random', (_index, random) => random < 0.3, 1.25],
          ['in bursts', (index) => index % 100 < 20, 1.1],
          ['in turn', (index) => index % 2 === 0, 1.7],
        ];
        for (const [pattern, isStream, mostOfCalls] of patterns) {
          const random = seededRandom(7);
          const simulation = new PodSimulation(pods, { policy, random, serviceMs: 2 });
          const streams: { pod: SimulatedPod }[] = [];
          for (let index = 0; streams.length < 1_000; index++) {
            if (isStream(index, random())) streams.push(simulation.stream());
            else simulation.call();
            simulation.runUntil(simulation.now + 1);
          }
          simulation.runUntil(simulation.now + 100);
          const [ofStreams, ofCalls] = [streams, simulation.calls].map((all) =>
            imbalance(countBy(simulation.pods, all)),
          );
          assert.ok((ofStreams as number) <= 1.02, `${pattern}: streams ${countBy(simulation.pods, streams)}`);
          assert.ok(
            (ofCalls as number) <= mostOfCalls,
            `${pattern}: calls ${countBy(simulation.pods, simulation.calls)}`,
          );
        }
      },
    );

  for (const [pods, streams] of [
    [2, 3],
    [2, 100],
    [4, 100],
  ] as const)
    test(`${name}: when a pod joins ${pods} with ${streams} quiet streams each, all have their shares of short calls soon`, () => {
      const simulation = new PodSimulation(pods, { policy, random: seededRandom(3), serviceMs: 0.3 });
      for (let stream = 0; stream < streams * pods; stream++) simulation.stream();
      simulation.sequence(100);
      simulation.join();
      simulation.sequence(100 * (pods + 1));
      const counts = countBy(simulation.pods, simulation.sequence(100 * (pods + 1)));
      assert.ok(Math.min(...counts) >= 85, `${counts}`);
    });

  test(`${name}: a hung pod gets a few calls to try it, each after a longer wait`, () => {
    const simulation = new PodSimulation(2, { policy, random: seededRandom(5), serviceMs: 1 });
    simulation.sequence(100);
    const hung = simulation.pod(0);
    hung.hung = true;
    simulation.load(200, 60_000);
    simulation.runUntil(60_000);
    const calls = simulation.calls.filter((call) => call.pod === hung && call.code === null).length;
    assert.ok(calls >= 2 && calls <= 20, `${calls} of ${simulation.calls.length}`);
  });

  test(`${name}: a pod that works on its calls in order keeps the whole weight of them, however slow it is`, () => {
    for (const slowness of [1, 3, 10, 30]) {
      const simulation = new PodSimulation(3, { policy, random: seededRandom(slowness), serviceMs: 5 });
      simulation.pod(0).serviceMs = () => 5 * slowness;
      simulation.load(350, 5_000);
      for (let at = 0; at < 5_000; at += 50) {
        simulation.runUntil(at);
        for (const { endpoint } of simulation.pods) assert.equal(endpoint.setAside, 0);
      }
    }
  });

  test(`${name}: a pod that is ten times slower than the others, with many calls at a time, keeps the weight of most`, () => {
    const simulation = new PodSimulation(3, { policy, random: seededRandom(9), serviceMs: 50, workers: 1_000 });
    const random = seededRandom(2);
    simulation.pod(0).serviceMs = () => 500;
    // The longer calls of a pod are overtaken by its shorter ones.
    simulation.load(1_000, 10_000, () => ({ size: -Math.log(1 - random()) }));
    simulation.runUntil(5_000);
    let setAside = 0;
    let outstanding = 0;
    for (let at = 5_000; at < 10_000; at += 20) {
      simulation.runUntil(at);
      setAside += simulation.pod(0).endpoint.setAside;
      outstanding += simulation.pod(0).endpoint.outstanding(-1);
    }
    assert.ok(setAside < 0.5 * outstanding, `${setAside} and ${outstanding}`);
  });
}
