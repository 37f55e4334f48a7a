import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import { HeadlessChannel } from '../../lib/channel.js';
import { createHeadlessClient } from '../../lib/client.js';
import { registerHeadless } from '../../lib/compose.js';
import type { HeadlessError } from '../../lib/errors.js';
import { checkPlacement } from '../../lib/options/placement.js';
import { SCHEMA } from '../../lib/options/schema.js';
import { covers } from '../faults/covers.js';
import { HelloClient } from '../support/hello-service.js';

const insecure = credentials.createInsecure();
const GROUPS = Object.keys(SCHEMA);

const misspelt = ['headles', 'Headless', 'headlesss', 'haedless', 'head-less', 'head_less', 'hedles', 'headerless'];
for (const key of misspelt)
  test(`an option ${key} is refused, and "headless" is named`, covers(47), () => {
    assert.throws(() => checkPlacement({ [key]: { refresh: { intervalMs: 500 } } }, SCHEMA), {
      code: 'ERR_HEADLESS_OPTION',
      message: new RegExp(
        `^option "${key}" \\(value \\{"refresh":\\{"intervalMs":500\\}\\}\\) is unknown \\(did you mean "headless"\\?\\).*write headless: \\{ … \\}$`,
      ),
    });
  });

for (const group of GROUPS)
  test(`an option ${group} beside grpc-js's is refused, and its place is named`, covers(47), () => {
    for (const value of [{}, 'keep', true])
      assert.throws(() => checkPlacement({ [group]: value }, SCHEMA), {
        code: 'ERR_HEADLESS_OPTION',
        message: new RegExp(
          `^option "${group}" \\(value .*would be ignored here.*write headless: \\{ ${group}: … \\}$`,
        ),
      });
  });

const nearGroups: [key: string, group: string, value?: object][] = [
  ['refesh', 'refresh'],
  ['rerfesh', 'refresh'],
  ['Refresh', 'refresh'],
  ['refresh.intervalMs', 'refresh'],
  ['balanse', 'balance'],
  ['balancer', 'balance'],
  ['DNS', 'dns'],
  ['dsn', 'dns', { servers: ['10.96.0.10'] }],
  ['drian', 'drain', { lingerMs: 1 }],
  ['refrsehs', 'refresh', { intervalMs: 500 }],
];
for (const [key, group, value = {}] of nearGroups)
  test(`an option ${key} is refused, and headless.${group} is named`, covers(47), () => {
    assert.throws(() => checkPlacement({ [key]: value }, SCHEMA), {
      code: 'ERR_HEADLESS_OPTION',
      message: new RegExp(`write headless: \\{ ${group}: … \\}$`),
    });
  });

test(
  'one edit away from "headless" is refused whatever it holds, two edits where it holds our options',
  covers(47),
  () => {
    for (const key of ['headles', 'headlees', 'haedless'])
      assert.throws(() => checkPlacement({ [key]: 1 }, SCHEMA), { code: 'ERR_HEADLESS_OPTION' });
    for (const key of ['hedles', 'headers']) {
      checkPlacement({ [key]: { 'x-name': 'value' } }, SCHEMA);
      assert.throws(() => checkPlacement({ [key]: { dns: {} } }, SCHEMA), { code: 'ERR_HEADLESS_OPTION' });
    }
  },
);

test('options with dots under our key are refused: they are written as objects', covers(47), () => {
  assert.throws(() => checkPlacement({ 'headless.refresh.intervalMs': 500 }, SCHEMA), {
    message: /^option "headless\.refresh\.intervalMs" \(value 500\).*write headless: \{ … \}$/,
  });
});

