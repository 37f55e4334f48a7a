import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFileRegistry, fromBinary, toJson } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { bindingsIn } from '../../examples/hello/gateway/http-rule.js';
import { parseQuery, queryOf } from '../../examples/hello/gateway/query.js';
import { bindRequest } from '../../examples/hello/gateway/request-binding.js';
import { Router } from '../../examples/hello/gateway/router.js';
import { StatusError } from '../../examples/hello/gateway/status.js';
import { descriptors } from '../e2e/gateway/echo-server.js';

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
const router = new Router(bindingsIn(registry));

/** The request message as JSON, without fields at their defaults. */
function bind(method: string, target: string, body = '') {
  const route = router.find(method, target, false);
  const message = bindRequest(route, { query: () => parseQuery(queryOf(target)), body }, registry);
  return toJson(route.binding.rpc.input, message, { registry });
}

function refusal(method: string, target: string, body = ''): StatusError {
  try {
    bind(method, target, body);
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: `${method} ${target} was not refused` });
}

test('a query sets fields, fields of messages, lists and maps', () => {
  assert.deepEqual(bind('GET', '/v1/say?int32=1&nested.deeper.name=x&texts=a&texts=b&counts[k]=2&color=RED'), {
    int32: 1,
    nested: { deeper: { name: 'x' } },
    texts: ['a', 'b'],
    counts: { k: '2' },
    color: 'RED',
  });
});

test('what the path or the body sets, the query does not', () => {
  assert.deepEqual(bind('GET', '/v1/say/abc?text=x'), { text: 'abc' });
  assert.deepEqual(bind('GET', '/v1/say/abc/nested/4?nested.number=5&nested.name=n'), {
    text: 'abc',
    nested: { number: 4, name: 'n' },
  });
  assert.deepEqual(bind('PUT', '/v1/nested/abc?nested.name=x&flag=true', '{"number":1}'), {
    text: 'abc',
    nested: { number: 1 },
    flag: true,
  });
  assert.deepEqual(bind('POST', '/v1/say?text=x', '{"int32":1}'), { int32: 1 });
});

test('what does not fit is INVALID_ARGUMENT, and the message says what', () => {
  for (const [target, message] of [
    ['/v1/say?int32=x', '"x" is no integer'],
    ['/v1/say?int32=2147483648', '"2147483648" is out of range'],
    ['/v1/say?uint64=-1', '"-1" is no integer'],
    ['/v1/say?flag=yes', '"yes" is no boolean'],
    ['/v1/say?color=GREEN', '"GREEN" is no value of gateway.test.Color'],
    ['/v1/say?duration=5', '"5" is no duration, such as "1.5s" or "1m30s"'],
    ['/v1/say?text.x=1', '"text" is not a message'],
    ['/v1/say?counts=1', '"counts" is a map: write "counts[key]=value"'],
    ['/v1/say?int32=1&int32=2', 'too many values for "int32": 1, 2'],
    ['/v1/say?other_name=1&renamed=1&otherName=2', 'duplicate field "renamed"'],
    ['/v1/say?choice_text=a&choice_nested.name=b', 'the oneof "choice" is set already'],
    ['/v1/int64/x', 'type mismatch, parameter: int64, error: "x" is no integer'],
  ] as const) {
    const error = refusal('GET', target);
    assert.deepEqual([error.code, error.message], [status.INVALID_ARGUMENT, message], target);
  }
});

test('the body of one field cannot set another field', () => {
  assert.equal(refusal('POST', '/v1/texts', '["a"],"text":"x"').code, status.INVALID_ARGUMENT);
});

test('durations in a query are sums of numbers with units', () => {
  const duration = (text: string) => (bind('GET', `/v1/say?duration=${text}`) as { duration?: string }).duration;
  assert.equal(duration('1h1m1.5s'), '3661.500s');
  assert.equal(duration('-.5ms'), '-0.000500s');
  assert.equal(duration('0'), '0s');
  for (const wrong of ['', 's', '.s', '1', '1s2', '1d', '--1s', '400000h00000000h1000000000h'])
    assert.equal(refusal('GET', `/v1/say?duration=${wrong}`).code, status.INVALID_ARGUMENT, wrong);
});

test('strings, integers and bytes come back from a query as they went in', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      fc.uint8Array(),
      (text, number, bytes) => {
        const query = new URLSearchParams({ text, int64: `${number}`, data: Buffer.from(bytes).toString('base64') });
        const {
          text: gotText = '',
          int64 = '0',
          data = '',
        } = bind('GET', `/v1/say?${query}`) as Record<string, string>;
        assert.deepEqual([gotText, BigInt(int64), [...Buffer.from(data, 'base64')]], [text, number, [...bytes]]);
      },
    ),
  );
});

test('any query is bound or refused with INVALID_ARGUMENT', () => {
  const name = fc.constantFrom(
    ...registryFields(),
    'nested.name',
    'nested.deeper.number',
    'counts[a]',
    'x',
    'text.y',
    '',
  );
  // `bind` shows the request as JSON, which has no form for some paths of a mask, such as "A" (proto3's rules for FieldMask).
  const shown = (key: string, value: string): string => (key === 'mask' ? value.replace(/[^a-z.,]/g, '') : value);
  const pair = fc
    .tuple(name, fc.string({ maxLength: 8 }))
    .map(([key, value]) => `${key}=${encodeURIComponent(shown(key, value))}`);
  fc.assert(
    fc.property(fc.array(fc.oneof(pair, fc.string({ maxLength: 6 })), { maxLength: 5 }), (pairs) => {
      try {
        bind('GET', `/v1/say?${pairs.join('&')}`);
      } catch (error) {
        assert.ok(error instanceof StatusError && error.code === status.INVALID_ARGUMENT, String(error));
      }
    }),
  );
});

function registryFields(): string[] {
  return registry.getMessage('gateway.test.Everything')?.fields.map((field) => field.name) ?? [];
}
