import assert from 'node:assert/strict';
import { test } from 'node:test';
import { balancerFixture } from '../support/balancer-fixture.js';

const TRUSTED_MS = 10_000;
const PENDING_MS = 2_000;

/** Pods are preferred in the order in which they are given. */
async function subsetOf(size: number, pods: string) {
  const fixture = balancerFixture({ selection: { subsetSize: size } });
  fixture.give(pods);
  await fixture.clock.advance(0);
  return { ...fixture, advance: (ms: number) => fixture.clock.advance(ms) };
}

/** What is not draining. */
function inUse(states: Record<string, string>): string {
  return Object.keys(states)
    .filter((pod) => states[pod] !== 'draining')
    .sort()
    .join('');
}

test('a subset connects to its first pods and to no others', async () => {
  const { made, up, serving } = await subsetOf(2, 'abcd');
  assert.equal(made(), 'ab');
  up('ab');
  assert.equal(serving(), 'ab');
});

test('a set that is smaller than the subset is used whole', async () => {
  const { made } = await subsetOf(5, 'abc');
  assert.equal(made(), 'abc');
});

test('a pod that leaves DNS is replaced by the next one, and the others keep their connections', async () => {
  const { give, up, made, advance, serving } = await subsetOf(2, 'abcd');
  up('ab');
  give('bcd');
  await advance(0);
  up('c');
  assert.equal(made(), 'abc');
  assert.equal(serving(), 'bc');
});

test('a pod that comes and is preferred takes the place of the last one, which drains', async () => {
  const { give, up, states, advance } = await subsetOf(2, 'bcd');
  up('bc');
  give('abcd');
  await advance(0);
  up('a');
  assert.deepEqual(states(), { a: 'ready', b: 'ready', c: 'draining' });
});

test('each pod of the subset that fails is replaced by one more, at once', async () => {
  const { pod, up, made, advance, serving } = await subsetOf(3, 'abcdef');
  up('abc');
  pod('a').become('TRANSIENT_FAILURE', 'refused');
  await advance(0);
  assert.equal(made(), 'abcd');
  up('d');
  assert.equal(serving(), 'bcd');
  pod('c').become('TRANSIENT_FAILURE', 'refused');
  await advance(0);
  up('e');
  assert.equal(serving(), 'bde');
});

test('a substitute that fails itself is replaced by the next one', async () => {
  const { pod, up, made, advance } = await subsetOf(2, 'abcdef');
  up('ab');
  pod('a').become('TRANSIENT_FAILURE', 'refused');
  await advance(0);
  pod('c').become('TRANSIENT_FAILURE', 'refused');
  await advance(0);
  assert.equal(made(), 'abcd');
});

test('a substitute is given back when its pod has been back for 10 s, and its calls go on', async () => {
  const { pod, up, states, advance } = await subsetOf(2, 'abcd');
  up('ab');
  pod('a').become('TRANSIENT_FAILURE', 'refused');
  await advance(0);
  up('c');
  pod('a').become('READY');
  await advance(TRUSTED_MS - 1);
  assert.deepEqual(states(), { a: 'ready', b: 'ready', c: 'ready' });
  await advance(1);
  await advance(0);
  assert.deepEqual(states(), { a: 'ready', b: 'ready', c: 'draining' });
});

/** `b` took the place of `a`, has one call, and drains since it was given back. */
async function givenBack() {
  const fixture = balancerFixture({ selection: { subsetSize: 1 }, timeoutMs: 5_000 });
  const { clock, events, give, pod, up, begin, states } = fixture;
  give('ab');
  pod('a').become('TRANSIENT_FAILURE', 'refused');
  await clock.advance(0);
  up('b');
  begin();
  up('a');
  await clock.advance(TRUSTED_MS);
  await clock.advance(5_000);
  assert.equal(states()['b'], 'draining');
  return {
    clock,
    give,
    timedOut: () => events.some(({ kind }) => kind === 'drain_timed_out'),
    inFlight: () => fixture.balancer.endpoints().find(({ address }) => address.startsWith('b'))?.inFlight,
  };
}

