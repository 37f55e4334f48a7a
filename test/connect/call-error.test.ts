import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { AnySchema, anyPack, DurationSchema, StringValueSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { Metadata, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { toConnectError } from '../../lib/connect/call-error.js';

/** A google.rpc.Status. */
function statusOctets(details: readonly Parameters<typeof toBinary<typeof AnySchema>>[1][]): Buffer {
  const writer = new BinaryWriter().uint32(8).int32(status.NOT_FOUND).uint32(18).string('gone');
  for (const detail of details) writer.uint32(26).bytes(toBinary(AnySchema, detail));
  return Buffer.from(writer.finish());
}

function withDetails(octets: Buffer) {
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', octets);
  metadata.set('x-trailer', 'end');
  return { code: status.NOT_FOUND, details: 'gone', metadata };
}

test('OK is no error', () => {
  assert.equal(toConnectError({ code: status.OK, details: '', metadata: new Metadata() }, null), null);
});

test('every code of gRPC has the same number in Connect', () => {
  for (const code of Object.values(status)) {
    if (typeof code !== 'number' || code === status.OK) continue;
    const error = toConnectError({ code, details: 'why', metadata: new Metadata() }, null);
    assert.ok(error instanceof ConnectError);
    assert.equal(error.code, code);
    assert.equal(error.rawMessage, 'why');
    assert.ok(error.code in Code);
  }
});

test('a code that gRPC does not have is unknown', () => {
  assert.equal(toConnectError({ code: 99 as status, details: '', metadata: new Metadata() }, null)?.code, Code.Unknown);
});

test('a status without a code is internal, and says what grpc-js leaves out', () => {
  const broken = { code: undefined, details: undefined, metadata: new Metadata() } as unknown as Parameters<
    typeof toConnectError
  >[0];
  const error = toConnectError(broken, null);
  assert.equal(error?.code, Code.Internal);
  assert.match(error?.rawMessage ?? '', /compression/);
});

test('details are found by their type, and the metadata has header and trailer', () => {
  const duration = create(DurationSchema, { seconds: 7n });
  const packed = [
    anyPack(DurationSchema, duration),
    anyPack(StringValueSchema, create(StringValueSchema, { value: 'a' })),
  ];
  const error = toConnectError(withDetails(statusOctets(packed)), new Headers({ 'x-header': 'start' }));
  assert.ok(error);
  assert.deepEqual(error.findDetails(DurationSchema), [duration]);
  assert.equal(error.findDetails(StringValueSchema)[0]?.value, 'a');
  assert.equal(error.metadata.get('x-header'), 'start');
  assert.equal(error.metadata.get('x-trailer'), 'end');
});

test('octets that are no google.rpc.Status never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (octets) => {
      const error = toConnectError(withDetails(Buffer.from(octets)), null);
      assert.equal(error?.code, Code.NotFound);
    }),
  );
});

test('a status that is cut short has no details', () => {
  const whole = statusOctets([anyPack(DurationSchema, create(DurationSchema, { seconds: 7n }))]);
  const error = toConnectError(withDetails(whole.subarray(0, -1)), null);
  assert.deepEqual(error?.details, []);
});
