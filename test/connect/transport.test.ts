import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { AnySchema, anyPack, DurationSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient, encodeBinaryHeader, type Interceptor } from '@connectrpc/connect';
import {
  credentials,
  Metadata,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { createHeadlessTransport, type HeadlessTransportOptions } from '../../lib/connect.js';
import { eventually } from '../support/eventually.js';
import { Hello } from '../support/hello-messages.js';
import { startHelloServer } from '../support/hello-server.js';
import type { HiRequest, HiResponse } from '../support/hello-service.js';
import { type Defer, leakCheck } from '../support/leak-check.js';

const REQUEST = { toWho: 'pod', message: 'hi' };

type Options = Partial<HeadlessTransportOptions>;

async function connect(defer: Defer, handlers: UntypedServiceImplementation, options: Options = {}) {
  const target = await startHelloServer(defer, handlers);
  const transport = createHeadlessTransport({ target, credentials: credentials.createInsecure(), ...options });
  defer(() => transport.close());
  return { transport, client: createClient(Hello, transport) };
}

function answer(message: string): HiResponse {
  return { from_who: 'server', message };
}

const echo = {
  Hi: (call: ServerUnaryCall<HiRequest, HiResponse>, callback: sendUnaryData<HiResponse>) =>
    callback(null, answer(call.request.message)),
};

async function errorOf(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => assert.fail('the call went well'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ConnectError);
  return error;
}

test('request headers arrive, and response headers and trailers come back', async (t) => {
  const defer = leakCheck(t);
  const { client } = await connect(defer, {
    Hi(call: ServerUnaryCall<HiRequest, HiResponse>, callback: sendUnaryData<HiResponse>) {
      const header = new Metadata();
      header.set('x-seen', call.metadata.get('x-text').join());
      header.set('x-seen-bin', call.metadata.get('x-octets-bin')[0] ?? '');
      call.sendMetadata(header);
      const trailer = new Metadata();
      trailer.set('x-trailer', 'end');
      callback(null, answer('hi'), trailer);
    },
  });
  let header = new Headers();
  let trailer = new Headers();
  const octets = encodeBinaryHeader(new Uint8Array([0, 255]));
  await client.hi(REQUEST, {
    headers: { 'x-text': 'a', 'x-octets-bin': octets },
    onHeader: (received) => {
      header = received;
    },
    onTrailer: (received) => {
      trailer = received;
    },
  });
  assert.equal(header.get('x-seen'), 'a');
  assert.equal(header.get('x-seen-bin'), octets);
  assert.equal(trailer.get('x-trailer'), 'end');
});

test('an error has its code, its message, its details and its metadata', async (t) => {
  const defer = leakCheck(t);
  const duration = create(DurationSchema, { seconds: 3n });
  const any = toBinary(AnySchema, anyPack(DurationSchema, duration));
  const details = new BinaryWriter().uint32(8).int32(5).uint32(26).bytes(any).finish();
  const { client } = await connect(defer, {
    Hi(_call: unknown, callback: sendUnaryData<HiResponse>) {
      const metadata = new Metadata();
      metadata.set('grpc-status-details-bin', Buffer.from(details));
      metadata.set('x-trailer', 'end');
      callback({ code: status.NOT_FOUND, details: 'no such pod: 100 %', metadata });
    },
  });
  const error = await errorOf(client.hi(REQUEST));
  assert.equal(error.code, Code.NotFound);
  assert.equal(error.rawMessage, 'no such pod: 100 %');
  assert.deepEqual(error.findDetails(DurationSchema), [duration]);
  assert.equal(error.metadata.get('x-trailer'), 'end');
});

test('interceptors see requests and responses, the first outermost, and may call again', async (t) => {
  const defer = leakCheck(t);
  const seen: string[] = [];
  const named =
    (name: string): Interceptor =>
    (next) =>
    async (request) => {
      seen.push(`${name} ${new URL(request.url).pathname.split('/').slice(-2).join('/')}`);
      request.header.set(`x-${name}`, 'set');
      return next(request);
    };
  const again: Interceptor = (next) => (request) => next(request).catch(() => next(request));
  let calls = 0;
  const { client } = await connect(
    defer,
    {
      Hi(call: ServerUnaryCall<HiRequest, HiResponse>, callback: sendUnaryData<HiResponse>) {
        calls += 1;
        const [outer, inner] = ['x-outer', 'x-inner'].map((key) => call.metadata.get(key)[0]);
        if (calls === 1) callback({ code: status.ABORTED, details: 'once' });
        else callback(null, answer(`${outer} ${inner}`));
      },
    },
    { interceptors: [named('outer'), again, named('inner')] },
  );
  assert.equal((await client.hi(REQUEST)).message, 'set set');
  assert.deepEqual(seen, ['outer hello.Hello/Hi', 'inner hello.Hello/Hi', 'inner hello.Hello/Hi']);
});

test('the deadline of a call ends an interceptor that waits, too', async (t) => {
  const defer = leakCheck(t);
  const waits: Interceptor = () => (request) =>
    new Promise((_resolve, reject) =>
      request.signal.addEventListener('abort', () => reject(request.signal.reason), { once: true }),
    );
  const { client } = await connect(defer, echo, { interceptors: [waits] });
  // A server's socket keeps the process alive, where the deadline's timer does not.
  const error = await errorOf(client.hi(REQUEST, { timeoutMs: 30 }));
  assert.equal(error.code, Code.DeadlineExceeded);
});

test('a call that runs out of time says what it waited for; the server sees the deadline', async (t) => {
  const defer = leakCheck(t);
  let deadline: unknown = null;
  const { client } = await connect(
    defer,
    {
      Hi: (call: ServerUnaryCall<HiRequest, HiResponse>) => {
        deadline = call.getDeadline();
      },
    },
    { defaultTimeoutMs: 100 },
  );
  const error = await errorOf(client.hi(REQUEST));
  assert.equal(error.code, Code.DeadlineExceeded);
  assert.match(error.rawMessage, /remote_addr=127|the server ended the call at its deadline/);
  assert.notEqual(deadline, Number.POSITIVE_INFINITY);
});

test('an aborted call is canceled on both sides, and one that is aborted before never starts', async (t) => {
  const defer = leakCheck(t);
  let started = 0;
  let cancelled = 0;
  const { client } = await connect(defer, {
    Hi(call: ServerUnaryCall<HiRequest, HiResponse>) {
      started += 1;
      call.on('cancelled', () => {
        cancelled += 1;
      });
    },
  });
  const controller = new AbortController();
  const failed = errorOf(client.hi(REQUEST, { signal: controller.signal }));
  await eventually(() => started === 1);
  controller.abort();
  assert.equal((await failed).code, Code.Canceled);
  await eventually(() => cancelled === 1);
  assert.equal((await errorOf(client.hi(REQUEST, { signal: controller.signal }))).code, Code.Canceled);
  assert.equal(started, 1);
});

test('a reader that leaves a stream cancels it', async (t) => {
  const defer = leakCheck(t);
  let cancelled = false;
  const { client } = await connect(defer, {
    HiMany(call: ServerWritableStream<HiRequest, HiResponse>) {
      call.write(answer('one'));
      call.on('cancelled', () => {
        cancelled = true;
      });
    },
  });
  for await (const { message } of client.hiMany(REQUEST)) {
    assert.equal(message, 'one');
    break;
  }
  await eventually(() => cancelled);
});

test('requests that fail on this side fail the call with their error', async (t) => {
  const defer = leakCheck(t);
  let started = false;
  let cancelled = false;
  const { client } = await connect(defer, {
    HiChat(call: ServerDuplexStream<HiRequest, HiResponse>) {
      started = true;
      call.on('cancelled', () => {
        cancelled = true;
      });
      call.resume();
    },
  });
  async function* requests() {
    yield REQUEST;
    await eventually(() => started);
    throw new Error('out of words');
  }
  const read = async () => {
    for await (const _ of client.hiChat(requests())) assert.fail('there is no answer');
  };
  assert.match((await errorOf(read())).rawMessage, /out of words/);
  await eventually(() => cancelled);
});

test('a second answer to a unary call is unimplemented, as gRPC has it', async (t) => {
  const defer = leakCheck(t);
  const { transport } = await connect(defer, {
    HiMany(call: ServerWritableStream<HiRequest, HiResponse>) {
      call.write(answer('one'));
      call.write(answer('two'));
      call.end();
    },
  });
  // As if an older description of the service were used.
  const method = { ...Hello.method.hi, name: 'HiMany' };
  const error = await errorOf(transport.unary(method, undefined, undefined, undefined, REQUEST));
  assert.equal(error.code, Code.Unimplemented);
});

test('a server that does not read stops the requests, and a client that does not read stops the responses', async (t) => {
  const defer = leakCheck(t);
  const message = 'x'.repeat(64 * 1024);
  const most = 2_000;
  let written = 0;
  const { client } = await connect(defer, {
    HiChat(call: ServerDuplexStream<HiRequest, HiResponse>) {
      call.sendMetadata(new Metadata());
      call.on('error', () => {});
      const write = (): void => {
        while (written < most && !call.cancelled) {
          written += 1;
          if (!call.write(answer(message))) return void call.once('drain', write);
        }
      };
      write();
    },
  });
  let sent = 0;
  async function* requests() {
    while (sent < most) {
      sent += 1;
      yield { toWho: 'pod', message };
    }
  }
  const responses = client.hiChat(requests())[Symbol.asyncIterator]();
  await responses.next();
  const settled = async (): Promise<number[]> => {
    const before = [sent, written];
    for (let index = 0; index < 200; index++) await turn();
    assert.deepEqual([sent, written], before);
    return before;
  };
  for (const count of await eventually(settled)) assert.ok(count < most / 4, `${count} of ${most} messages`);
  await responses.return?.();
});

test('a long request is compressed where the transport says so, and a short one is not', async (t) => {
  const defer = leakCheck(t);
  const { client } = await connect(
    defer,
    {
      Hi(call: ServerUnaryCall<HiRequest, HiResponse>, callback: sendUnaryData<HiResponse>) {
        callback(null, answer(`${call.metadata.get('grpc-encoding').join()} ${call.request.message.length}`));
      },
    },
    { sendCompression: 'gzip' },
  );
  for (const length of [1, 100_000])
    assert.match((await client.hi({ toWho: 'pod', message: 'x'.repeat(length) })).message, new RegExp(` ${length}$`));
});

test('messages over the limits are resource_exhausted', async (t) => {
  const defer = leakCheck(t);
  const { client } = await connect(defer, echo, { readMaxBytes: 1_000, writeMaxBytes: 2_000 });
  for (const length of [1_500, 2_500]) {
    const error = await errorOf(client.hi({ toWho: 'pod', message: 'x'.repeat(length) }));
    assert.equal(error.code, Code.ResourceExhausted);
  }
  assert.equal((await client.hi(REQUEST)).message, 'hi');
});

test('a call on a closed transport is canceled, and says so', async (t) => {
  const defer = leakCheck(t);
  const { client, transport } = await connect(defer, echo);
  transport.close();
  transport.close();
  const error = await errorOf(client.hi(REQUEST));
  assert.equal(error.code, Code.Canceled);
  assert.match(error.rawMessage, /is closed/);
  assert.equal((error.cause as { code?: string }).code, 'ERR_HEADLESS_CLOSED');
});

test('a hundred calls leave no listener on a signal that they share', async (t) => {
  const defer = leakCheck(t);
  const { client } = await connect(defer, echo);
  const { signal } = new AbortController();
  const added = t.mock.method(signal, 'addEventListener');
  const removed = t.mock.method(signal, 'removeEventListener');
  for (let index = 0; index < 100; index++) await client.hi(REQUEST, { signal, timeoutMs: 60_000 });
  await eventually(() => assert.equal(removed.mock.callCount(), added.mock.callCount()));
  assert.equal(added.mock.callCount(), 100);
});
