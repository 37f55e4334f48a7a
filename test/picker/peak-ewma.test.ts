import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { PickArgs, PickResult } from '../../lib/grpc/experimental.js';
import { ChannelLatency, EndpointLatency } from '../../lib/picker/endpoint-latency.js';
import { createLeastRequest } from '../../lib/picker/least-request.js';
import { createPeakEwma } from '../../lib/picker/peak-ewma.js';
import { PeakLatency } from '../../lib/picker/peak-latency.js';
import type { Policy } from '../../lib/picker/policy.js';
import { readyEndpoints } from '../support/fake-endpoint.js';
import { seededRandom } from '../support/fake-random.js';
import { PodSimulation } from '../support/pod-simulation.js';

const policy = createPeakEwma({ choices: 2, slowStartMs: 0 });
const leastRequest = createLeastRequest({ choices: 2, slowStartMs: 0 });

function simulate(used: Policy, prepare: (simulation: PodSimulation) => void, pods = 4): PodSimulation {
  const simulation = new PodSimulation(pods, { policy: used, random: seededRandom(11) });
  prepare(simulation);
  simulation.load(200, 10_000, () => ({ deadlineMs: 4_000 }));
  simulation.runUntil(20_000);
  return simulation;
}

function shareOfFirst({ calls, pods }: PodSimulation): number {
  return calls.filter(({ pod }) => pod === pods[0]).length / calls.length;
}

test('the average follows a peak at once, and lower samples by the time since the last one', () => {
  const latency = new PeakLatency();
  assert.equal(latency.at(1_000), 0);
  latency.observe(10, 1_000);
  assert.equal(latency.at(1_000), 10);
  latency.observe(80, 1_001);
  assert.equal(latency.at(1_001), 80);
  assert.ok(Math.abs(latency.at(11_001) - 80 / Math.E) < 1e-9);
  latency.observe(10, 11_001);
  assert.ok(Math.abs(latency.last - (80 / Math.E + 10 * (1 - 1 / Math.E))) < 1e-9);
});

test('while calls are in flight the average does not decay', () => {
  const latency = new EndpointLatency(new ChannelLatency());
  latency.observe(0, 50, status.OK);
  assert.equal(latency.at(60_050, 1), 50);
  assert.ok(latency.at(60_050, 0) < 1);
});

test('a failed call has at least the latency of the successful ones, and a pod that always fails ten times of it', () => {
  const channel = new ChannelLatency();
  const [good, bad] = [new EndpointLatency(channel), new EndpointLatency(channel)];
  for (let call = 0; call < 100; call++) {
    good.observe(1_000, 1_020, status.OK);
    if (call < 50) bad.observe(1_019, 1_020, status.UNAVAILABLE);
  }
  assert.equal(good.at(1_020, 0), 20);
  const penalised = bad.at(1_020, 0);
  assert.ok(penalised > 100 && penalised <= 200, `${penalised}`);
});

test('where all pods fail alike, failures change no order', () => {
  const channel = new ChannelLatency();
  const [one, two] = [new EndpointLatency(channel), new EndpointLatency(channel)];
  for (let call = 0; call < 1_000; call++)
    for (const latency of [one, two]) latency.observe(0, 20, call % 10 ? status.OK : status.NOT_FOUND);
  const ratio = one.at(20, 0) / two.at(20, 0);
  assert.ok(ratio > 0.5 && ratio < 2, `${ratio}`);
});

test('a cancelled call counts as one that took at least so long', () => {
  const latency = new EndpointLatency(new ChannelLatency());
  latency.observe(0, 50, status.OK);
  latency.observe(49, 50, status.CANCELLED);
  assert.equal(latency.at(50, 0), 50);
  latency.observe(0, 90, status.CANCELLED);
  assert.equal(latency.at(90, 0), 90);
});

test('equally fast pods get equal shares', () => {
  const { calls, pods } = simulate(policy, () => {});
  for (const pod of pods) {
    const share = calls.filter((call) => call.pod === pod).length / calls.length;
    assert.ok(Math.abs(share - 0.25) < 0.02, `${share}`);
  }
});

test('a pod that is ten times slower gets fewer calls than under least_request', () => {
  const slow = (simulation: PodSimulation): void => {
    simulation.pod(0).serviceMs = () => 80;
  };
  const [ours, theirs] = [policy, leastRequest].map((used) => shareOfFirst(simulate(used, slow)));
  assert.ok((ours as number) < 0.01 && (theirs as number) > 0.04, `${ours} and ${theirs}`);
});

for (const code of [status.UNAVAILABLE, status.INTERNAL, status.PERMISSION_DENIED])
  test(`a pod that fails at once with ${status[code]} gets less than its share, and it gets it back`, () => {
    const failing = simulate(policy, (simulation) => {
      const pod = simulation.pod(0);
      pod.code = code;
      pod.serviceMs = () => 0.5;
    });
    assert.ok(shareOfFirst(failing) < 0.1, `${shareOfFirst(failing)}`);
    const pod = failing.pod(0);
    pod.code = status.OK;
    pod.serviceMs = () => 8;
    failing.load(200, 60_000);
    failing.runUntil(80_000);
    const late = failing.calls.filter(({ startedAt }) => startedAt > 60_000);
    const share = late.filter((call) => call.pod === pod).length / late.length;
    assert.ok(share > 0.2, `${share}`);
  });

test('a pod is known again after the set of pods changed', () => {
  const simulation = simulate(policy, (made) => {
    made.pod(0).serviceMs = () => 80;
  });
  simulation.join();
  const before = simulation.calls.length;
  simulation.load(200, 2_000);
  simulation.runUntil(24_000);
  const later = simulation.calls.slice(before);
  const share = later.filter(({ pod }) => pod === simulation.pods[0]).length / later.length;
  assert.ok(share < 0.02, `${share}`);
});

test('how long a quiet stream was open does not count as latency', () => {
  const simulation = new PodSimulation(2, { policy, random: seededRandom(2), serviceMs: 1 });
  const streams = Array.from({ length: 6 }, () => simulation.stream());
  simulation.load(100, 60_000);
  simulation.runUntil(60_000);
  const [first] = streams;
  const busy = simulation.pods.find(({ endpoint }) => endpoint.setAside > 0);
  assert.ok(first && busy);
  for (const stream of streams) if (stream.pod === busy) stream.end();
  const before = simulation.calls.length;
  simulation.sequence(100);
  const later = simulation.calls.slice(before).filter(({ pod }) => pod === busy);
  assert.ok(later.length > 35, `${later.length} of 100`);
});

test('pick results are used again: there are as many as calls were in flight at a time', () => {
  let turn = 0;
  const picker = policy.createPicker(readyEndpoints('ab'), null, {
    random: seededRandom(1),
    turns: { current: () => ++turn },
    clock: { now: () => turn },
  });
  const results = new Set<PickResult>();
  const open: PickResult[] = [];
  for (let call = 0; call < 5_000; call++) {
    const result = picker.pick({} as PickArgs);
    result.onCallStarted?.();
    results.add(result);
    open.push(result);
    if (open.length === 10) open.shift()?.onCallEnded?.(status.OK, '', {} as never);
  }
  assert.ok(results.size <= 20, `${results.size}`);
});
