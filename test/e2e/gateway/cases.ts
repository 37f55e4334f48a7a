/** The requests that both gateways get. */
import { status } from '@grpc/grpc-js';
import type { HttpRequest } from './http-answer.js';

export interface Case extends HttpRequest {
  readonly title: string;
  /** The answers' codes and HTTP statuses are compared, and the text of the message is not: it is the JSON parser's, or gRPC's. */
  readonly ownText?: true;
  /** To the gateways that forward `Grpc-Metadata-` headers. */
  readonly legacy?: true;
  /** Where this gateway deliberately answers otherwise: why, and with what: of an object the parts that matter. */
  readonly differs?: { readonly reason: string; readonly status: number; readonly body: unknown };
}

const json = (value: unknown): string => JSON.stringify(value);
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** A value for every field. */
const FULL = {
  text: 'täxt "1"',
  int32: -7,
  int64: '-9007199254740993',
  uint64: '18446744073709551615',
  double: 1.5e300,
  float: 0.25,
  flag: true,
  data: '+/8=',
  color: 'BLUE',
  maybe: 0,
  texts: ['a', ''],
  numbers: ['1', 2],
  colors: ['RED', 2],
  counts: { a: '1', b: 2 },
  byNumber: { '-4': { name: 'four' } },
  nested: { name: 'n', deeper: { number: 3, tags: ['x'] } },
  moreNested: [{}, { name: 'm' }],
  choiceNested: { name: 'c' },
  time: '2026-02-03T04:05:06.789Z',
  duration: '-1.500s',
  mask: 'nested.name,byNumber',
  int32Value: 0,
  stringValue: '',
  boolValue: false,
  struct: { a: [1, null, { b: 'c' }] },
  value: [true, 'x'],
  any: { '@type': 'type.googleapis.com/gateway.test.Nested', name: 'packed' },
  empty: {},
  otherName: 'r',
  int64Value: '5',
  bytesValue: 'AA==',
};

const body = (value: unknown) => ({ method: 'POST', path: '/v1/say', body: json(value) });
const query = (text: string) => ({ path: `/v1/say?${text}` });
const statuses = Object.entries(status).filter(
  (entry): entry is [string, number] => typeof entry[1] === 'number' && entry[1] !== status.OK,
);

const FIELDS: readonly Case[] = [
  { title: 'a body with every field', ...body(FULL) },
  { title: 'an empty object', ...body({}) },
  { title: 'no body', method: 'POST', path: '/v1/say' },
  { title: 'field names as in the .proto file', ...body({ choice_text: 'x', by_number: { 1: {} }, renamed: 'y' }) },
  { title: 'a field that does not exist', ...body({ text: 'x', nothing: { a: 1 } }) },
  { title: 'the name of an enum that does not exist', ...body({ color: 'GREEN', colors: ['RED', 'GREEN'] }) },
  { title: 'the number of an enum that has no name', ...body({ color: 77 }) },
  { title: 'null for fields', ...body({ text: null, texts: null, nested: null, value: null }) },
  { title: 'numbers that are not finite', ...body({ double: 'NaN', float: '-Infinity' }) },
  { title: 'a body that is no JSON', method: 'POST', path: '/v1/say', body: '{"text":', ownText: true },
  { title: 'a body that is null', ...body(null), ownText: true },
  { title: 'a body that is a list', ...body([]), ownText: true },
  { title: 'a field twice', method: 'POST', path: '/v1/say', body: '{"text":"a","text":"b"}', ownText: true },
  { title: 'both fields of a oneof', ...body({ choiceText: 'a', choiceNested: {} }), ownText: true },
  { title: 'an integer out of range', ...body({ int32: 2 ** 31 }), ownText: true },
  { title: 'a string for a message', ...body({ nested: 'x' }), ownText: true },
  { title: 'a time that is none', ...body({ time: 'today' }), ownText: true },
  { title: 'an Any of a type that is not known', ...body({ any: { '@type': 'x/y.Z' } }), ownText: true },
  {
    title: 'the body is one message of the request',
    method: 'PUT',
    path: '/v1/nested/abc?int32=4',
    body: json({ name: 'n' }),
  },
  { title: 'the body is one message, and it is empty', method: 'PUT', path: '/v1/nested/abc' },
  { title: 'the body is one list of the request', method: 'POST', path: '/v1/texts', body: '["a","b"]' },
  { title: 'the body is a list, and it is none', method: 'POST', path: '/v1/texts', body: '{"a":1}', ownText: true },
  { title: 'a body that says it is text', ...body({ text: 'x' }), headers: { 'content-type': 'text/plain' } },
  {
    title: 'PATCH: the fields of the body become the field mask',
    method: 'PATCH',
    path: '/v1/nested/abc',
    body: json({ name: 'n', deeper: { number: 1, tags: ['a'] } }),
  },
  { title: 'PATCH with an empty body', method: 'PATCH', path: '/v1/nested/abc' },
  {
    title: 'PATCH with a field that does not exist',
    method: 'PATCH',
    path: '/v1/nested/abc',
    body: '{"x":1}',
    ownText: true,
  },
];

