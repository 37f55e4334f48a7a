/** Proxies of the environment: the same rulings as grpc-js's own code makes. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Environment, isExcluded, proxyOf } from '../lib/proxy.js';

const { mapProxyName } = createRequire(import.meta.url)('@grpc/grpc-js/build/src/http_proxy.js') as {
  mapProxyName(target: { scheme: string; path: string }, options: object): { target: { scheme: string } };
};
const VARIABLES = ['grpc_proxy', 'https_proxy', 'http_proxy', 'no_grpc_proxy', 'no_proxy'] as const;

/** Whether grpc-js itself maps a target of this host to a proxy's, in a process with this environment. */
function isProxied(env: Environment, host: string): boolean {
  const before = VARIABLES.map((name) => process.env[name]);
  const put = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const name of VARIABLES) put(name, env[name]);
  try {
    const path = host.includes(':') ? `[${host}]:50051` : `${host}:50051`;
    return mapProxyName({ scheme: 'headless', path }, {}).target.scheme === 'dns';
  } finally {
    for (const [index, name] of VARIABLES.entries()) put(name, before[index]);
  }
}

const host = fc.oneof(
  fc.constantFrom(
    'hello.shop',
    'hello.shop.svc.cluster.local',
    'hello.shop.svc.cluster.local.',
    'localhost',
    'fd00::1',
  ),
  fc.ipV4(),
  fc.constantFrom('10.1.2.3', '127.0.0.1', '192.168.0.1'),
);
const entry = fc.oneof(
  fc.constantFrom(
    '.svc',
    '.cluster.local',
    '.cluster.local.',
    'hello.shop',
    'localhost',
    '',
    ' .svc',
    '*',
    '::1',
    '10.0.0.0/8',
  ),
  fc
    .tuple(fc.constantFrom('10.0.0.0', '10.1.2.0', '127.0.0.1', '0.0.0.0', 'x'), fc.integer({ min: -1, max: 33 }))
    .map(([base, bits]) => `${base}/${bits}`),
  fc.constantFrom('10.0.0.0/8x', '10.0.0.0/', '10.0.0.0/8/8', '10.1.2.3'),
);
const list = fc.option(
  fc.array(entry, { maxLength: 3 }).map((entries) => entries.join(',')),
  { nil: undefined },
);
const proxy = fc.option(
  fc.constantFrom(
    'http://127.0.0.1:9',
    'http://me:secret@p.example',
    'https://p:1',
    'p.example:3128',
    '127.0.0.1:9',
    '',
  ),
  { nil: undefined },
);

test('a target has a proxy exactly where grpc-js gives it one', () => {
  fc.assert(
    fc.property(
      host,
      fc.record({ grpc_proxy: proxy, https_proxy: proxy, http_proxy: proxy, no_grpc_proxy: list, no_proxy: list }),
      (name, env) => {
        assert.equal(proxyOf(env) !== null && !isExcluded(env, name), isProxied(env, name));
      },
    ),
    { numRuns: 2_000 },
  );
});

test('the final dot of a host is compared, and no_grpc_proxy hides no_proxy', () => {
  const env = { no_grpc_proxy: '.svc,.cluster.local', no_proxy: 'hello.shop' };
  assert.ok(isExcluded(env, 'hello.shop.svc.cluster.local'));
  assert.ok(!isExcluded(env, 'hello.shop.svc.cluster.local.'));
  assert.ok(!isExcluded(env, 'hello.shop'));
});
