import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials, type status as Status, status } from '@grpc/grpc-js';
import { HeadlessChannel, type HeadlessOptions } from '../../lib/index.js';
import '../../lib/register.js';
import { covers } from '../faults/covers.js';
import { Cluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { HelloClient, sayHi } from '../support/hello-service.js';
import { type Defer, leakCheck } from '../support/leak-check.js';
import type { Pod } from '../support/pod.js';

const insecure = credentials.createInsecure();
const AT_ONCE = 50;

interface Fixture {
  readonly client: HelloClient;
  readonly good: Pod;
  readonly broken: Pod;
}

type Retries = { readonly headless: HeadlessOptions } | { readonly config: object };

/** Two pods, both connected, of which one answers every call with the same failure. */
async function setUp(
  defer: Defer,
  retries: Retries,
  balance: NonNullable<HeadlessOptions['balance']>,
  code: Status,
): Promise<Fixture> {
  const cluster = await Cluster.start(defer, { pods: 2 });
  const [good, broken] = cluster.pods;
  if (!good || !broken) throw new Error('two pods were started');
  await broken.behave({ failWith: code });
  const own = 'headless' in retries ? retries.headless : {};
  const channel = new HeadlessChannel(cluster.target, insecure, {
    headless: cluster.headless({ ...own, balance }),
    ...('config' in retries ? { 'grpc.service_config': JSON.stringify(retries.config) } : {}),
  });
  const client = new HelloClient(cluster.target, insecure, { channelOverride: channel });
  defer(() => client.close());
  channel.getConnectivityState(true);
  await eventually(() => {
    const { endpoints } = channel.snapshot();
    assert.deepEqual(
      endpoints.map(({ state }) => state),
      ['ready', 'ready'],
    );
  });
  return { client, good, broken };
}

/** Failed calls. */
async function failuresOf(client: HelloClient, calls: number): Promise<number> {
  let left = calls;
  let failed = 0;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await sayHi(client, { deadline: Date.now() + 60_000 }).catch(() => (failed += 1));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return failed;
}

function configOf(policy: object): { config: object } {
  return { config: { methodConfig: [{ name: [{ service: 'hello.Hello' }], ...policy }] } };
}

const retryPolicy = {
  maxAttempts: 2,
  initialBackoff: '0.01s',
  maxBackoff: '0.1s',
  backoffMultiplier: 1,
  retryableStatusCodes: ['UNAVAILABLE'],
};

const hedgingPolicy = { maxAttempts: 2, hedgingDelay: '5s', nonFatalStatusCodes: ['UNAVAILABLE'] };

const RETRIES: [name: string, retries: Retries, calls: number][] = [
  ['the option retry', { headless: { retry: { attempts: 2 } } }, 10_000],
  ["the user's retry policy", configOf({ retryPolicy }), 3_000],
  ["the user's hedging policy", configOf({ hedgingPolicy }), 3_000],
];

for (const policy of ['least_request', 'round_robin'] as const)
  for (const [name, retries, calls] of RETRIES)
    test(
      `of ${calls} calls none fails with one of two pods failing all, by ${name} and ${policy}`,
      covers(60),
      async (t) => {
        const { client, good, broken } = await setUp(leakCheck(t), retries, { policy }, status.UNAVAILABLE);
        assert.equal(await failuresOf(client, calls), 0);
        assert.equal(good.calls, calls);
        assert.ok(broken.calls > 0, 'the broken pod was tried all along');
      },
    );

test('without retries the calls on the failing pod fail', async (t) => {
  const { client, broken } = await setUp(leakCheck(t), { headless: {} }, { policy: 'round_robin' }, status.UNAVAILABLE);
  const failed = await failuresOf(client, 200);
  assert.ok(failed > 0);
  assert.equal(failed, broken.calls);
});

test('the option retry tries again on the codes that it names, and on no others', async (t) => {
  const retry = { attempts: 2, codes: ['RESOURCE_EXHAUSTED'] };
  const balance = { policy: 'round_robin' } as const;
  const defer = leakCheck(t);
  const { client, broken } = await setUp(defer, { headless: { retry } }, balance, status.RESOURCE_EXHAUSTED);
  assert.equal(await failuresOf(client, 200), 0);
  broken.behave({ failWith: status.UNAVAILABLE });
  assert.ok((await failuresOf(client, 200)) > 0);
});

test('the hedges of a call go to different pods', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 3, pod: { hang: true } });
  const client = new HelloClient(`headless:///${cluster.target}`, insecure, {
    headless: cluster.headless(),
    'grpc.service_config': JSON.stringify(
      configOf({ hedgingPolicy: { maxAttempts: 3, hedgingDelay: '0.02s' } }).config,
    ),
  });
  defer(() => client.close());
  // The first calls may find fewer pods connected.
  await eventually(async () => {
    const before = cluster.pods.map((pod) => pod.calls);
    await sayHi(client, { deadline: Date.now() + 500 }).catch(() => {});
    assert.deepEqual(
      cluster.pods.map((pod, index) => pod.calls - (before[index] ?? 0)),
      [1, 1, 1],
    );
  });
});

test('the attempts of a call avoid each other also below outlier detection', async (t) => {
  const defer = leakCheck(t);
  const outlier_detection = { child_policy: [{ headless: {} }] };
  const config = { ...configOf({ retryPolicy }).config, loadBalancingConfig: [{ outlier_detection }] };
  const { client } = await setUp(defer, { config }, { policy: 'round_robin' }, status.UNAVAILABLE);
  assert.equal(await failuresOf(client, 500), 0);
});

test('channels with retries share the connections of channels without', async (t) => {
  const defer = leakCheck(t);
  const cluster = await Cluster.start(defer, { pods: 1 });
  for (const retry of [{}, { retry: { attempts: 2 } }]) {
    const client = new HelloClient(`headless:///${cluster.target}`, insecure, { headless: cluster.headless(retry) });
    defer(() => client.close());
    await sayHi(client);
  }
  assert.equal(cluster.pods[0]?.stats().accepted, 1);
});