test('drain.timeoutMs ends no call on a substitute that is given back, which is in DNS', async () => {
  const { timedOut, inFlight } = await givenBack();
  assert.equal(timedOut(), false);
  assert.equal(inFlight(), 1);
});

test('drain.timeoutMs counts for a substitute that was given back from when it leaves DNS', async () => {
  const { clock, give, timedOut } = await givenBack();
  give('a');
  await clock.advance(4_999);
  assert.equal(timedOut(), false);
  await clock.advance(1);
  assert.equal(timedOut(), true);
});

test('drain.timeoutMs no longer counts for a substitute that is back in DNS', async () => {
  const { clock, give, timedOut, inFlight } = await givenBack();
  give('a');
  await clock.advance(4_999);
  give('ab');
  await clock.advance(10_000);
  assert.equal(timedOut(), false);
  assert.equal(inFlight(), 1);
  give('a');
  await clock.advance(5_000);
  assert.equal(timedOut(), true);
});

test('a pod that comes and goes keeps one substitute, which is connected once', async () => {
  const { pod, up, made, states, advance } = await subsetOf(2, 'abcd');
  up('ab');
  for (let time = 0; time < 20; time++) {
    pod('a').become('TRANSIENT_FAILURE', 'refused');
    await advance(0);
    if (time === 0) up('c');
    pod('a').become('READY');
    await advance(TRUSTED_MS / 2);
    assert.equal(inUse(states()), 'abc');
  }
  assert.equal(made(), 'abc');
});

test('a connection that is lost and back within two seconds needs no substitute', async () => {
  const { pod, up, made, advance } = await subsetOf(2, 'abcd');
  up('ab');
  pod('a').become('IDLE');
  await advance(PENDING_MS - 1);
  pod('a').become('READY');
  await advance(60_000);
  assert.equal(made(), 'ab');
});

test('a pod whose packets are lost is replaced after two seconds, before its attempt to connect has failed', async () => {
  const { pod, up, made, advance } = await subsetOf(2, 'abcd');
  up('b');
  pod('a').become('CONNECTING');
  await advance(PENDING_MS - 1);
  assert.equal(made(), 'ab');
  await advance(1);
  await advance(0);
  assert.equal(made(), 'abc');
});

test('a pod that a health monitor takes out is replaced too', async () => {
  const { pod, up, made, advance } = await subsetOf(2, 'abcd');
  up('ab');
  pod('a').setHealthy(false);
  await advance(0);
  assert.equal(made(), 'abc');
});

test('where most pods fail, as many substitutes are tried as the subset has pods', async () => {
  const letters = 'abcdefghijklmnopqrst';
  const { pod, up, made, advance } = await subsetOf(6, letters);
  up('a');
  for (let time = 0; time < letters.length; time++) {
    const last = made().at(-1) as string;
    for (const name of made()) if (name !== 'a') pod(name).become('TRANSIENT_FAILURE', 'refused');
    await advance(0);
    if (made().at(-1) === last) break;
  }
  assert.equal(made(), letters.slice(0, 12));
});

test('where no pod takes calls, the others are tried one after the other until one does', async () => {
  const { pod, up, made, serving, advance } = await subsetOf(1, 'abcdefghi');
  for (const name of 'abcdefg') {
    pod(name).become('TRANSIENT_FAILURE', 'refused');
    await advance(0);
  }
  assert.equal(made(), 'abcdefgh');
  up('h');
  await advance(0);
  assert.equal(serving(), 'h');
  assert.equal(made(), 'abcdefgh');
});

test('an error that names the number of pods counts those of the subset', async () => {
  const { pod, balancer, advance } = await subsetOf(2, 'ab');
  for (const name of 'ab') pod(name).become('TRANSIENT_FAILURE', 'refused');
  await advance(0);
  assert.match(balancer.waitingReason() ?? '', /^headless: no connection to any of the 2 pods of /);
});

test('the end of a channel with a subset leaves no timer and no connection', async () => {
  const { pod, up, balancer, clock, held } = await subsetOf(2, 'abcd');
  up('b');
  pod('a').become('TRANSIENT_FAILURE', 'refused');
  balancer.destroy();
  assert.equal(held(), '');
  assert.equal(clock.timers, 0);
});
