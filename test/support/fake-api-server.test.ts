import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { FakeApiServer } from './fake-api-server.js';
import { leakCheck } from './leak-check.js';

const SLICES = 'namespaces/test/endpointslices?labelSelector=kubernetes.io/service-name=hello';

async function setUp(t: TestContext) {
  const defer = leakCheck(t);
  const api = await FakeApiServer.start();
  defer(() => api.close());
  return {
    api,
    /** The events of a watch: their types, and the addresses of each. */
    async watch(path: string): Promise<() => Promise<[type: string, ips: string[]]>> {
      const ended = new AbortController();
      const { body } = await fetch(`${api.url}/apis/discovery.k8s.io/v1/${path}`, { signal: ended.signal });
      assert.ok(body);
      const stream = Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
      // The watch is ended by the test.
      stream.on('error', () => {});
      defer(() => ended.abort());
      const lines = createInterface({ input: stream })[Symbol.asyncIterator]();
      return async () => {
        const { type, object } = JSON.parse((await lines.next()).value) as {
          type: string;
          object: { endpoints?: { addresses: string[] }[] };
        };
        return [type, (object.endpoints ?? []).flatMap(({ addresses }) => addresses)];
      };
    },
  };
}

for (const [form, path] of [
  ['by its parameter', `${SLICES}&watch=true`],
  ['by the older path', `watch/${SLICES}`],
] as const)
  test(`a watch without a version, asked ${form}, begins with the slices that are there`, async (t) => {
    const { api, watch } = await setUp(t);
    api.publish(['127.0.0.1']);
    api.publish(['127.0.0.2']);
    api.set('gone', { endpoints: [] });
    api.delete('gone');
    api.expire({ tell: false });
    const next = await watch(path);
    assert.deepEqual(await next(), ['ADDED', ['127.0.0.2']]);
    api.publish(['127.0.0.2', '127.0.0.3']);
    assert.deepEqual(await next(), ['MODIFIED', ['127.0.0.2', '127.0.0.3']]);
    assert.deepEqual([api.count('watch'), api.count('list'), api.watches], [1, 0, 1]);
  });

test('a watch from a version begins with the events after it', async (t) => {
  const { api, watch } = await setUp(t);
  api.publish(['127.0.0.1']);
  api.publish(['127.0.0.2']);
  const list = await fetch(`${api.url}/apis/discovery.k8s.io/v1/${SLICES}`);
  const { metadata } = (await list.json()) as { metadata: { resourceVersion: string } };
  api.publish(['127.0.0.3']);
  const next = await watch(`${SLICES}&watch=true&resourceVersion=${metadata.resourceVersion}`);
  assert.deepEqual(await next(), ['MODIFIED', ['127.0.0.3']]);
});

test('a bookmark is sent to the watches that allow bookmarks', async (t) => {
  const { api, watch } = await setUp(t);
  const withBookmarks = await watch(`${SLICES}&watch=true&allowWatchBookmarks=true`);
  const without = await watch(`${SLICES}&watch=true`);
  api.bookmark();
  api.publish(['127.0.0.1']);
  assert.deepEqual(await withBookmarks(), ['BOOKMARK', []]);
  assert.deepEqual(await withBookmarks(), ['ADDED', ['127.0.0.1']]);
  assert.deepEqual(await without(), ['ADDED', ['127.0.0.1']]);
});
