import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { HeadlessChannel } from '../../lib/channel.js';
import { registerHeadless } from '../../lib/compose.js';
import { SCHEMA } from '../../lib/options/schema.js';
import { checkBalancerConfig, checkServiceConfig } from '../../lib/options/service-config.js';
import { channels } from '../../lib/telemetry/open-channels.js';
import { covers } from '../faults/covers.js';
import { HelloClient } from '../support/hello-service.js';

const insecure = credentials.createInsecure();

function refusal(check: () => void): string {
  try {
    check();
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 'ERR_HEADLESS_OPTION');
    return (error as Error).message;
  }
  throw new assert.AssertionError({ message: 'the config was accepted' });
}

const refusalOf = (value: unknown): string => refusal(() => checkServiceConfig(value, SCHEMA));

const START = "option grpc.service_config must be the JSON text of an object, which is gRPC's service config, such as ";
const noTexts: [value: unknown, end: RegExp][] = [
  [{ loadBalancingConfig: [] }, /\(use JSON\.stringify\), got \{"loadBalancingConfig":\[\]\}$/],
  [5, /, got 5$/],
  [true, /, got true$/],
  [new Map(), /, got a Map$/],
  ['null', /, got "null"$/],
  ['[]', /, got "\[\]"$/],
  ['"x"', /, got "\\"x\\""$/],
  ['{', /, got "\{": .+/],
  [`{"a":"${'x'.repeat(1_000)}`, /, got "\{\\"a\\":\\"x{100,160}…: .+/],
];
for (const [value, end] of noTexts)
  test(
    `the service config ${JSON.stringify(value).slice(0, 40)} is refused: what it must be and what was given are named`,
    covers(47),
    () => {
      const message = refusalOf(value);
      assert.ok(message.startsWith(START), message);
      assert.match(message, end);
      assert.ok(message.length < 500, message);
    },
  );

test('what grpc-js takes for no config is left alone', () => {
  for (const value of [undefined, null, '', false, '{}', '{"methodConfig":[]}', '{"loadBalancingConfig":5}'])
    checkServiceConfig(value, SCHEMA);
});

const members: [config: object, end: string][] = [
  [
    { policy: 'round_robin' },
    'headless.policy (value "round_robin"): it belongs among the channel\'s options: write headless: { balance: { policy: … } } there, and {} here',
  ],
  [{ balance: {} }, 'write headless: { balance: … } there, and {} here'],
  [
    { intervalMs: 1 },
    'write headless: { refresh: { intervalMs: … } } or headless: { outlier: { intervalMs: … } } there, and {} here',
  ],
  [
    { polcy: 'x' },
    ', did you mean "policy"?: it belongs among the channel\'s options: write headless: { balance: { policy: … } } there, and {} here',
  ],
  [
    { nonsense: true },
    'headless.nonsense (value true): loadBalancingConfig[0].headless must be {}; the options of grpc-headless stand under "headless" in the channel\'s options',
  ],
];
for (const [config, end] of members)
  test(
    `the member ${Object.keys(config)} of our balancer in a service config is refused, and its place is named`,
    covers(47),
    () => {
      const message = refusalOf(JSON.stringify({ loadBalancingConfig: [{ headless: config }] }));
      assert.ok(message.startsWith('unknown option grpc.service_config: loadBalancingConfig[0].headless.'), message);
      assert.ok(message.endsWith(end), message);
    },
  );

test('our balancer is checked under another one, too, and must be an object', covers(47), () => {
  const child_policy = [{ headless: { nonsense: 1 } }];
  const nested = JSON.stringify({ loadBalancingConfig: [{ other: {} }, { outlier_detection: { child_policy } }] });
  assert.match(refusalOf(nested), /loadBalancingConfig\[1\]\.outlier_detection\.child_policy\[0\]\.headless\.nonsense/);
  for (const config of [null, 5, [], 'x'])
    assert.match(
      refusalOf(JSON.stringify({ loadBalancingConfig: [{ headless: config }] })),
      /^option grpc\.service_config: loadBalancingConfig\[0\]\.headless must be \{\}, got /,
    );
});

test('other balancers keep their settings, and so does a method called headless', () => {
  const child_policy = [{ headless: {} }];
  const config = {
    loadBalancingConfig: [{ outlier_detection: { interval: '1s', child_policy } }, { headless: { child_policy: [] } }],
    methodConfig: [{ name: [{ service: 'headless' }], headless: { policy: 1 } }],
  };
  checkServiceConfig(JSON.stringify(config), SCHEMA);
  checkBalancerConfig({}, SCHEMA);
});

test('both doors refuse such a config at construction, and no channel stays open', covers(47), () => {
  registerHeadless();
  const before = channels().length;
  const config = JSON.stringify({ loadBalancingConfig: [{ headless: { policy: 'round_robin' } }] });
  const options = { 'grpc.service_config': config };
  assert.match(
    refusal(() => new HeadlessChannel('svc.ns:1', insecure, options)),
    /headless\.policy/,
  );
  assert.match(
    refusal(() => new HelloClient('headless:///svc.ns:1', insecure, options)),
    /headless\.policy/,
  );
  assert.match(
    refusal(() => new HeadlessChannel('svc.ns:1', insecure, { 'grpc.service_config': '{' })),
    /got "\{"/,
  );
  assert.equal(channels().length, before);
});
