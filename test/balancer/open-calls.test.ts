import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectivityState, Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { OpenCalls } from '../../lib/balancer/open-calls.js';
import { BaseSubchannelWrapper, type Subchannel } from '../../lib/grpc/experimental.js';
import { FakeSubchannel } from '../support/fake-subchannel.js';

const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/** What `outlier_detection` puts around a subchannel. */
class OutlierWrapper extends BaseSubchannelWrapper {
  getMapEntry(): string {
    return 'entry';
  }

  getWrappedSubchannel(): Subchannel {
    return this.child;
  }
}

function fixture(subchannel: Subchannel = new FakeSubchannel('a', connectivityState.READY)) {
  let now = 0;
  let refusal: string | null = null;
  const openCalls = new OpenCalls(subchannel, { now: () => now }, () => refusal);
  const received: unknown[] = [];
  const listener = {
    onReceiveMetadata: (metadata: Metadata) => void received.push(metadata),
    onReceiveMessage: (message: Buffer) => void received.push(message),
    onReceiveStatus: ({ code, details }: StatusObject) => void received.push([code, details]),
  };
  const begin = (on: Subchannel = openCalls.subchannel) =>
    on.getRealSubchannel().createCall(new Metadata(), 'host', '/a.A/Do', listener, 1);
  return {
    openCalls,
    received,
    begin,
    pass: (ms: number) => {
      now += ms;
    },
    refuse: (reason: string | null) => {
      refusal = reason;
    },
  };
}

test('calls are counted by their age until their status arrives', async () => {
  const { openCalls, begin, pass } = fixture();
  const first = begin();
  pass(600);
  begin();
  pass(400);
  assert.deepEqual(
    [0, 400, 401, 1_000, 1_001].map((ageMs) => openCalls.openFor(ageMs)),
    [2, 2, 1, 1, 0],
  );
  first.cancelWithStatus(status.OK, '');
  await tick();
  assert.deepEqual(
    [0, 401].map((ageMs) => openCalls.openFor(ageMs)),
    [1, 0],
  );
});

test('all open calls are ended with one status, and calls that ended before are not', async () => {
  const { openCalls, received, begin } = fixture();
  begin().cancelWithStatus(status.OK, 'own end');
  await tick();
  begin();
  begin();
  assert.equal(openCalls.endAll(status.UNAVAILABLE, 'why'), 2);
  await tick();
  assert.deepEqual(received, [
    [status.OK, 'own end'],
    [status.UNAVAILABLE, 'why'],
    [status.UNAVAILABLE, 'why'],
  ]);
  assert.equal(openCalls.endAll(status.UNAVAILABLE, 'why'), 0);
});

test('calls that begin on the subchannel itself, as those of other channels do, are left alone', async () => {
  const subchannel = new FakeSubchannel('a', connectivityState.READY);
  const { openCalls, received, begin } = fixture(subchannel);
  begin(subchannel);
  assert.equal(openCalls.endAll(status.UNAVAILABLE, 'why'), 0);
  await tick();
  assert.deepEqual(received, []);
});

test('a call is refused for the reason that holds at the moment', () => {
  const { openCalls, begin, refuse } = fixture();
  refuse('over');
  assert.throws(() => begin(), /^Error: over$/);
  assert.equal(openCalls.openFor(0), 0);
  refuse(null);
  begin();
  assert.equal(openCalls.openFor(0), 1);
});

test('outlier detection finds its wrapper in it, and calls on what that wraps are counted too', () => {
  const wrapper = new OutlierWrapper(new FakeSubchannel('a', connectivityState.READY));
  const { openCalls, begin } = fixture(wrapper);
  const found = openCalls.subchannel as OutlierWrapper;
  assert.equal(found.getMapEntry(), 'entry');
  begin(found.getWrappedSubchannel());
  assert.equal(openCalls.openFor(0), 1);
});

test('it is the subchannel in all other respects', () => {
  const { openCalls } = fixture();
  assert.equal(openCalls.subchannel.getAddress(), 'a');
  assert.equal(openCalls.subchannel.getConnectivityState(), connectivityState.READY);
  assert.equal(openCalls.subchannel.getRealSubchannel(), openCalls.subchannel.getRealSubchannel());
});
