import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EndpointSet } from '../../lib/balancer/endpoint-set.js';
import type { ListChange } from '../../lib/grpc/channel-context.js';
import type { GrpcEndpoint } from '../../lib/grpc/experimental.js';
import { HeadlessResolver } from '../../lib/grpc/resolver.js';
import { scene } from '../support/balancer-fixture.js';

const list = (hosts: string): GrpcEndpoint[] => [...hosts].map((host) => ({ addresses: [{ host, port: 1 }] }));

test('where the step to a list is known, only what changed is looked at', () => {
  const roster = new EndpointSet();
  const [a, b, c, d] = list('abcd') as [GrpcEndpoint, GrpcEndpoint, GrpcEndpoint, GrpcEndpoint];
  const first = [a, b, c];
  assert.deepEqual(roster.call(first, null).added, first);
  const looked: GrpcEndpoint[] = [];
  const watched = [a, b, d].map((endpoint) => ({
    get addresses() {
      looked.push(endpoint);
      return endpoint.addresses;
    },
  }));
  const call = roster.call(watched, { before: first, after: watched, added: [d], removed: [c] });
  assert.deepEqual([call.added, call.removed, looked], [[d], [c], []]);
});

test('a change that starts or ends elsewhere is not relied on', () => {
  const roster = new EndpointSet();
  const first = list('ab');
  const second = list('bc');
  roster.call(first, null);
  const wrong: ListChange[] = [
    { before: list('ab'), after: second, added: [], removed: [] },
    { before: first, after: list('bc'), added: [], removed: [] },
    { before: null, after: second, added: [], removed: [] },
  ];
  for (const change of wrong) {
    roster.call(first, null);
    assert.equal(roster.call(second, change).removed, null);
  }
});

/** Fewer pods than steps, so that many return while they drain. */
const hosts = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { minLength: 1 });
const step = fc.record({ hosts, up: hosts, waitMs: fc.constantFrom(0, 1, 40_000) });

test('by its changes or by whole lists, every sequence of sets leads to the same endpoints and the same picker', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const whole = scene();
      const byChange = scene();
      const resolver = new HeadlessResolver(
        byChange.link,
        (given) => {
          assert.ok(given.ok);
          return byChange.giveList(given.value);
        },
        {},
      );
      byChange.link.close();
      resolver.updateResolution();
      for (const { hosts, up, waitMs } of steps) {
        whole.give(hosts);
        byChange.poller.report(hosts);
        for (const { helper } of [whole, byChange])
          for (const name of up)
            helper.made.findLast(({ address, refs }) => refs > 0 && address[0] === name)?.become('READY');
        for (const { clock } of [whole, byChange]) await clock.advance(waitMs);
        assert.deepEqual(byChange.states(), whole.states());
        assert.equal(byChange.held(), whole.held());
        assert.equal(byChange.last().state, whole.last().state);
        if (whole.last().state === 'READY') assert.equal(byChange.serving(), whole.serving());
      }
    }),
  );
});

test('a list that names a pod twice, as only a foreign resolver could, makes one endpoint', () => {
  const { give, made } = scene();
  give('abab');
  assert.equal(made(), 'ab');
});
