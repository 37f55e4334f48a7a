import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ChannelCredentials,
  type ClientOptions,
  credentials,
  InterceptingCall,
  type Interceptor,
  makeGenericClientConstructor,
  status,
} from '@grpc/grpc-js';
import { HeadlessChannel } from '../lib/channel.js';
import { createHeadlessClient, type HeadlessClient } from '../lib/client.js';
import type { HeadlessError } from '../lib/errors.js';
import { channels } from '../lib/telemetry/open-channels.js';
import { createFakeDns } from '../lib/testing.js';
import { covers } from './faults/covers.js';
import { HelloClient, sayHi } from './support/hello-service.js';
import { spiedCredentials } from './support/spied-credentials.js';

const insecure = credentials.createInsecure();
const noPods = { dns: { lookup: createFakeDns().lookup } };

/** Keeps what a client class is given. */
class Probe {
  readonly given: readonly [string, ChannelCredentials, Partial<ClientOptions> | undefined];

  constructor(address: string, creds: ChannelCredentials, options?: Partial<ClientOptions>) {
    this.given = [address, creds, options];
  }

  /** As every client has it. */
  close(): void {
    this.given[2]?.channelOverride?.close();
  }
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

test('the client is an instance of the class it is made of, and its type says so', () => {
  const client = createHeadlessClient(HelloClient, 'svc.ns:50051', insecure, { headless: noPods });
  const typed: Equal<typeof client, HeadlessClient<HelloClient>> = true;
  assert.ok(typed);
  const plain: HelloClient = client;
  assert.ok(plain instanceof HelloClient);
  client.close();
});

test("the client's channel is a HeadlessChannel, which close() closes", async () => {
  const client = createHeadlessClient(HelloClient, 'svc.ns:50051', insecure, { headless: noPods });
  const channel = client.getChannel();
  const typed: Equal<typeof channel, HeadlessChannel> = true;
  assert.ok(typed);
  assert.ok(channel instanceof HeadlessChannel);
  assert.equal(channel.snapshot().target, channel.getTarget());
  assert.equal(channel.getTarget(), 'headless:///svc.ns:50051');
  client.close();
  await assert.rejects(channel.refresh(), { code: 'ERR_HEADLESS_CLOSED' });
});

test('options of the client go to the client and nothing else does', () => {
  const interceptors: Interceptor[] = [];
  const callInvocationTransformer: NonNullable<ClientOptions['callInvocationTransformer']> = (call) => call;
  const client = createHeadlessClient(Probe, 'svc.ns:50051', insecure, {
    headless: noPods,
    interceptors,
    callInvocationTransformer,
    'grpc.keepalive_time_ms': 10_000,
  });
  const [address, creds, options] = client.given;
  assert.equal(address, 'svc.ns:50051');
  assert.equal(creds, insecure);
  const { channelOverride, ...rest } = options ?? {};
  assert.ok(channelOverride instanceof HeadlessChannel);
  assert.deepEqual(rest, { interceptors, callInvocationTransformer });
  channelOverride.close();
});

test("the client's own options do not reach its channel, and the channel's do", async () => {
  const spied = spiedCredentials();
  const dns = createFakeDns({ 'svc.ns': ['127.0.0.1'] });
  const client = createHeadlessClient(HelloClient, 'svc.ns:1', spied.credentials, {
    headless: { dns: { lookup: dns.lookup } },
    interceptors: [],
    'grpc.keepalive_time_ms': 10_000,
  });
  await client.getChannel().refresh();
  assert.deepEqual(spied.seen, [{ 'grpc.enable_http_proxy': 0, 'grpc.keepalive_time_ms': 10_000 }]);
  client.close();
});

test('interceptors run once for each call', async () => {
  let runs = 0;
  const interceptor: Interceptor = (options, next) => {
    runs += 1;
    return new InterceptingCall(next(options));
  };
  const client = createHeadlessClient(HelloClient, 'svc.ns:50051', insecure, {
    headless: noPods,
    interceptors: [interceptor],
  });
  await assert.rejects(sayHi(client), { code: status.UNAVAILABLE });
  assert.equal(runs, 1);
  client.close();
});

test('without options the defaults hold', () => {
  createHeadlessClient(HelloClient, 'svc.ns:50051', insecure).close();
});

test("the caller's options object is left as it was", () => {
  const options = Object.freeze({ headless: noPods, interceptors: [], 'grpc.enable_retries': 0 });
  createHeadlessClient(HelloClient, 'svc.ns:50051', insecure, options).close();
  assert.deepEqual(Object.keys(options), ['headless', 'interceptors', 'grpc.enable_retries']);
});

for (const key of ['channelOverride', 'channelFactoryOverride'] as const)
  test(`${key} is refused with a remedy, since the channel is ours`, covers(47), () => {
    const make = (value: unknown) => createHeadlessClient(Probe, 'svc.ns:1', insecure, { [key]: value as never });
    assert.throws(
      () => make(() => {}),
      (error: HeadlessError) => {
        assert.equal(error.code, 'ERR_HEADLESS_OPTION');
        assert.match(error.message, new RegExp(`^option ${key} cannot be used here.*make the client with \`new\``));
        return true;
      },
    );
    make(undefined).close();
  });

/** How many channels are open. */
const open = (): number => channels().length;

const noClasses: [what: string, value: unknown, flaw: RegExp][] = [
  ['null', null, /got null$/],
  ['a text', 'HelloClient', /got "HelloClient"$/],
  ['the definition of a service', HelloClient.service, /got an object$/],
  ['an arrow function', () => {}, /got a function that is no class$/],
];
for (const [what, value, flaw] of noClasses)
  test(`${what} in the place of the client class is refused, and no channel stays open`, covers(47), () => {
    const before = open();
    assert.throws(
      () => createHeadlessClient(value as never, 'svc.ns:1', insecure),
      (error: HeadlessError) => {
        assert.equal(error.code, 'ERR_HEADLESS_OPTION');
        assert.match(error.message, /^the argument Client must be a class of clients, such as a generated one /);
        assert.match(error.message, flaw);
        return true;
      },
    );
    assert.equal(open(), before);
  });

test('an error of the client class itself reaches the caller, and no channel stays open', () => {
  class Broken {
    constructor() {
      throw new RangeError('no more clients');
    }
  }
  const before = open();
  assert.throws(() => createHeadlessClient(Broken, 'svc.ns:1', insecure), /^RangeError: no more clients$/);
  assert.equal(open(), before);
});

test('classes that makeGenericClientConstructor makes, and functions that are called with new, are client classes', () => {
  const Generic = makeGenericClientConstructor({}, 'hello.Hello');
  function Old(this: { close?: () => void }, ...[, , options]: [string, ChannelCredentials, Partial<ClientOptions>?]) {
    this.close = () => options?.channelOverride?.close();
  }
  for (const Class of [Generic, Old as never, Old.bind({}) as never, new Proxy(Generic, {})]) {
    const before = open();
    const client = createHeadlessClient(Class, 'svc.ns:1', insecure, { headless: noPods });
    assert.equal(open(), before + 1);
    client.close();
    assert.equal(open(), before);
  }
});

test('options of a client or a channel that are no object of options are refused', covers(47), () => {
  for (const options of ['x', 5, [], null, new Map([['headless', {}]])]) {
    const refusal = {
      code: 'ERR_HEADLESS_OPTION',
      message: /^option of the (client|channel) must be an object such as .*, got /,
    };
    assert.throws(() => createHeadlessClient(HelloClient, 'svc.ns:1', insecure, options as never), refusal);
    assert.throws(() => new HeadlessChannel('svc.ns:1', insecure, options as never), refusal);
  }
});

test('a bad target or option throws before a client exists', covers(32, 47), () => {
  class Never {
    constructor() {
      assert.fail('no client should be made');
    }
  }
  assert.throws(() => createHeadlessClient(Never, 'a..b:1', insecure), { code: 'ERR_HEADLESS_TARGET' });
  const headless = { refresh: { intervalMs: -1 } };
  assert.throws(() => createHeadlessClient(Never, 'svc.ns:1', insecure, { headless }), {
    code: 'ERR_HEADLESS_OPTION',
  });
});
