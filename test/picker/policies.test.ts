import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Endpoint } from '../../lib/balancer/endpoint.js';
import type { PickArgs } from '../../lib/grpc/experimental.js';
import { leastRequest } from '../../lib/picker/least-request.js';
import type { PickableEndpoint, Picker, PickerContext, Policy } from '../../lib/picker/policy.js';
import { roundRobin } from '../../lib/picker/round-robin.js';
import type { Random } from '../../lib/runtime.js';
import { readyEndpoint, readyEndpoints } from '../support/fake-endpoint.js';
import { scriptedRandom, seededRandom } from '../support/fake-random.js';
import type { FakeSubchannel } from '../support/fake-subchannel.js';

/** Records when its calls are counted. */
class Watched implements PickableEndpoint {
  readonly pickResult: PickableEndpoint['pickResult'];
  readonly name: string;
  readonly #outstanding: number;
  readonly #seen: string[];

  constructor(name: string, outstanding: number, seen: string[]) {
    this.name = name;
    this.#outstanding = outstanding;
    this.#seen = seen;
    this.pickResult = readyEndpoint(name).pickResult;
  }

  outstanding(): number {
    this.#seen.push(this.name);
    return this.#outstanding;
  }

  readonly joinedAt = null;
  readonly setAside = 0;

  recordTurn(): boolean {
    return false;
  }

  recordPick(): void {}
}

function watched(order: string, loads: number[], seen: string[]): Watched[] {
  return [...order].map((name, index) => new Watched(name, loads[index] ?? 0, seen));
}

const roll = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

const lowest: Random = () => 0;

const clock = { now: () => 0 };

/** All calls in one turn of the event loop. */
const oneTurn = (random = seededRandom(1)): PickerContext => ({ random, turns: { current: () => 0 }, clock });

let lastTurn = 0;

/** Each call in a turn of its own. */
const oneCallPerTurn = (random = seededRandom(1)): PickerContext => ({
  random,
  turns: { current: () => ++lastTurn },
  clock,
});

const NO_ARGS = {} as PickArgs;

function picks(picker: Picker, count: number): string[] {
  return Array.from({ length: count }, () => (picker.pick(NO_ARGS).subchannel as FakeSubchannel).address);
}

const names = (picker: Picker, count: number): string => picks(picker, count).join('');

/** The list before and after, where the rotation stood, and who comes next. */
const updates: [what: string, before: string, picks: number, after: string, next: string][] = [
  ['a pod came', 'abc', 1, 'abcd', 'bcdabcda'],
  ['a pod before the next one left', 'abc', 2, 'bc', 'cbcb'],
  ['the next pod left: the one after it is next', 'abcd', 1, 'acd', 'cdacda'],
  ['the next two left', 'abcd', 1, 'ad', 'dada'],
  ['the order changed', 'abc', 1, 'cba', 'bacbac'],
  ['all were replaced: it starts at random', 'abc', 1, 'xyz', 'xyzxyz'],
];

const POLICIES = Object.entries({ roundRobin, leastRequest }) as [string, Policy][];

for (const [policyName, policy] of POLICIES) {
  test(`${policyName} starts at a random pod`, () => {
    const starts = [0, 0.3, 0.5, 0.999].map((rolled) =>
      policy.createPicker(
        readyEndpoints('abcd'),
        null,
        oneCallPerTurn(() => rolled),
      ),
    );
    assert.equal(starts.map((picker) => names(picker, 1)).join(''), 'abcd');
  });

  test(`${policyName} gives each of equally busy pods one call in each rotation, in order`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer(), (count, seed) => {
        const order = 'abcdefghijklmnopqrst'.slice(0, count);
        const picker = policy.createPicker(readyEndpoints(order), null, oneCallPerTurn(seededRandom(seed)));
        const rotation = names(picker, count);
        assert.ok((order + order).includes(rotation), rotation);
        assert.equal(names(picker, 3 * count), rotation.repeat(3));
      }),
    );
  });

  for (const [what, before, picks, after, next] of updates)
    test(`${policyName} keeps its place when ${what}`, () => {
      const all = new Map(readyEndpoints('abcdxyz').map((made) => [made.address.host, made]));
      const list = (text: string): Endpoint[] => [...text].map((name) => all.get(name) as Endpoint);
      const first = policy.createPicker(list(before), null, oneCallPerTurn(lowest));
      names(first, picks);
      assert.equal(names(policy.createPicker(list(after), first, oneCallPerTurn(lowest)), next.length), next);
    });

  test(`${policyName} favours no pod even if the list changes at every call`, () => {
    const all = readyEndpoints('abcd');
    let picker = policy.createPicker(all, null, oneCallPerTurn());
    let picked = '';
    for (let call = 0; call < 40; call++) {
      picked += names(picker, 1);
      picker = policy.createPicker([...all], picker, oneCallPerTurn());
    }
    assert.equal(picked, picked.slice(0, 4).repeat(10));
  });

  test(`${policyName} gives a single pod every call, and hands out the same object each time`, () => {
    const endpoints = readyEndpoints('a');
    const picker = policy.createPicker(endpoints, null, oneTurn());
    assert.equal(picker.endpoints, endpoints);
    for (let call = 0; call < 5; call++) assert.equal(picker.pick(NO_ARGS), endpoints[0]?.pickResult);
  });
}

