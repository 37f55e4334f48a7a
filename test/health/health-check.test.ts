import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { healthCheck } from '../../lib/health/health-check.js';
import type { HealthStreamListener, OpenHealthStream } from '../../lib/health/health-stream.js';
import { covers } from '../faults/covers.js';
import { balancerFixture } from '../support/balancer-fixture.js';

interface Stream extends HealthStreamListener {
  readonly pod: string;
  readonly service: string;
  readonly authority: string;
  open: boolean;
}

/** Pods named by letters, all connected, with health checks whose streams the test answers. */
function fixture(pods: string, { service = '', random = 0.5 } = {}) {
  const streams: Stream[] = [];
  const open: OpenHealthStream = ({ subchannel, authority }, service, listener) => {
    const stream: Stream = { ...listener, pod: subchannel.getAddress()[0] ?? '', service, authority, open: true };
    streams.push(stream);
    return () => {
      stream.open = false;
    };
  };
  const made = balancerFixture({
    monitors: ({ emit, runtime: { clock } }) => [healthCheck({ service }, { clock, emit, random: () => random, open })],
  });
  made.give(pods);
  made.up(pods);
  /** The stream of this pod that is open. */
  const stream = (pod: string): Stream =>
    streams.find((one) => one.pod === pod && one.open) ?? assert.fail(`no stream to ${pod}`);
  const openTo = (): string =>
    streams
      .filter(({ open }) => open)
      .map(({ pod }) => pod)
      .sort()
      .join('');
  const health = (pod: string) => made.balancer.endpoints().find(({ address }) => address[0] === pod)?.health;
  const kinds = (): string[] => made.events.map(({ kind }) => kind);
  return { ...made, streams, stream, openTo, health, kinds };
}

test('a pod takes calls only when its health check answers SERVING, and counts as connecting until then', () => {
  const { last, stream, states, health, serving, source } = fixture('ab', { service: 'shop.Hello' });
  assert.deepEqual(states(), { a: 'connecting', b: 'connecting' });
  assert.equal(last().state, 'CONNECTING');
  assert.equal(health('a'), 'UNKNOWN');
  const { service, authority } = stream('a');
  assert.deepEqual({ service, authority }, { service: 'shop.Hello', authority: 'svc.ns:50051' });
  stream('a').onStatus('SERVING');
  assert.deepEqual(states(), { a: 'ready', b: 'connecting' });
  assert.equal(last().state, 'READY');
  assert.equal(serving(), 'a');
  assert.equal(health('a'), 'SERVING');
  assert.equal(source.ready, true);
});

for (const answer of ['NOT_SERVING', 'UNKNOWN', 'SERVICE_UNKNOWN'] as const)
  test(`a pod that answers ${answer} gets no call from that moment on, until it answers SERVING`, covers(58), () => {
    const { stream, serving, health, states, source, events } = fixture('ab');
    stream('a').onStatus('SERVING');
    stream('b').onStatus('SERVING');
    assert.equal(serving(), 'ab');
    const requests = source.requests;
    stream('a').onStatus(answer);
    assert.equal(serving(), 'b');
    assert.equal(health('a'), answer);
    assert.equal(states()['a'], 'ready');
    assert.deepEqual(events.at(-1), { kind: 'health_changed', address: 'a:50051', health: answer });
    // The pod may be on its way out, and another one in.
    assert.equal(source.requests, requests + 1);
    stream('a').onStatus('SERVING');
    assert.equal(serving(), 'ab');
  });

test('an answer that repeats the last one is not told again', () => {
  const { stream, events, helper } = fixture('a');
  stream('a').onStatus('SERVING');
  const [told, published] = [events.length, helper.published.length];
  stream('a').onStatus('SERVING');
  assert.deepEqual([events.length, helper.published.length], [told, published]);
});

