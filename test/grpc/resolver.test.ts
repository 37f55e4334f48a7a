import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { DnsError } from '../../lib/errors.js';
import { CHANNEL_CONTEXT_KEY } from '../../lib/grpc/channel-context.js';
import type { GrpcEndpoint, ResolverListener } from '../../lib/grpc/experimental.js';
import { HeadlessResolver } from '../../lib/grpc/resolver.js';
import { fakeLink } from '../support/fake-channel-context.js';

const NXDOMAIN = new DnsError('ERR_HEADLESS_DNS_NXDOMAIN', 'no such name', { hostname: 'svc.ns' });

type Told = Parameters<ResolverListener>;

/** A resolver that was asked for addresses once, and what it told grpc-js since. */
function scene(config?: object) {
  const { link, poller } = fakeLink({ port: 7 });
  const told: Told[] = [];
  const listener: ResolverListener = (...args) => {
    told.push(args);
    return true;
  };
  const options = config ? { 'grpc.service_config': JSON.stringify(config) } : {};
  const resolver = new HeadlessResolver(link, listener, options);
  resolver.updateResolution();
  /** What was told last: endpoints or the error's details. */
  const last = (): GrpcEndpoint[] | string => {
    const [list] = told.at(-1) ?? assert.fail('nothing was told');
    return list.ok ? list.value : (list.error.details ?? '');
  };
  return { link, poller, resolver, told, last };
}

const endpoint = (host: string) => ({ addresses: [{ host, port: 7 }] });

test('grpc-js is told the whole set, with the port, the link and a config that names our balancer', () => {
  const methodConfig = [{ name: [{}], waitForReady: true }];
  const { poller, told, last, link } = scene({ methodConfig });
  poller.report(['a', 'b']);
  assert.deepEqual(last(), [endpoint('a'), endpoint('b')]);
  const [, attributes, config, note] = told[0] ?? assert.fail();
  assert.equal(attributes[CHANNEL_CONTEXT_KEY], link);
  assert.deepEqual(config, { ok: true, value: { loadBalancingConfig: [{ headless: {} }], methodConfig } });
  assert.equal(note, '');
});

test('the same array again is not told again, with or without trouble (faults 23, 24 and 28)', () => {
  const { poller, told } = scene();
  const set = ['a', 'b'];
  poller.report(set);
  poller.report(set);
  poller.report(set, NXDOMAIN);
  assert.equal(told.length, 1);
});

test('a pod that stays keeps its endpoint object, so that grpc-js has nothing to compare', () => {
  const { poller, last } = scene();
  poller.report(['a', 'b']);
  const [, b] = last() as GrpcEndpoint[];
  poller.report(['b', 'c']);
  assert.equal((last() as GrpcEndpoint[])[0], b);
});

test('without any address grpc-js is told the cause, each time, until there is one (fault 25)', () => {
  const { poller, told, last } = scene();
  poller.report([], NXDOMAIN);
  poller.report([], NXDOMAIN);
  assert.equal(told.length, 2);
  const [list] = told[0] ?? assert.fail();
  assert.ok(!list.ok && list.error.code === status.UNAVAILABLE);
  assert.equal(last(), 'no such name');
  poller.report(['a']);
  assert.deepEqual(last(), [endpoint('a')]);
});

test('a set that was emptied is told as an empty set, with the cause as its note (fault 24)', () => {
  const { poller, told, last } = scene();
  poller.report(['a']);
  poller.report([], NXDOMAIN);
  assert.deepEqual(last(), []);
  assert.equal(told[1]?.[3], 'no such name');
});

test('asked again it passes on a hint, and keeps one subscription', () => {
  const { poller, resolver } = scene();
  resolver.updateResolution();
  resolver.updateResolution();
  assert.deepEqual([poller.subscribers, poller.hints], [1, 2]);
});

test('destroyed it hears nothing more; asked again it wakes and tells the same set anew', () => {
  const { poller, resolver, told, link } = scene();
  const set = ['a'];
  poller.report(set);
  resolver.destroy();
  assert.deepEqual([poller.subscribers, link.isOpen], [0, false]);
  poller.report(['b']);
  resolver.updateResolution();
  poller.report(set);
  assert.equal(told.length, 2);
});

test('the observer hears every report before grpc-js does', () => {
  const { poller, link, told } = scene();
  const heard: number[] = [];
  link.observer = () => void heard.push(told.length);
  const set = ['a'];
  poller.report(set);
  poller.report(set);
  assert.deepEqual(heard, [0, 1]);
});

test('a closed link takes hints and refreshes without a word, and prints as its authority alone', async () => {
  const { link, resolver, poller } = scene();
  resolver.destroy();
  link.requestReresolution();
  link.setReady(true);
  await link.refresh();
  assert.deepEqual([poller.hints, poller.ready], [0, null]);
  assert.equal(JSON.stringify({ link }), '{"link":{"authority":"svc.ns:50051"}}');
});
