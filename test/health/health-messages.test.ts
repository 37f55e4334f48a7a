import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { service as health } from 'grpc-health-check';
import { decodeResponse, encodeRequest } from '../../lib/health/health-messages.js';

/** What a server of the usual implementation reads and writes, made from its .proto file. */
const { requestDeserialize, responseSerialize } = health['Watch'] ?? assert.fail();

function framed(body: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(body.length, 1);
  return Buffer.concat([header, body]);
}

test('a request for any service is read by the code that the .proto file makes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (service) => {
      const frame = encodeRequest(service);
      assert.equal(frame[0], 0);
      assert.equal(frame.readUInt32BE(1), frame.length - 5);
      assert.equal((requestDeserialize(frame.subarray(5)) as { service?: string }).service ?? '', service);
    }),
  );
});

test('a request for the server as a whole is the empty message', () => {
  assert.deepEqual([...encodeRequest('')], [0, 0, 0, 0, 0]);
});

for (const [number, status] of ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'].entries())
  test(`a response of ${status} is read`, () => {
    assert.equal(decodeResponse(framed(Buffer.from([0x08, number]))), status);
    if (number < 3) assert.equal(decodeResponse(framed(responseSerialize({ status }))), status);
  });

test('a status that is not in the enum, or is negative, is UNKNOWN', () => {
  assert.equal(decodeResponse(framed(Buffer.from([0x08, 77]))), 'UNKNOWN');
  const minusOne = Buffer.from([0x08, ...Array.from({ length: 9 }, () => 0xff), 1]);
  assert.equal(decodeResponse(framed(minusOne)), 'UNKNOWN');
});

test('fields that are not known are skipped, and the last status counts', () => {
  const fields = [
    [0x10, 0x96, 1], // 2: varint
    [0x1a, 2, 0x08, 2], // 3: two octets
    [0x08, 2], // NOT_SERVING
    [0x25, 1, 2, 3, 4], // 4: fixed32
    [0x29, 1, 2, 3, 4, 5, 6, 7, 8], // 5: fixed64
    [0x08, 1], // SERVING
  ].flat();
  assert.equal(decodeResponse(framed(Buffer.from(fields))), 'SERVING');
});

for (const [what, frame] of [
  ['no frame', Buffer.alloc(4)],
  ['a compressed message', Buffer.from([1, 0, 0, 0, 0])],
  ['a tag without its value', framed(Buffer.from([0x08]))],
  ['a length beyond the end', framed(Buffer.from([0x1a, 9, 0]))],
  ['a fixed32 cut short', framed(Buffer.from([0x25, 1]))],
  ['a varint that does not end', framed(Buffer.alloc(20, 0xff))],
  ['a group, which no version of the message has', framed(Buffer.from([0x0b]))],
] as const)
  test(`${what} is no response`, () => {
    assert.equal(decodeResponse(frame), null);
  });

test('no octets make the reader throw or take time without end', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => void decodeResponse(framed(octets))));
});
