import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Client, credentials, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { FastifyInstance } from 'fastify';
import { timeoutMs } from '../../examples/hello/gateway/deadline.js';
import { createGateway } from '../../examples/hello/gateway/gateway.js';
import { bindingsIn } from '../../examples/hello/gateway/http-rule.js';
import { httpStatus, StatusError } from '../../examples/hello/gateway/status.js';

const root = new URL('../../', import.meta.url);
const descriptors = readFileSync(new URL('examples/hello/hello.binpb', root));

test('every code of gRPC has the HTTP status that google/rpc/code.proto gives it', () => {
  const documented = {
    OK: 200,
    CANCELLED: 499,
    UNKNOWN: 500,
    INVALID_ARGUMENT: 400,
    DEADLINE_EXCEEDED: 504,
    NOT_FOUND: 404,
    ALREADY_EXISTS: 409,
    PERMISSION_DENIED: 403,
    UNAUTHENTICATED: 401,
    RESOURCE_EXHAUSTED: 429,
    FAILED_PRECONDITION: 400,
    ABORTED: 409,
    OUT_OF_RANGE: 400,
    UNIMPLEMENTED: 501,
    INTERNAL: 500,
    UNAVAILABLE: 503,
    DATA_LOSS: 500,
  };
  const names = Object.keys(status).filter((name) => Number.isNaN(Number(name)));
  assert.deepEqual(
    Object.fromEntries(names.map((name) => [name, httpStatus(status[name as keyof typeof status])])),
    documented,
  );
  assert.equal(httpStatus(77), 500);
});

test('Grpc-Timeout is digits and a unit', () => {
  assert.deepEqual(['2H', '3M', '4S', '5m', '6000u', '7000000n'].map(timeoutMs), [7_200_000, 180_000, 4_000, 5, 6, 7]);
  // No deadline: without the header, at zero, and beyond what a timer takes.
  assert.deepEqual([undefined, '', '0S', '9999999H'].map(timeoutMs), [null, null, null, null]);
  for (const wrong of ['5', 'S', '5s', '-5S', '1.5S', ' 5S', '5S '])
    assert.throws(() => timeoutMs(wrong), new StatusError(status.INVALID_ARGUMENT, `invalid grpc-timeout: ${wrong}`));
});

/** Names and numbers of fields, and the HTTP rules, by what declares them. */
test('hello.binpb is compiled from the present hello.proto', () => {
  const proto = fileURLToPath(new URL('examples/hello/proto/', root));
  const source = loadSync(`${proto}hello.proto`, { keepCase: true, includeDirs: [proto] });
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  for (const name of ['hello.HiRequest', 'hello.HiResponse']) {
    const { type } = source[name] as unknown as { type: { field: { name: string; number: number }[] } };
    assert.deepEqual(
      registry.getMessage(name)?.fields.map((field) => [field.name, field.number]),
      type.field.map((field) => [field.name, field.number]),
      'run "npm run generate:gateway"',
    );
  }
  const service = source['hello.Hello'] as unknown as Record<string, { options: Record<string, Rule> }>;
  assert.deepEqual(
    bindingsIn(registry).map(({ rpc, method, template }) => [rpc.name, method, template.text]),
    Object.entries(service).flatMap(([name, { options }]) => {
      const { additional_bindings = [], ...rule } = options['(google.api.http)'] as Rule;
      // One of them is no list.
      return [rule, additional_bindings].flat().map(({ get, post }) => [name, get ? 'GET' : 'POST', get ?? post]);
    }),
    'run "npm run generate:gateway"',
  );
});

interface Rule {
  readonly get?: string;
  readonly post?: string;
  readonly additional_bindings?: Rule | readonly Rule[];
}

test('what is wrong before any call is answered with a google.rpc.Status', async (t) => {
  const client = new Client('127.0.0.1:1', credentials.createInsecure());
  t.after(() => client.close());
  const app = createGateway({ client, descriptors, bodyLimit: 100 });
  t.after(() => app.close());
  for (const [method, url, payload, code, body] of [
    ['GET', '/', undefined, 404, { code: 5, message: 'Not Found', details: [] }],
    ['DELETE', '/v1/hi/ann', undefined, 501, { code: 12, message: 'Method Not Allowed', details: [] }],
    [
      'POST',
      '/v1/hi',
      `{"message":"${'x'.repeat(100)}"}`,
      413,
      { code: 8, message: 'Request body is too large', details: [] },
    ],
  ] as const) {
    const answer = await inject(app, method, url, payload);
    assert.equal(answer.statusCode, code, url);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.deepEqual(answer.json(), body);
  }
});

async function inject(app: FastifyInstance, method: 'GET' | 'POST' | 'DELETE', url: string, payload?: string) {
  return app.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
}

test('compiled files without HTTP rules are refused with the remedy', () => {
  const client = new Client('127.0.0.1:1', credentials.createInsecure());
  assert.throws(
    () => createGateway({ client, descriptors: new Uint8Array() }),
    /import google\/api\/annotations\.proto/,
  );
  client.close();
});