const beside: [key: string, value: unknown, remedy: string][] = [
  ['intervalMs', 1_000, 'headless: { refresh: { intervalMs: … } } or headless: { outlier: { intervalMs: … } }'],
  ['minIntervalMs', '1s', 'headless: { refresh: { minIntervalMs: … } }'],
  ['policy', 'round_robin', 'headless: { balance: { policy: … } }'],
  ['choices', 4, 'headless: { balance: { choices: … } }'],
  ['lookup', async () => ({ addresses: [], ttlMs: 0 }), 'headless: { dns: { lookup: … } }'],
  ['resolvConf', '/etc/resolv.conf', 'headless: { dns: { resolvConf: … } }'],
  ['lingerMs', 0, 'headless: { drain: { lingerMs: … } }'],
  ['consecutiveFailures', 3, 'headless: { outlier: { consecutiveFailures: … } }'],
];
for (const [key, value, remedy] of beside)
  test(`an option ${key} beside grpc-js's is refused, and its group is named`, covers(47), () => {
    assert.throws(
      () => checkPlacement({ [key]: value }, SCHEMA),
      (error: HeadlessError) => {
        assert.equal(error.code, 'ERR_HEADLESS_OPTION');
        assert.match(error.message, new RegExp(`^option "${key}" \\(value .*\\) would be ignored here: `));
        assert.ok(error.message.endsWith(`; write ${remedy}`), error.message);
        return true;
      },
    );
  });

test('names that other libraries have, too, are left alone where the value is none of ours', () => {
  checkPlacement({ policy: { maxAttempts: 3 }, lookup: 'dns', choices: ['a'], jitter: true, ndots: -1 }, SCHEMA);
  checkPlacement(
    { timeoutMs: 5, attempts: 3, codes: [], size: 1, key: 'a', service: 'x', servers: [], ttl: 1 },
    SCHEMA,
  );
  checkPlacement({ IntervalMs: 1, interval: 1, mode: 'pin', name: 'us-west-2a', family: 4, search: 'x' }, SCHEMA);
});

test("grpc-js's own options, and those of other libraries, are left alone", () => {
  const others = {
    headless: {},
    'grpc.headless': 1,
    'grpc.refresh': 1,
    'grpc-node.headles': 1,
    'grpc.keepalive_time_ms': 1,
    'grpc.service_config': '{}',
    interceptors: [],
    callInvocationTransformer: null,
    // Of @grpc/proto-loader, NestJS, nice-grpc, google-gax.
    keepCase: true,
    longs: String,
    defaults: true,
    oneofs: true,
    includeDirs: [],
    url: 'svc.ns:1',
    package: 'hello',
    protoPath: 'hello.proto',
    loader: {},
    channelOptions: {},
    maxSendMessageLength: 1,
    keepalive: {},
    gracefulShutdown: true,
    credentials: insecure,
    servicePath: 'x',
    // Near to a short name of ours, and words of their own.
    tls: true,
    ssl: true,
    node: { name: 'a' },
    mode: 'b',
    name: 'c',
    host: 'd',
    port: 1,
    timeout: 2,
    headers: {},
    header: {},
    train: 1,
    reload: 1,
  };
  checkPlacement(others, SCHEMA);
});

test('a key whose value is undefined is no option', () => {
  checkPlacement({ headles: undefined, refresh: undefined }, SCHEMA);
});

test('all three doors refuse a key that grpc-js would ignore, and leave its own alone', covers(47), () => {
  registerHeadless();
  const doors: ((options: object) => { close(): void })[] = [
    (options) => new HeadlessChannel('svc.ns:1', insecure, options),
    (options) => createHeadlessClient(HelloClient, 'svc.ns:1', insecure, options),
    (options) => new HelloClient('headless:///svc.ns:1', insecure, options),
  ];
  for (const open of doors) {
    open({ 'grpc.keepalive_time_ms': 10_000, 'grpc-node.max_session_memory': 10, somethingElse: 1 }).close();
    for (const options of [{ headles: {} }, { refresh: { intervalMs: 500 } }])
      assert.throws(
        () => open(options),
        (error: HeadlessError) => error.code === 'ERR_HEADLESS_OPTION' && /"headless"/.test(error.message),
      );
  }
});