test(
  'a pod without a health service is healthy; that is told once for all pods, and it is not asked again',
  covers(58),
  async () => {
    const { stream, serving, health, kinds, clock, openTo } = fixture('ab');
    for (const pod of 'ab') stream(pod).onEnd(status.UNIMPLEMENTED, 'no such service');
    assert.equal(serving(), 'ab');
    assert.equal(health('a'), 'UNIMPLEMENTED');
    await clock.advance(600_000);
    assert.equal(openTo(), '');
    assert.equal(kinds().filter((kind) => kind === 'health_unimplemented').length, 1);
    assert.equal(kinds().filter((kind) => kind === 'health_watch_failed').length, 0);
  },
);

test('a stream that breaks leaves the health as it was, and is opened again after a backoff', covers(58), async () => {
  const { stream, serving, openTo, clock, counters, events } = fixture('abc');
  stream('a').onStatus('SERVING');
  stream('b').onStatus('NOT_SERVING');
  stream('c').onStatus('SERVING');
  for (const pod of 'ab') stream(pod).onEnd(status.INTERNAL, 'it broke');
  assert.deepEqual(events.at(-1), {
    kind: 'health_watch_failed',
    address: 'b:50051',
    code: status.INTERNAL,
    details: 'it broke',
    retryMs: 1_000,
  });
  assert.equal(counters.healthFailures, 2);
  assert.equal(serving(), 'ac');
  assert.equal(openTo(), 'c');
  await clock.advance(999);
  assert.equal(openTo(), 'c');
  await clock.advance(1);
  assert.equal(openTo(), 'abc');
  // Until the new stream answers, too.
  await clock.advance(5_000);
  assert.equal(serving(), 'ac');
  stream('b').onStatus('SERVING');
  assert.equal(serving(), 'abc');
});

for (const [random, factor] of [
  [0.5, 1],
  [0, 0.8],
  [0.999_999, 1.2],
] as const)
  test(`without an answer each wait is 1.6 times the last one, up to two minutes, times ${factor} at random`, async () => {
    const { stream, openTo, clock, events } = fixture('ab', { random });
    stream('b').onStatus('SERVING');
    const waits: number[] = [];
    for (let attempt = 0; attempt < 13; attempt++) {
      stream('a').onEnd(status.UNAVAILABLE, '');
      const event = events.at(-1);
      const waitMs = event?.kind === 'health_watch_failed' ? event.retryMs : assert.fail();
      waits.push(waitMs);
      await clock.advance(waitMs - 1);
      assert.equal(openTo(), 'b');
      await clock.advance(1);
    }
    const expected = waits.map((_, index) => Math.min(120_000, 1_000 * 1.6 ** index) * factor);
    assert.deepEqual(
      waits.map((ms) => Math.round(ms / 10)),
      expected.map((ms) => Math.round(ms / 10)),
    );
    stream('a').onStatus('SERVING');
    stream('a').onEnd(status.OK, '');
    const event = events.at(-1);
    assert.equal(event?.kind === 'health_watch_failed' && Math.round(event.retryMs), 1_000 * factor);
  });

test('the stream is closed with the connection, and a new connection is asked anew', () => {
  const { stream, openTo, pod, states, health, serving, streams } = fixture('ab');
  for (const name of 'ab') stream(name).onStatus('SERVING');
  pod('a').become('IDLE');
  assert.equal(openTo(), 'b');
  assert.equal(health('a'), 'UNKNOWN');
  pod('a').become('CONNECTING');
  pod('a').become('READY');
  assert.equal(states()['a'], 'connecting');
  assert.equal(serving(), 'b');
  assert.equal(streams.length, 3);
  stream('a').onStatus('SERVING');
  assert.equal(serving(), 'ab');
});

test('a lost connection ends the wait for the next attempt', async () => {
  const { stream, openTo, pod, clock } = fixture('ab');
  for (const name of 'ab') stream(name).onStatus('SERVING');
  stream('a').onEnd(status.INTERNAL, '');
  pod('a').become('IDLE');
  await clock.advance(10_000);
  assert.equal(openTo(), 'b');
});