const PATHS: readonly Case[] = [
  { title: 'a variable of one segment', path: '/v1/say/abc' },
  { title: 'a percent-encoded variable', path: '/v1/say/a%20b%C3%A4+c%25' },
  { title: 'an encoded slash in a variable', path: '/v1/say/a%2Fb' },
  { title: 'an encoded slash where two segments match', path: '/v1/shelves%2F7' },
  { title: 'a field of a message', path: '/v1/say/abc/nested/42' },
  { title: 'a variable with a literal', path: '/v1/shelves/7' },
  { title: 'a variable with literals and wildcards', path: '/v1/shelves/7/books/8' },
  { title: 'a variable with a literal and a verb', path: '/v1/shelves/7:sort' },
  { title: 'a verb after a variable', method: 'POST', path: '/v1/say/abc:shout', body: '{"int32":5}' },
  { title: 'a verb that no template has', path: '/v1/say/abc:other' },
  { title: '** takes many segments', path: '/v1/files/a/b/c' },
  { title: '** takes no segment', path: '/v1/files' },
  { title: '** takes an empty segment', path: '/v1/files/' },
  { title: '** with segments after it', path: '/v1/archive/a/b/raw' },
  { title: '** that takes nothing, with segments after it', path: '/v1/archive/raw' },
  { title: 'an empty variable', path: '/v1/say/' },
  { title: 'an int64', path: '/v1/int64/-9223372036854775808' },
  { title: 'an int64 out of range', path: '/v1/int64/9223372036854775808', ownText: true },
  { title: 'an enum by name', path: '/v1/color/RED' },
  { title: 'an enum by number', path: '/v1/color/2' },
  { title: 'an enum that does not exist', path: '/v1/color/GREEN', ownText: true },
  { title: 'a boolean', path: '/v1/flag/T' },
  { title: 'a boolean that is none', path: '/v1/flag/yes', ownText: true },
  { title: 'a double', path: '/v1/double/-1.5e3' },
  { title: 'bytes in base64url', path: '/v1/data/-_8' },
  { title: 'a time', path: '/v1/time/2026-01-02T03:04:05Z' },
  { title: 'a list', path: '/v1/texts/a,b,,c' },
  { title: 'a wrapper', path: '/v1/wrapped/0' },
  { title: 'a path that no template matches', path: '/v2/say' },
  { title: 'a path that is too long', path: '/v1/say/a/b' },
  { title: 'two slashes', path: '/v1//say' },
  { title: 'a method that the path does not have', method: 'DELETE', path: '/v1/say', ownText: true },
  { title: 'OPTIONS', method: 'OPTIONS', path: '/v1/say' },
  { title: 'a custom method', method: 'HEAD', path: '/v1/say' },
  { title: 'HEAD where there is only GET', method: 'HEAD', path: '/v1/say/abc' },
  {
    title: 'a path that is not percent-encoded',
    path: '/v1/say/%zz',
    differs: {
      reason: 'this gateway answers with a google.rpc.Status; Go answers before grpc-gateway, with text',
      status: 400,
      body: { code: 3, details: [] },
    },
  },
];

