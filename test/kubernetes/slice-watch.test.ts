/** The watch of one Service on a fake clock, against a real server. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { KubeConfigLike } from '../../lib/kubernetes/kube-config.js';
import { SliceWatch } from '../../lib/kubernetes/slice-watch.js';
import { eventually } from '../support/eventually.js';
import { FakeApiServer } from '../support/fake-api-server.js';
import { FakeClock, settle } from '../support/fake-clock.js';
import { leakCheck } from '../support/leak-check.js';

const NEVER = new Promise<never>(() => {});
const ANSWER_MS = 5_000;
const FLOOR_MS = 1_000;

interface Options {
  /** Before the watch begins. */
  readonly prepare?: (plugin: Plugin) => void;
  readonly load?: (config: KubeConfigLike) => Promise<KubeConfigLike>;
  /** Default `test`. */
  readonly namespace?: string | null;
}

/** What gives the credentials: requests wait for it. */
interface Plugin {
  gate: Promise<void>;
  calls: number;
}

async function start(t: TestContext, { prepare, load = async (config) => config, namespace = 'test' }: Options = {}) {
  const defer = leakCheck(t);
  const api = await FakeApiServer.start();
  defer(() => api.close());
  api.publish(['127.0.0.1']);
  const kubeConfig = api.kubeConfig();
  const plugin: Plugin = { gate: Promise.resolve(), calls: 0 };
  prepare?.(plugin);
  const config: KubeConfigLike = {
    getCurrentCluster: () => kubeConfig.getCurrentCluster(),
    getCurrentContext: () => kubeConfig.getCurrentContext(),
    getContextObject: (name) => kubeConfig.getContextObject(name),
    applyToHTTPSOptions: () => {
      plugin.calls += 1;
      return plugin.gate;
    },
  };
  const clock = new FakeClock();
  const watch = new SliceWatch(() => load(config), { service: 'hello', namespace }, { clock, random: () => 0 });
  const end = watch.subscribe(() => {});
  defer(end);
  return {
    api,
    plugin,
    clock,
    watch,
    end,
    lists: () => api.count('list'),
    watching: () => eventually(() => assert.ok(watch.usable && api.watches === 1)),
  };
}

/** How many of the promises are settled by now. */
async function settledOf(promises: readonly Promise<void>[]): Promise<number> {
  let count = 0;
  for (const promise of promises) void promise.then(() => count++);
  await settle();
  return count;
}

test('a plugin that never gives credentials fails the attempt after 5 s, and is asked again', async (t) => {
  const prepare = (plugin: Plugin): void => {
    plugin.gate = NEVER;
  };
  const { clock, plugin, watch, watching } = await start(t, { prepare });
  await clock.advance(ANSWER_MS - 1);
  assert.equal(watch.failures, 0);
  await clock.advance(1);
  assert.match(
    watch.error?.message ?? '',
    /test\/hello failed: the kubeConfig gave no credentials in time; its plugin/,
  );
  assert.equal(watch.failures, 1);
  assert.equal(watch.nextAttemptAt, clock.wallTime() + 250);
  await clock.advance(250);
  assert.equal(plugin.calls, 2);
  await clock.advance(ANSWER_MS);
  assert.equal(watch.failures, 2);
  plugin.gate = Promise.resolve();
  await clock.advance(500);
  await watching();
  assert.equal(watch.error, null);
});

test('a kubeConfig that is never loaded fails the attempt after 5 s, and is loaded again', async (t) => {
  let loads = 0;
  const load = async (config: KubeConfigLike): Promise<KubeConfigLike> => (++loads === 1 ? NEVER : config);
  const { clock, watch, watching } = await start(t, { load });
  await clock.advance(ANSWER_MS);
  assert.match(watch.error?.message ?? '', /the kubeConfig was not loaded in time/);
  await clock.advance(250);
  await watching();
});

test('credentials that fail after their time is over are no unhandled rejection', async (t) => {
  let fail: (error: Error) => void = () => {};
  const prepare = (plugin: Plugin): void => {
    plugin.gate = new Promise((_, reject) => {
      fail = reject;
    });
  };
  const { clock, watch } = await start(t, { prepare });
  await clock.advance(ANSWER_MS);
  fail(new Error('too late'));
  await settle();
  assert.equal(watch.failures, 1);
});

test('a watch that ends while its plugin hangs leaves no timer', async (t) => {
  const prepare = (plugin: Plugin): void => {
    plugin.gate = NEVER;
  };
  const { clock, end } = await start(t, { prepare });
  await settle();
  assert.equal(clock.timers, 1);
  end();
  await settle();
  assert.equal(clock.timers, 0);
});

