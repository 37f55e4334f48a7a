import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChannelOptions, status } from '@grpc/grpc-js';
import { DnsError } from '../../lib/errors.js';
import { CHANNEL_CONTEXT_KEY } from '../../lib/grpc/channel-context.js';
import {
  CONFIG_SELECTOR_KEY,
  type ConfigSelector,
  type GrpcEndpoint,
  type ResolverListener,
} from '../../lib/grpc/experimental.js';
import { HeadlessResolver } from '../../lib/grpc/resolver.js';
import type { RetrySettings } from '../../lib/grpc/service-config.js';
import { covers } from '../faults/covers.js';
import { fakeContext } from '../support/fake-channel-context.js';

const NXDOMAIN = new DnsError('ERR_HEADLESS_DNS_NXDOMAIN', 'no such name', { hostname: 'svc.ns' });

type Told = Parameters<ResolverListener>;

/** A resolver that was asked for addresses once, and what it told grpc-js since. */
function resolverFixture(config?: object, more: ChannelOptions = {}, retry: RetrySettings | null = null) {
  const { context, source, events } = fakeContext({ port: 7, retry });
  const told: Told[] = [];
  const listener: ResolverListener = (...args) => {
    told.push(args);
    return true;
  };
  const options = config ? { ...more, 'grpc.service_config': JSON.stringify(config) } : more;
  const resolver = new HeadlessResolver(context, listener, options);
  resolver.updateResolution();
  /** What was told last: endpoints or the error's details. */
  const last = (): GrpcEndpoint[] | string => {
    const [list] = told.at(-1) ?? assert.fail('nothing was told');
    return list.ok ? list.value : (list.error.details ?? '');
  };
  return { context, source, events, resolver, told, last };
}

const endpoint = (host: string) => ({ addresses: [{ host, port: 7 }] });

test('grpc-js is told the whole set, with the port, the context and a config that names our balancer', () => {
  const methodConfig = [{ name: [{}], waitForReady: true }];
  const { source, told, last, context } = resolverFixture({ methodConfig });
  source.report(['a', 'b']);
  assert.deepEqual(last(), [endpoint('a'), endpoint('b')]);
  const [, attributes, config, note] = told[0] ?? assert.fail();
  assert.equal(typeof (attributes[CONFIG_SELECTOR_KEY] as ConfigSelector).invoke, 'function');
  assert.equal(attributes[CHANNEL_CONTEXT_KEY], context);
  assert.deepEqual(config, { ok: true, value: { loadBalancingConfig: [{ headless: {} }], methodConfig } });
  assert.equal(note, '');
});

test('the same set again is not told again, shuffled or not, with or without an error', covers(23, 24, 28), () => {
  const { source, told } = resolverFixture();
  const set = ['a', 'b'];
  source.report(set);
  source.report(['b', 'a']);
  source.report(set, NXDOMAIN);
  assert.equal(told.length, 1);
});

test('without any address grpc-js is told the cause, each time, until there is one', covers(25), () => {
  const { source, told, last } = resolverFixture();
  source.report([], NXDOMAIN);
  source.report([], NXDOMAIN);
  assert.equal(told.length, 2);
  const [list] = told[0] ?? assert.fail();
  assert.ok(!list.ok && list.error.code === status.UNAVAILABLE);
  assert.equal(last(), 'no such name');
  source.report(['a']);
  assert.deepEqual(last(), [endpoint('a')]);
});

test('a set that was emptied is told as an empty set, with the cause as its note', covers(24), () => {
  const { source, told, last } = resolverFixture();
  source.report(['a']);
  source.report([], NXDOMAIN);
  assert.deepEqual(last(), []);
  assert.equal(told[1]?.[3], 'no such name');
});

test('asked again it requests a re-resolution, and keeps one subscription', () => {
  const { source, resolver } = resolverFixture();
  resolver.updateResolution();
  resolver.updateResolution();
  assert.deepEqual([source.subscribers, source.requests], [1, 2]);
});

test('once destroyed it is told nothing more; asked again it wakes and tells the same set anew', () => {
  const { source, resolver, told, context } = resolverFixture();
  const set = ['a'];
  source.report(set);
  resolver.destroy();
  assert.deepEqual([source.subscribers, context.isOpen], [0, false]);
  source.report(['b']);
  resolver.updateResolution();
  source.report(set);
  assert.equal(told.length, 2);
});

test('events are emitted before grpc-js is told, and the set only when it changed', () => {
  const { source, context, events, told } = resolverFixture();
  const before: [kind: string, told: number][] = [];
  events.push = (event) => before.push([event.kind, told.length]);
  source.report(['a']);
  source.report(['a'], NXDOMAIN);
  source.report(['a']);
  assert.deepEqual(before, [
    ['addresses_changed', 0],
    ['resolution_failed', 1],
  ]);
  context.close();
});

test('requests on a closed context do nothing, and it prints as its authority alone', async () => {
  const { context, resolver, source } = resolverFixture();
  resolver.destroy();
  context.requestReresolution();
  context.setReady(true);
  await context.refresh();
  assert.deepEqual([source.requests, source.ready], [0, null]);
  assert.equal(JSON.stringify({ context }), '{"context":{"authority":"svc.ns:7"}}');
});

test('the fallback of a zone is an event when it begins and when it ends', () => {
  const { source, context, events } = resolverFixture();
  const tell = (zoneFallback: string | null): void =>
    source.tell({ addresses: [{ host: 'a', port: 1 }], changed: false, error: null, zoneFallback });
  for (const zone of [null, 'eu-1a', 'eu-1a', null, null]) tell(zone);
  assert.deepEqual(events, [
    { kind: 'zone_fallback', zone: 'eu-1a', active: true },
    { kind: 'zone_fallback', zone: 'eu-1a', active: false },
  ]);
  context.close();
});

const RETRY: RetrySettings = { attempts: 2, codes: ['UNAVAILABLE'] };

test('with the option retry calls may have several attempts, by the same config selector at every set', () => {
  const { source, told, context } = resolverFixture(undefined, {}, RETRY);
  source.report(['a']);
  source.report(['a', 'b']);
  const [first, second] = told.map(([, attributes]) => attributes[CONFIG_SELECTOR_KEY]);
  assert.ok(first !== undefined && first === second);
  const [, , config] = told[0] ?? assert.fail();
  assert.ok(config?.ok && config.value.methodConfig[0]?.retryPolicy?.maxAttempts === 2);
  assert.equal(context.hasSeveralAttempts, true);
});

const singleAttempts: Record<string, Parameters<typeof resolverFixture>> = {
  'no method has a policy': [{ methodConfig: [{ name: [{}], waitForReady: true }] }],
  'retries are turned off': [undefined, { 'grpc.enable_retries': 0 }, RETRY],
  'another balancer picks': [{ loadBalancingConfig: [{ round_robin: {} }] }, {}, RETRY],
};
for (const [reason, given] of Object.entries(singleAttempts))
  test(`our balancer avoids no pods for retries where ${reason}`, () => {
    assert.equal(resolverFixture(...given).context.hasSeveralAttempts, false);
  });
