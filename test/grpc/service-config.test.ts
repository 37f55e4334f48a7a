import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Channel, credentials } from '@grpc/grpc-js';
import { registerHeadless } from '../../lib/compose.js';
import { HeadlessLoadBalancingConfig } from '../../lib/grpc/load-balancer-adapter.js';
import { BALANCER_NAME, readServiceConfig, warnOfOtherBalancer } from '../../lib/grpc/service-config.js';

const OURS = [{ [BALANCER_NAME]: {} }];

function read(config: object | undefined) {
  return readServiceConfig(config && JSON.stringify(config)).config;
}

test('without a service config there is our balancer, and nothing else', () => {
  for (const text of [undefined, '', '{}'])
    assert.deepEqual(readServiceConfig(text).config, { loadBalancingConfig: OURS, methodConfig: [] });
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

function readBalancers(loadBalancingConfig: object[]) {
  const { config, otherBalancer } = readServiceConfig(JSON.stringify({ loadBalancingConfig }));
  return { list: config.loadBalancingConfig, otherBalancer };
}

test("a balancer that the user names is the user's choice, made by ours; an empty list names none", () => {
  const given = [{ round_robin: {} }];
  assert.deepEqual(readBalancers(given), {
    list: [{ [BALANCER_NAME]: { child_policy: given } }],
    otherBalancer: 'round_robin',
  });
  assert.deepEqual(readBalancers([]), { list: OURS, otherBalancer: null });
});

const outlier = { failure_percentage_ejection: {} };
const chosen: [what: string, given: object[], otherBalancer: string | null][] = [
  ['ours', [{ headless: {} }], null],
  ['ours under outlier_detection', [{ outlier_detection: { ...outlier, child_policy: [{ headless: {} }] } }], null],
  ['ours after a name that grpc-js has no balancer of', [{ unknown: {} }, { headless: {} }], null],
  ['another before ours', [{ round_robin: {} }, { headless: {} }], 'round_robin'],
  [
    'another under outlier_detection',
    [{ outlier_detection: { ...outlier, child_policy: [{ round_robin: {} }] } }],
    'outlier_detection',
  ],
  ['a name that grpc-js has no balancer of', [{ unknown: {} }], 'pick_first'],
  ['a form that grpc-js cannot read', [{ outlier_detection: { childPolicy: [{ headless: {} }] } }], 'pick_first'],
];
for (const [what, given, otherBalancer] of chosen)
  test(`with ${what} in the list, ${otherBalancer ?? 'our balancer'} balances`, () => {
    registerHeadless();
    const { list, otherBalancer: found } = readBalancers(given);
    assert.equal(found, otherBalancer);
    assert.deepEqual(list, otherBalancer === null ? given : [{ headless: { child_policy: given } }]);
  });

test('another balancer is warned of once, by its name and with the remedy', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  for (const name of ['one', 'one', 'two', 'one']) warnOfOtherBalancer(name);
  await setImmediate();
  process.off('warning', onWarning);
  assert.deepEqual(
    warnings.map((warning) => (warning as NodeJS.ErrnoException).code),
    ['GRPC_HEADLESS_BALANCER', 'GRPC_HEADLESS_BALANCER'],
  );
  assert.match(
    String(warnings[0]),
    /"one" balances the calls in the place of grpc-headless.*Delete loadBalancingConfig/,
  );
  assert.match(String(warnings[1]), /"two"/);
});

test('where grpc-js can use no balancer of the list, the warning names those, and our policy that was meant', async () => {
  registerHeadless();
  const list = [{ least_request: { choice_count: 2 } }, { unknown: {} }];
  const { otherBalancer, unusable } = readServiceConfig(JSON.stringify({ loadBalancingConfig: list }));
  assert.deepEqual([otherBalancer, unusable], ['pick_first', ['least_request', 'unknown']]);
  for (const known of [
    [{ round_robin: {} }],
    [{ unknown: {} }, { headless: {} }],
    [{ unknown: {} }, { pick_first: {} }],
  ])
    assert.deepEqual(readServiceConfig(JSON.stringify({ loadBalancingConfig: known })).unusable, []);
  const warned = once(process, 'warning');
  warnOfOtherBalancer('pick_first', unusable);
  assert.match(
    String(await warned),
    /grpc-js has no balancer "least_request", "unknown", or cannot read its settings, and so takes its default: grpc-js's "pick_first".*headless: \{ balance: \{ policy: 'least_request' \} \} chooses/,
  );
});

test('an unknown member of our balancer is refused where grpc-js reads the config, too', () => {
  assert.throws(() => HeadlessLoadBalancingConfig.createFromJson({ nonsense: true } as never), {
    code: 'ERR_HEADLESS_OPTION',
    message: /headless\.nonsense/,
  });
  assert.equal(HeadlessLoadBalancingConfig.createFromJson().other, null);
});

const OUR_RETRIES = {
  maxAttempts: 3,
  initialBackoff: '0.02s',
  maxBackoff: '1s',
  backoffMultiplier: 2,
  retryableStatusCodes: ['ABORTED'],
};

test("the option retry is every method's retry policy, but for those to which the user gives a policy", () => {
  const own = { ...OUR_RETRIES, maxAttempts: 5 };
  const hedgingPolicy = { maxAttempts: 2 };
  const methodConfig = [
    { name: [{ service: 'a.A' }], retryPolicy: own },
    { name: [{ service: 'b.B' }], hedgingPolicy },
    { name: [{ service: 'c.C' }], timeout: '1s' },
  ];
  const { config } = readServiceConfig(JSON.stringify({ methodConfig }), { attempts: 3, codes: ['ABORTED'] });
  assert.deepEqual(config.methodConfig, [
    methodConfig[0],
    methodConfig[1],
    { name: [{ service: 'c.C' }], timeout: { seconds: 1, nanos: 0 }, retryPolicy: OUR_RETRIES },
    { name: [{}], retryPolicy: OUR_RETRIES },
  ]);
});

test('the retry policy that the option makes is one that grpc-js finds valid', () => {
  const { methodConfig } = readServiceConfig(undefined, { attempts: 2, codes: ['UNAVAILABLE'] }).config;
  const options = { 'grpc.service_config': JSON.stringify({ methodConfig }) };
  new Channel('dns:///svc:1', credentials.createInsecure(), options).close();
});
