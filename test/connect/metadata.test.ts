import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Code, ConnectError, decodeBinaryHeader, encodeBinaryHeader } from '@connectrpc/connect';
import { Metadata } from '@grpc/grpc-js';
import fc from 'fast-check';
import { addToHeaders, toMetadata } from '../../lib/connect/metadata.js';

const key = fc.stringMatching(/^x-[a-z0-9_.-]{0,8}[a-z0-9]$/).filter((name) => !name.endsWith('-bin'));
/** What Headers keep as it is: they take away spaces at both ends, and commas separate values. */
const text = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
const octets = fc.uint8Array({ maxLength: 40 });

function headersOf(metadata: Metadata): Headers {
  const headers = new Headers();
  addToHeaders(metadata, headers);
  return headers;
}

test('text headers come back as they were', () => {
  fc.assert(
    fc.property(fc.dictionary(key, text), (entries) => {
      const headers = new Headers(entries);
      assert.deepEqual([...headersOf(toMetadata(headers))], [...headers]);
    }),
  );
});

test('binary headers hold the octets that were encoded, several under one name', () => {
  fc.assert(
    fc.property(key, fc.array(octets, { minLength: 1, maxLength: 4 }), (name, values) => {
      const headers = new Headers();
      for (const value of values) headers.append(`${name}-bin`, encodeBinaryHeader(value));
      const metadata = toMetadata(headers);
      assert.deepEqual(
        metadata.get(`${name}-bin`),
        values.map((value) => Buffer.from(value)),
      );
      const back = headersOf(metadata).get(`${name}-bin`) ?? '';
      assert.deepEqual(
        back.split(',').map((part) => decodeBinaryHeader(part.trim())),
        values.map((value) => new Uint8Array(value)),
      );
    }),
  );
});

test('any headers become metadata, or are refused as invalid_argument', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z!#$%&'*+.^_`|~-]{1,8}(-bin)?$/), fc.string(), (name, value) => {
      const headers = new Headers();
      try {
        headers.append(name, value);
      } catch {
        return;
      }
      try {
        toMetadata(headers);
      } catch (error) {
        assert.ok(error instanceof ConnectError);
        assert.equal(error.code, Code.InvalidArgument);
        assert.ok(error.message.includes(name));
      }
    }),
  );
});

test('headers of the protocol are not the caller’s to set', () => {
  const headers = new Headers({
    'content-type': 'text/plain',
    'grpc-timeout': '1S',
    connection: 'close',
    'user-agent': 'curl',
    te: 'gzip',
    authorization: 'Bearer token',
  });
  assert.deepEqual(toMetadata(headers).toJSON(), { authorization: ['Bearer token'] });
});

test('base64 with and without padding, and of the URL alphabet, is read', () => {
  for (const encoded of ['+/8=', '+/8', '-_8'])
    assert.deepEqual(toMetadata(new Headers({ 'a-bin': encoded })).get('a-bin'), [Buffer.from([0xfb, 0xff])]);
});

test('a binary header that is not base64 is refused, with its name and the remedy', () => {
  assert.throws(() => toMetadata(new Headers({ 'a-bin': 'not base64!' })), {
    code: Code.InvalidArgument,
    rawMessage: /a-bin .*"not base64!".*encodeBinaryHeader/,
  });
});

test('a key of metadata with a colon is left out of headers', () => {
  const metadata = new Metadata();
  metadata.set('a:b', 'c');
  metadata.set('d', 'e');
  assert.deepEqual([...headersOf(metadata)], [['d', 'e']]);
});
