import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { createConfigSelector, hasSeveralAttempts } from '../../lib/grpc/config-selector.js';
import type { MethodConfig } from '../../lib/grpc/experimental.js';
import { Attempts } from '../../lib/picker/attempts.js';

const config = (...name: MethodConfig['name']): MethodConfig => ({ name });

const exact = config({ service: 'pkg.Greeter', method: 'Hello' });
const service = config({ service: 'pkg.Greeter' });
const other = config({ service: 'pkg.Other', method: 'Hello' }, { service: 'pkg.Third' });
const everything = config({});

/** The details that grpc-js gives a call which had no pod in time. */
const WAITED = 'Deadline exceeded after 0.500s,wait_for_ready,Waiting for LB pick';

function selectorOf(methodConfig: MethodConfig[], reason: string | null = null, onUnref = () => {}) {
  const selector = createConfigSelector({ methodConfig }, { onUnref, waitingReason: () => reason });
  const invoke = (path: string) => selector.invoke(path, new Metadata(), 1);
  const filter = () => invoke('/a/b').dynamicFilterFactories[0]?.createFilter() ?? assert.fail('there is no filter');
  const end = (code: status, details: string): StatusObject =>
    filter().receiveTrailers({ code, details, metadata: new Metadata() });
  return { selector, invoke, filter, end };
}

const select = (configs: MethodConfig[], path: string): MethodConfig => selectorOf(configs).invoke(path).methodConfig;

const cases: [path: string, configs: MethodConfig[], expected: MethodConfig][] = [
  ['/pkg.Greeter/Hello', [everything, service, exact], exact],
  ['/pkg.Greeter/Bye', [everything, exact, service], service],
  ['/pkg.Unknown/Hello', [exact, service, everything], everything],
  ['/pkg.Unknown/Hello', [exact, service], config()],
  ['/pkg.Third/Hello', [exact, other], other],
  ['/pkg.Other/Hello', [other, config({ service: 'pkg.Other', method: 'Hello' })], other],
  ['/pkg.Other/Bye', [other], config()],
];
for (const [path, configs, expected] of cases)
  test(`of ${configs.length} configs, ${path} gets the most specific, the first of equals: ${JSON.stringify(expected.name)}`, () => {
    assert.deepEqual(select(configs, path), expected);
  });

test('a call gets status OK, no information for its picks, and one filter that all calls share', () => {
  let released = 0;
  const { selector, invoke } = selectorOf([], null, () => {
    released += 1;
  });
  const [one, other] = [invoke('/a/b'), invoke('/a/b')];
  const { methodConfig: _config, dynamicFilterFactories, ...rest } = one;
  assert.deepEqual(rest, { pickInformation: {}, status: status.OK });
  assert.equal(dynamicFilterFactories.length, 1);
  assert.equal(dynamicFilterFactories[0]?.createFilter(), other.dynamicFilterFactories[0]?.createFilter());
  selector.unref();
  assert.equal(released, 1);
});

test('a call that ran out of time while it waited for a pod is given the reason, and nothing else is changed', () => {
  const { end } = selectorOf([], 'no pod is READY');
  assert.equal(end(status.DEADLINE_EXCEEDED, WAITED).details, `${WAITED}; no pod is READY`);
  for (const [code, details] of [
    [status.DEADLINE_EXCEEDED, 'Deadline exceeded after 0.500s,remote_addr=10.0.0.1:50051'],
    [status.UNAVAILABLE, WAITED],
    [status.OK, 'OK'],
  ] as const)
    assert.equal(end(code, details).details, details);
});

test('a call that waited for something else than a pod keeps its details', () => {
  assert.equal(selectorOf([], null).end(status.DEADLINE_EXCEEDED, WAITED).details, WAITED);
});

test('metadata and messages pass through the filter untouched', async () => {
  const filter = selectorOf([]).filter();
  const metadata = new Metadata();
  assert.equal(await filter.sendMetadata(Promise.resolve(metadata)), metadata);
  assert.equal(filter.receiveMetadata(metadata), metadata);
  const message = Buffer.from('message');
  assert.equal((await filter.sendMessage(Promise.resolve({ message }))).message, message);
  assert.equal(await filter.receiveMessage(Promise.resolve(message)), message);
});

const retryPolicy = {
  maxAttempts: 3,
  initialBackoff: '0.01s',
  maxBackoff: '0.1s',
  backoffMultiplier: 1.5,
  retryableStatusCodes: ['UNAVAILABLE'],
};

const hedgingPolicy = { maxAttempts: 2, hedgingDelay: '0.1s', nonFatalStatusCodes: ['UNAVAILABLE'] };

const METHODS: MethodConfig[] = [
  { name: [{ service: 'a.A' }], retryPolicy },
  { name: [{ service: 'b.B' }], hedgingPolicy },
  { name: [{ service: 'c.C' }], waitForReady: true },
];

test('each call with a policy gets an object of its own, and nothing is allocated for a call without one', () => {
  const selector = createConfigSelector({ methodConfig: METHODS }, { onUnref() {}, waitingReason: () => null });
  const invoke = (path: string) => selector.invoke(path, new Metadata(), 0);
  for (const path of ['/a.A/Do', '/b.B/Do']) {
    const [first, second] = [invoke(path), invoke(path)];
    assert.ok((first.pickInformation as object) instanceof Attempts);
    assert.notEqual(first.pickInformation, second.pickInformation);
    assert.equal(first.methodConfig, second.methodConfig);
  }
  for (const path of ['/c.C/Do', '/d.D/Do']) assert.equal(invoke(path), invoke(path));
});

test('a selector finds more methods than it remembers', () => {
  const selector = createConfigSelector({ methodConfig: METHODS }, { onUnref() {}, waitingReason: () => null });
  for (let method = 0; method < 300; method++)
    assert.equal(selector.invoke(`/a.A/Do${method}`, new Metadata(), 0).methodConfig, METHODS[0]);
});

test('calls may have several attempts where some method has a retry or hedging policy', () => {
  for (const [methodConfig, several] of [
    [[], false],
    [METHODS.slice(0, 1), true],
    [METHODS.slice(1, 2), true],
    [METHODS.slice(2), false],
    [METHODS, true],
  ] as const)
    assert.equal(hasSeveralAttempts({ methodConfig: [...methodConfig] }), several);
});
