import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { createConfigSelector } from '../../lib/grpc/config-selector.js';
import type { MethodConfig } from '../../lib/grpc/experimental.js';

const config = (...name: MethodConfig['name']): MethodConfig => ({ name });

const exact = config({ service: 'pkg.Greeter', method: 'Hello' });
const service = config({ service: 'pkg.Greeter' });
const other = config({ service: 'pkg.Other', method: 'Hello' }, { service: 'pkg.Third' });
const everything = config({});

const select = (configs: MethodConfig[], path: string): MethodConfig =>
  createConfigSelector({ loadBalancingConfig: [], methodConfig: configs }, () => {}).invoke(path, new Metadata(), 1)
    .methodConfig;

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

test('a call gets status OK, no information for its picks and no filters', () => {
  let released = 0;
  const selector = createConfigSelector({ loadBalancingConfig: [], methodConfig: [] }, () => {
    released += 1;
  });
  const { methodConfig: _config, ...rest } = selector.invoke('/a/b', new Metadata(), 1);
  assert.deepEqual(rest, { pickInformation: {}, status: status.OK, dynamicFilterFactories: [] });
  selector.unref();
  assert.equal(released, 1);
});