test('a plugin that hangs while a watch runs fails its successor after 5 s', async (t) => {
  const { api, clock, plugin, watch, watching } = await start(t);
  await watching();
  await clock.advance(2_000);
  plugin.gate = NEVER;
  api.breakWatches();
  await eventually(() => assert.equal(plugin.calls, 3));
  await clock.advance(ANSWER_MS);
  assert.equal(watch.usable, false);
  assert.notEqual(watch.nextAttemptAt, null);
  plugin.gate = Promise.resolve();
  await clock.advance(250);
  await watching();
});

test('requests for a list share the one under way, which they do not abort', async (t) => {
  const { clock, plugin, watch, lists, watching } = await start(t);
  await watching();
  await clock.advance(FLOOR_MS);
  let open = (): void => {};
  plugin.gate = new Promise((resolve) => {
    open = resolve;
  });
  const promises = Array.from({ length: 50 }, () => watch.relist());
  await settle();
  promises.push(watch.relist());
  assert.equal(await settledOf(promises), 0);
  assert.equal(plugin.calls, 3);
  open();
  await Promise.all(promises);
  assert.equal(lists(), 2);
  assert.equal(watch.usable, true);
});

test('a list that is asked for within a second of the last one is made when the second is over', async (t) => {
  const { clock, watch, lists, watching } = await start(t);
  await watching();
  const promises = [watch.relist(), watch.relist()];
  await clock.advance(FLOOR_MS - 1);
  assert.equal(await settledOf(promises), 0);
  assert.equal(lists(), 1);
  await clock.advance(1);
  await Promise.all(promises);
  assert.equal(lists(), 2);
});

test('requests that come again and again make a list a second, and the watch hears of changes meanwhile', async (t) => {
  const { api, clock, watch, lists, watching } = await start(t);
  await watching();
  for (let second = 1; second <= 5; second++) {
    const promises: Promise<void>[] = [];
    for (let request = 0; request < 10; request++) {
      promises.push(watch.relist());
      await clock.advance(FLOOR_MS / 10 - 1);
    }
    const hosts = ['127.0.0.1', `127.0.0.${second + 1}`];
    api.publish(hosts);
    await eventually(() =>
      assert.deepEqual(
        watch.slices.get('hello-1')?.endpoints.map(({ host }) => host),
        hosts,
      ),
    );
    assert.equal(lists(), second);
    await clock.advance(10);
    await Promise.all(promises);
    assert.equal(lists(), second + 1);
    await watching();
  }
});

test('a watch that goes on after its connection broke does not take the place of the list that was asked for', async (t) => {
  const { api, clock, watch, lists, watching } = await start(t);
  await watching();
  await clock.advance(FLOOR_MS);
  await watch.relist();
  await watching();
  // A watch that breaks in its first second has failed.
  clock.stall(FLOOR_MS - 1);
  const promise = watch.relist();
  clock.stall(1);
  api.breakWatches();
  await eventually(() => assert.equal(api.count('watch'), 3));
  await watching();
  assert.equal(lists(), 2);
  await clock.advance(0);
  await promise;
  assert.equal(lists(), 3);
});

test('a list that waits is made by the next attempt where the watch fails, and the failure is its answer', async (t) => {
  const { api, clock, watch, lists, watching } = await start(t);
  await watching();
  const promise = watch.relist();
  api.endWatches();
  await promise;
  assert.equal(watch.usable, false);
  const requested = watch.relist();
  await clock.advance(249);
  assert.equal(lists(), 1);
  await clock.advance(1);
  await requested;
  await watching();
  await clock.advance(2 * FLOOR_MS);
  assert.equal(lists(), 2);
});

test('a list that waits ends with the last subscriber', async (t) => {
  const { clock, watch, end, watching } = await start(t);
  await watching();
  const promise = watch.relist();
  end();
  await promise;
  await settle();
  assert.equal(clock.timers, 0);
});

for (const [namespace, read, dotted] of [
  ['com', /the Service "hello" in the namespace "com"/, /\("hello\.com\."\)/],
  [null, /the Service "hello" in the kubeConfig's namespace "test"/, /\("hello\."\)/],
] as const)
  test(`a refusal says which namespace was taken for the name, and what to write: ${namespace ?? 'none given'}`, async (t) => {
    const { api, clock, watch, end } = await start(t, { namespace });
    end();
    api.refuse = { verb: 'any', status: 403 };
    t.after(watch.subscribe(() => {}));
    await eventually(() => assert.equal(watch.failures, 1));
    const message = watch.error?.message ?? '';
    assert.match(message, read);
    assert.match(message, dotted);
    assert.match(message, /as service\.namespace\.svc\.cluster\.local/);
    assert.ok(clock.timers > 0);
  });