const QUERIES: readonly Case[] = [
  { title: 'numbers of all kinds', ...query(`${'int32=+5&int32=-5'.slice(9)}&int64=-6&uint64=18446744073709551615`) },
  { title: 'double, float, Infinity', ...query('double=Infinity&float=1.5') },
  { title: 'a float out of range', ...query('float=1e39'), ownText: true },
  { title: 'a hexadecimal number', ...query('int32=0x10'), ownText: true },
  { title: 'a negative number for an unsigned field', ...query('uint64=-1'), ownText: true },
  {
    title: 'fields of messages',
    ...query('nested.name=n&nested.deeper.number=3&nested.deeper.tags=a&nested.deeper.tags=b'),
  },
  { title: 'lists', ...query('texts=a&texts=b,c&numbers=1&numbers=-2&colors=RED&colors=2') },
  { title: 'JSON names', ...query('choiceText=x&otherName=y&boolValue=true') },
  { title: 'a field by both of its names', ...query('otherName=x&renamed=y'), ownText: true },
  { title: 'an enum that does not exist', ...query('color=GREEN'), ownText: true },
  { title: 'a time', ...query('time=2026-01-02T03:04:05.678%2B01:00') },
  { title: 'a time that is none', ...query('time=1700000000'), ownText: true },
  { title: 'a duration as Go writes it', ...query('duration=-1h1m1.5s') },
  { title: 'a duration that is none', ...query('duration=5'), ownText: true },
  { title: 'a field mask', ...query('mask=nested.name,by_number') },
  { title: 'wrappers', ...query('int32_value=0&string_value=&bool_value=f&int64_value=-5&bytes_value=AA') },
  { title: 'a Struct and a Value', ...query('struct=%7B%22a%22:1%7D&value=%5B1,%22x%22%5D') },
  { title: 'bytes', ...query('data=%2B%2F8%3D') },
  { title: 'bytes that are none', ...query('data=!!'), ownText: true },
  { title: 'maps', ...query('counts[a]=1&counts[b%20c]=2') },
  { title: 'a map without a key', ...query('counts=1'), ownText: true },
  { title: 'a key for what is no map', ...query('text[a]=1'), ownText: true },
  { title: 'a message as a whole', ...query('nested=%7B%7D'), ownText: true },
  { title: 'a part of what is no message', ...query('text.part=1'), ownText: true },
  {
    title: 'a field that its message does not have',
    ...query('text=a&nested.nothing=1'),
    differs: {
      reason: 'a parameter that is ignored changes nothing; grpc-gateway sets the message, empty',
      status: 200,
      body: { text: 'a', nested: null },
    },
  },
  { title: 'a parameter that is no field', ...query('text=a&utm_source=b') },
  { title: 'a scalar twice', ...query('int32=1&int32=2'), ownText: true },
  { title: 'both fields of a oneof', ...query('choice_text=a&choice_nested.name=b'), ownText: true },
  { title: 'an optional field at its default', ...query('maybe=0') },
  { title: 'a parameter for a variable of the path', path: '/v1/say/abc?text=x&int32=1' },
  { title: 'a parameter for the body', method: 'PUT', path: '/v1/nested/abc?nested.number=1', body: '{"name":"n"}' },
  { title: 'a query beside a body that is the request', ...body({ text: 'x' }), path: '/v1/say?int32=5' },
  { title: 'a semicolon', ...query('int32=1;text=a'), ownText: true },
  { title: 'a query that is not percent-encoded', ...query('text=%zz'), ownText: true },
  { title: 'plus and percent', ...query('text=a+b%2Bc&&flag=1') },
  { title: 'DELETE with a query', method: 'DELETE', path: '/v1/say/abc?int32=1' },
  {
    title: 'POST of a form stands for GET',
    method: 'POST',
    path: '/v1/say/abc?int32=1',
    headers: FORM,
    body: 'flag=true&texts=a',
  },
  {
    title: 'X-HTTP-Method-Override with a form',
    method: 'POST',
    path: '/v1/say/abc',
    headers: { ...FORM, 'x-http-method-override': 'delete' },
    body: 'flag=true',
  },
  { title: 'X-HTTP-Method-Override with JSON', ...body({}), headers: { 'x-http-method-override': 'GET' } },
];