test(
  'while no pod has answered calls wait for a second, then all pods that are connected take them: panic',
  covers(59),
  async () => {
    const { last, serving, states, clock, events } = fixture('ab');
    await clock.advance(999);
    assert.equal(last().state, 'CONNECTING');
    await clock.advance(1);
    assert.equal(last().state, 'READY');
    assert.equal(serving(), 'ab');
    assert.deepEqual(states(), { a: 'ready', b: 'ready' });
    assert.deepEqual(events.at(-1), { kind: 'panic', active: true, addresses: ['a:50051', 'b:50051'] });
  },
);

test('a pod whose answer comes late is used from then on', async () => {
  const { stream, serving, clock } = fixture('ab');
  stream('a').onStatus('SERVING');
  await clock.advance(60_000);
  assert.equal(serving(), 'a');
  stream('b').onStatus('SERVING');
  assert.equal(serving(), 'ab');
});

test(
  'when every pod says NOT_SERVING all are used, and it is told; one that serves again ends that',
  covers(59),
  () => {
    const { stream, serving, last, events, counters, source } = fixture('ab');
    for (const name of 'ab') stream(name).onStatus('SERVING');
    stream('a').onStatus('NOT_SERVING');
    stream('b').onStatus('NOT_SERVING');
    assert.equal(last().state, 'READY');
    assert.equal(serving(), 'ab');
    const panics = () => events.filter(({ kind }) => kind === 'panic');
    assert.deepEqual(panics(), [{ kind: 'panic', active: true, addresses: ['a:50051', 'b:50051'] }]);
    assert.equal(counters.panics, 1);
    // DNS is asked at its quick pace, as while no pod is READY.
    assert.equal(source.ready, false);
    stream('b').onStatus('SERVING');
    assert.equal(serving(), 'b');
    assert.deepEqual(panics().slice(1), [{ kind: 'panic', active: false, addresses: [] }]);
    assert.equal(source.ready, true);
  },
);

test('in panic a pod that is lost leaves the picks, and one that joins and does not serve is picked too', () => {
  const { stream, serving, pod, give, up } = fixture('ab');
  for (const name of 'ab') stream(name).onStatus('NOT_SERVING');
  pod('a').become('IDLE');
  pod('a').become('TRANSIENT_FAILURE');
  assert.equal(serving(), 'b');
  give('abc');
  up('c');
  stream('c').onStatus('NOT_SERVING');
  assert.equal(serving(), 'bc');
});

test('the first pod of a set that says NOT_SERVING gets no calls while another still connects, for a second', async () => {
  const { stream, pod, serving, last, clock, events } = fixture('ab');
  pod('b').become('IDLE');
  stream('a').onStatus('NOT_SERVING');
  assert.equal(last().state, 'CONNECTING');
  await clock.advance(500);
  pod('b').become('READY');
  stream('b').onStatus('SERVING');
  assert.equal(serving(), 'b');
  await clock.advance(5_000);
  assert.ok(!events.some(({ kind }) => kind === 'panic'));
});

test('a draining pod that serves is preferred to pods of the set that do not', () => {
  const { stream, give, up, serving, events } = fixture('a');
  stream('a').onStatus('SERVING');
  give('b');
  up('b');
  stream('b').onStatus('NOT_SERVING');
  assert.equal(serving(), 'a');
  assert.ok(!events.some(({ kind }) => kind === 'panic'));
  stream('a').onStatus('NOT_SERVING');
  assert.equal(serving(), 'b');
});

test('a channel that is closed leaves no stream, no timer and no listener', () => {
  const { stream, balancer, openTo, clock, helper } = fixture('abc');
  stream('a').onStatus('SERVING');
  stream('b').onEnd(status.INTERNAL, '');
  balancer.destroy();
  assert.equal(openTo(), '');
  assert.equal(clock.timers, 0);
  assert.ok(helper.made.every(({ listeners }) => listeners === 0));
});
