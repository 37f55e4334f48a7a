/** How many calls of one turn of the event loop follow each other to one pod, by the number of pods and the call rate. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint } from '../../lib/balancer/endpoint.js';
import type { PickArgs } from '../../lib/grpc/experimental.js';
import { leastRequest } from '../../lib/picker/least-request.js';
import type { Picker } from '../../lib/picker/policy.js';
import type { Random } from '../../lib/runtime.js';
import { readyEndpoint } from '../support/fake-endpoint.js';
import { seededRandom } from '../support/fake-random.js';
import type { FakeSubchannel } from '../support/fake-subchannel.js';

const NO_ARGS = {} as PickArgs;

function startingWith(first: number, others: Random): Random {
  let used = false;
  return () => {
    if (used) return others();
    used = true;
    return first;
  };
}

/** A client at work: so many calls in each turn, which end before the next. */
class Work {
  /** The rotation starts with the first pod. */
  readonly random = startingWith(0, seededRandom(1));
  readonly clock = { now: () => this.nowMs };
  readonly turns = { current: () => this.turn };
  nowMs = 0;
  turn = 0;
  readonly pods: Endpoint[];
  picker: Picker;

  constructor(count: number) {
    this.pods = Array.from({ length: count }, (_, index) => readyEndpoint(`${index}`));
    this.picker = leastRequest.createPicker(this.pods, null, this);
  }

  pick(count: number): string[] {
    return Array.from({ length: count }, () => (this.picker.pick(NO_ARGS).subchannel as FakeSubchannel).address);
  }

  /** @returns calls of each pod. */
  go(callsPerPodAndSecond: number, callsPerTurn: number, ms: number): Map<string, number> {
    const perMs = (callsPerPodAndSecond * this.pods.length) / 1_000;
    const calls = new Map<string, number>(this.pods.map(({ address }) => [address.host, 0]));
    const until = this.nowMs + ms;
    let made = 0;
    // Single calls end where a rotation does, so that the next turn begins with one.
    while (this.nowMs < until || (callsPerTurn === 1 && made % this.pods.length !== 0)) {
      for (const pod of this.pick(callsPerTurn)) calls.set(pod, (calls.get(pod) ?? 0) + 1);
      made += callsPerTurn;
      this.turn += 1;
      this.nowMs += callsPerTurn / perMs;
    }
    return calls;
  }

  /** Calls of a new turn that go to its first pod; so many go to each, one pod after the other. */
  batch(): number {
    this.turn += 1;
    const picked = this.pick(4 * this.pods.length);
    this.turn += 1;
    const batch = picked.findIndex((pod) => pod !== picked[0]);
    const start = this.pods.findIndex(({ address }) => address.host === picked[0]);
    const inTurn = [...this.pods.slice(start), ...this.pods.slice(0, start)];
    assert.deepEqual(
      picked.slice(0, batch * this.pods.length),
      inTurn.flatMap(({ address }) => Array(batch).fill(address.host)),
    );
    return batch;
  }
}

const batches: [pods: number, callsPerPodAndSecond: number, batch: number][] = [
  [2, 1_000, 1],
  [8, 1_000, 1],
  [15, 1_000, 1],
  [16, 1_000, 2],
  [31, 1_000, 3],
  [32, 1_000, 4],
  [200, 1_000, 4],
  [200, 22, 3],
  [200, 15, 2],
  [200, 13, 1],
  [200, 0.5, 1],
];
for (const [pods, rate, batch] of batches)
  test(`over ${pods} pods with ${rate} calls a second each, ${batch} call(s) of one turn go to one pod`, () => {
    const work = new Work(pods);
    work.go(rate, 1, 5_000);
    assert.equal(work.batch(), batch);
  });

test('a batch ends with its turn: calls of different turns go to different pods', () => {
  const work = new Work(32);
  work.go(1_000, 1, 1_000);
  const picked = Array.from({ length: 32 }, () => {
    work.turn += 1;
    return work.pick(1)[0];
  });
  assert.equal(new Set(picked).size, 32);
});

test('the call rate is carried over to the next picker', () => {
  const work = new Work(32);
  work.go(1_000, 1, 1_000);
  work.picker = leastRequest.createPicker(work.pods, work.picker, work);
  assert.equal(work.batch(), 4);
});

test('a new channel, and one that was quiet for long, send single calls until they have measured their rate', () => {
  const work = new Work(32);
  assert.equal(work.batch(), 1);
  work.go(1_000, 1, 1_000);
  work.nowMs += 60_000;
  work.pick(32 * 4);
  assert.equal(work.batch(), 1);
});

for (const rate of [5, 9, 13, 16, 19, 27, 54, 200])
  test(`with ${rate} calls a second each, in turns of eight, no pod is above the mean of a second by more than a batch`, () => {
    for (const pods of [50, 100]) {
      const work = new Work(pods);
      work.go(rate, 8, 5_000);
      const calls = [...work.go(rate, 8, 1_000).values()];
      const mean = calls.reduce((sum, count) => sum + count, 0) / pods;
      const most = Math.max(...calls);
      assert.ok(most <= (mean * 8) / 7 + 1, `${most} calls, ${mean} on average`);
    }
  });