const RESPONSES: readonly Case[] = [
  { title: 'the response is a message of it', path: '/v1/only/nested?nested.name=n' },
  { title: 'the response is a message that is not set', path: '/v1/only/nested' },
  { title: 'the response is a list', path: '/v1/only/texts?texts=a&texts=b' },
  { title: 'the response is an empty list', path: '/v1/only/texts' },
  { title: 'the response is an enum', path: '/v1/only/color?color=RED' },
  {
    title: 'the response is an int64',
    path: '/v1/only/int64?int64=9007199254740993',
    differs: {
      reason:
        'as in every other place, an int64 is a string (the JSON mapping of proto3); grpc-gateway writes a number',
      status: 200,
      body: '9007199254740993',
    },
  },
  { title: 'a stream', path: '/v1/count/3' },
  { title: 'a stream of a part of each response', path: '/v1/count/2/texts' },
  { title: 'an empty stream', path: '/v1/count/0' },
  { title: 'a stream that fails after two messages', path: '/v1/count/2?code=8' },
  { title: 'a stream that fails at once', path: '/v1/count/0?code=5' },
  {
    title: 'a stream whose deadline passes',
    path: '/v1/wait/stream',
    headers: { 'grpc-timeout': '80m' },
    ownText: true,
  },
];

const ERRORS: readonly Case[] = [
  ...statuses.map(
    ([name, code]): Case => ({ title: `a call that ends with ${name}`, path: `/v1/fail/${code}?message=m%C3%A4` }),
  ),
  { title: 'a status with details', path: '/v1/fail/5?details=true' },
  {
    title: 'a status with details of a type that is not known',
    path: '/v1/fail/5?details=true&message=no.such.Type',
    differs: {
      reason: 'the details keep their bytes; grpc-gateway answers 500 in the place of the status',
      status: 404,
      body: {
        code: 5,
        details: [{ '@type': 'type.googleapis.com/no.such.Type', value: 'CAM=' }],
      },
    },
  },
  { title: 'a call that fails, with trailers', path: '/v1/fail/5?message=m', headers: { te: 'trailers' } },
  { title: 'a deadline that passes', path: '/v1/wait', headers: { 'grpc-timeout': '80m' }, ownText: true },
  { title: 'a deadline that does not pass', path: '/v1/say', headers: { 'grpc-timeout': '10S' } },
  { title: 'a deadline without a unit', path: '/v1/say', headers: { 'grpc-timeout': '5' } },
  { title: 'a deadline of zero', path: '/v1/say', headers: { 'grpc-timeout': '0S' } },
];

const METADATA: readonly Case[] = [
  {
    title: 'permanent headers',
    path: '/v1/metadata',
    headers: { 'user-agent': 'curl/8', accept: '*/*', cookie: 'a=b; c=d', 'x-other': 'no', authorization: 'Bearer t' },
  },
  {
    title: 'X-Forwarded-For and X-Forwarded-Host',
    path: '/v1/metadata',
    headers: { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-host': 'shop.test' },
  },
  { title: 'Grpc-Metadata- headers', path: '/v1/metadata', headers: { 'grpc-metadata-user': 'ann' } },
  { title: 'trailers', path: '/v1/metadata', headers: { te: 'trailers' } },
  {
    title: 'Grpc-Metadata- headers that are forwarded',
    path: '/v1/metadata',
    legacy: true,
    headers: { 'grpc-metadata-user': ['ann', 'bob'], 'grpc-metadata-key-bin': 'AQL/' },
  },
  {
    title: 'Grpc-Metadata- headers with reserved names',
    path: '/v1/metadata',
    legacy: true,
    headers: { 'grpc-metadata-x-forwarded-for': '192.0.2.9', 'grpc-metadata-grpcgateway-cookie': 'x' },
  },
  {
    title: 'Grpc-Metadata-Authorization',
    path: '/v1/metadata',
    legacy: true,
    headers: { authorization: 'Bearer t', 'grpc-metadata-authorization': 'Bearer u' },
  },
  {
    title: 'a binary header that is no base64',
    path: '/v1/metadata',
    legacy: true,
    headers: { 'grpc-metadata-key-bin': '*' },
    ownText: true,
  },
];

const LIMITS: readonly Case[] = [
  {
    title: 'something after the body',
    method: 'POST',
    path: '/v1/say',
    body: '{"text":"a"} {"text":"b"}',
    differs: {
      reason: 'a body that is not one JSON value is refused; grpc-gateway reads the first value and ignores the rest',
      status: 400,
      body: { code: 3, details: [] },
    },
  },
];

export const CASES: readonly (readonly [group: string, cases: readonly Case[]])[] = [
  ['body', FIELDS],
  ['path', PATHS],
  ['query', QUERIES],
  ['response', RESPONSES],
  ['error', ERRORS],
  ['metadata', METADATA],
  ['limit', LIMITS],
];
