import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CHECK_MS,
  type Imbalance,
  imbalanceOf,
  StreamBalance,
  type StreamCount,
} from '../../lib/balancer/stream-balance.js';
import { twoReady } from '../support/balancer-fixture.js';
import { FakeClock } from '../support/fake-clock.js';

function counts(...streams: number[]): StreamCount[] {
  return streams.map((count, index) => ({ address: `pod-${index}`, streams: count }));
}

const cases: [title: string, streams: number[], excess: number[] | null][] = [
  ['even counts are no imbalance', [5, 5, 5], null],
  ['counts that cannot be more even are no imbalance', [1, 0, 0, 0], null],
  ['a new pod without streams is an imbalance of the others', [10, 10, 0], [3, 3]],
  ['the fullest pod comes first', [2, 30, 20, 0], [17, 7]],
  ['what chance may do is no imbalance', [125, 75], null],
  ['two streams on one of two pods are an imbalance of one', [2, 0], [1]],
  ['no stream at all is no imbalance', [0, 0], null],
  ['a single pod has all streams, and no imbalance', [9], null],
];
for (const [title, streams, excess] of cases)
  test(title, () => {
    const imbalance = imbalanceOf(counts(...streams));
    assert.deepEqual(imbalance?.endpoints.map((endpoint) => endpoint.excess) ?? null, excess);
  });

test('moving the excess never leaves a pod below its share', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(200), { minLength: 1, maxLength: 20 }), (streams) => {
      const imbalance = imbalanceOf(counts(...streams));
      for (const { streams: held, excess } of imbalance?.endpoints ?? [])
        assert.ok(excess >= 1 && held - excess >= (imbalance?.share ?? 0));
    }),
  );
});

test('without endpoints there is no imbalance', () => {
  assert.equal(imbalanceOf([]), null);
});

test('a change of the endpoints is followed by checks, until streams lie evenly', async () => {
  const clock = new FakeClock();
  const told: Imbalance[] = [];
  let streams = [4, 0];
  const balance = new StreamBalance(
    clock,
    () => counts(...streams),
    (imbalance) => told.push(imbalance),
  );
  await clock.advance(60_000);
  assert.equal(told.length, 0);
  balance.endpointsChanged();
  balance.endpointsChanged();
  await clock.advance(CHECK_MS - 1);
  assert.equal(told.length, 0);
  await clock.advance(1);
  assert.equal(told.length, 1);
  await clock.advance(CHECK_MS);
  assert.equal(told.length, 2);
  streams = [2, 2];
  await clock.advance(CHECK_MS);
  assert.deepEqual([told.length, clock.timers], [2, 0]);
  streams = [9, 0];
  balance.endpointsChanged();
  balance.stop();
  await clock.advance(60_000);
  assert.equal(told.length, 2);
});

test('after a scale-up the pods that hold more than their share of streams are told', async () => {
  const { context, begin, give, up, clock, events, balancer } = twoReady();
  context.watchStreams();
  for (let stream = 0; stream < 8; stream++) begin();
  give('abcd');
  up('cd');
  await clock.advance(CHECK_MS);
  const told = events.filter(({ kind }) => kind === 'streams_uneven');
  assert.deepEqual(told, [
    {
      kind: 'streams_uneven',
      share: 2,
      endpoints: [
        { address: 'a:50051', streams: 4, excess: 2 },
        { address: 'b:50051', streams: 4, excess: 2 },
      ],
    },
  ]);
  balancer.destroy();
  assert.equal(clock.timers, 0);
});

test('calls shorter than a second are no streams, and without a listener nothing is told', async () => {
  const { context, begin, give, up, clock, events } = twoReady();
  const early = [begin(), begin(), begin(), begin()];
  give('abc');
  up('c');
  await clock.advance(CHECK_MS);
  for (const end of early) end();
  context.watchStreams();
  give('abcd');
  up('d');
  await clock.advance(CHECK_MS - 999);
  for (let call = 0; call < 8; call++) begin();
  await clock.advance(999);
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'streams_uneven'),
    [],
  );
});