test('a place is not handed from one policy to another', () => {
  const all = readyEndpoints('abcd');
  const first = roundRobin.createPicker(all, null, oneCallPerTurn(lowest));
  names(first, 2);
  assert.equal(names(leastRequest.createPicker(all, first, oneCallPerTurn(lowest)), 1), 'a');
});

test('least_request takes the next in rotation if it is idle, so equal pods get equal shares', () => {
  const seen: string[] = [];
  const picker = leastRequest.createPicker(watched('abcd', [0, 0, 0, 0], seen), null, oneCallPerTurn());
  assert.equal(names(picker, 8), seen.join(''));
  assert.match(seen.join(''), /^(abcdabcd|bcdabcda|cdabcdab|dabcdabc)$/);
});

test('least_request compares a busy pod with another one: never with itself, and with each other equally often', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 7 }), fc.array(roll, { minLength: 2 }), (count, rolls) => {
      const seen: string[] = [];
      const order = 'abcdefg'.slice(0, count);
      const picker = leastRequest.createPicker(
        watched(order, Array(count).fill(1), seen),
        null,
        oneCallPerTurn(scriptedRandom(...rolls)),
      );
      for (let call = 0; call < 10; call++) {
        names(picker, 1);
        const [first, second, ...more] = seen.splice(0);
        assert.notEqual(first, second);
        assert.ok(second && more.length === 0);
      }
    }),
  );
  const pairs = new Map<string, number>();
  const seen: string[] = [];
  const picker = leastRequest.createPicker(watched('abcd', [1, 1, 1, 1], seen), null, oneCallPerTurn());
  for (let call = 0; call < 12_000; call++) {
    names(picker, 1);
    const pair = seen.splice(0).join('');
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
  }
  assert.equal(pairs.size, 12);
  for (const [pair, count] of pairs) assert.ok(count > 850 && count < 1_150, `${pair} ${count} times of about 1000`);
});

test('least_request never picks the busier of the two it looked at', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 7 }), fc.integer(), (loads, seed) => {
      const seen: string[] = [];
      const order = 'abcdefg'.slice(0, loads.length);
      const picker = leastRequest.createPicker(watched(order, loads, seen), null, oneCallPerTurn(seededRandom(seed)));
      const loadOf = (name: string): number => loads[order.indexOf(name)] ?? 0;
      for (let call = 0; call < 20; call++) {
        const picked = names(picker, 1);
        assert.equal(loadOf(picked), Math.min(...seen.splice(0).map(loadOf)));
      }
    }),
  );
});

test('of two pods, one with five calls in flight, least_request always picks the idle one', () => {
  for (let seed = 0; seed < 50; seed++) {
    const [idle, busy] = readyEndpoints('ab', [0, 5]);
    assert.equal(
      names(leastRequest.createPicker([idle, busy] as Endpoint[], null, oneCallPerTurn(seededRandom(seed))), 5),
      'aaaaa',
    );
  }
});

test('a burst in one turn is spread, though none of its calls has begun yet', () => {
  for (let seed = 0; seed < 50; seed++) {
    const picked = names(leastRequest.createPicker(readyEndpoints('abcd'), null, oneTurn(seededRandom(seed))), 100);
    for (const name of 'abcd') {
      const share = picked.split(name).length - 1;
      assert.ok(share >= 20 && share <= 30, `seed ${seed}: ${name} got ${share} of 100`);
    }
  }
});

test('picks of an earlier turn do not count: their calls have begun by then, or never will', () => {
  let turn = 0;
  const turns = { current: () => turn };
  const [one, two] = readyEndpoints('ab') as [Endpoint, Endpoint];
  const picker = leastRequest.createPicker([one, two], null, { random: seededRandom(1), turns, clock });
  names(picker, 11);
  assert.equal(one.outstanding(turn) + two.outstanding(turn), 11);
  turn += 1;
  assert.deepEqual([one.outstanding(turn), two.outstanding(turn)], [0, 0]);
});

test('a call counts once: as a pick until it begins, then in flight until it ends', () => {
  const [only] = readyEndpoints('a') as [Endpoint];
  names(leastRequest.createPicker([only], null, oneTurn()), 2);
  assert.equal(only.outstanding(0), 2);
  only.pickResult.onCallStarted?.();
  assert.deepEqual([only.outstanding(0), only.snapshot().inFlight], [2, 1]);
  only.pickResult.onCallStarted?.();
  assert.deepEqual([only.outstanding(0), only.snapshot().inFlight], [2, 2]);
  only.pickResult.onCallEnded?.(0, '', {} as never);
  assert.deepEqual([only.outstanding(0), only.snapshot().inFlight], [1, 1]);
});
