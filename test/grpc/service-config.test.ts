import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BALANCER_NAME, withOurBalancer } from '../../lib/grpc/service-config.js';

const OURS = [{ [BALANCER_NAME]: {} }];

function read(config: object | undefined) {
  return withOurBalancer(config && JSON.stringify(config));
}

test('without a service config there is our balancer, and nothing else', () => {
  for (const text of [undefined, '', '{}'])
    assert.deepEqual(withOurBalancer(text), { loadBalancingConfig: OURS, methodConfig: [] });
});

test("the user's retries, retry throttling and anything else are carried over", () => {
  const retryPolicy = {
    maxAttempts: 4,
    initialBackoff: '0.1s',
    maxBackoff: '1s',
    backoffMultiplier: 2,
    retryableStatusCodes: ['UNAVAILABLE'],
  };
  const config = {
    methodConfig: [{ name: [{ service: 'hello.Hello', method: 'Hi' }], waitForReady: true, retryPolicy }, { name: [] }],
    retryThrottling: { maxTokens: 10, tokenRatio: 0.1 },
    loadBalancingPolicy: 'round_robin',
  };
  assert.deepEqual(read(config), { ...config, loadBalancingConfig: OURS });
});

const timeouts: [timeout: string, seconds: number, nanos: number][] = [
  ['1.5s', 1, 500_000_000],
  ['0.25s', 0, 250_000_000],
  ['1.000000001s', 1, 1],
  ['30s', 30, 0],
];
for (const [timeout, seconds, nanos] of timeouts)
  test(`a method's timeout of ${timeout} is ${seconds} s and ${nanos} ns`, () => {
    const { methodConfig } = read({ methodConfig: [{ name: [], timeout }] });
    assert.deepEqual(methodConfig, [{ name: [], timeout: { seconds, nanos } }]);
  });

test('a timeout in the form of a message is taken as it is', () => {
  const timeout = { seconds: 1, nanos: 5 };
  assert.deepEqual(read({ methodConfig: [{ name: [], timeout }] }).methodConfig, [{ name: [], timeout }]);
});

test("a balancer that the user names is the user's choice; an empty list names none", () => {
  const loadBalancingConfig = [{ round_robin: {} }];
  assert.deepEqual(read({ loadBalancingConfig }).loadBalancingConfig, loadBalancingConfig);
  assert.deepEqual(read({ loadBalancingConfig: [] }).loadBalancingConfig, OURS);
});
