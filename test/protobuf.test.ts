import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readFields } from '../lib/protobuf.js';

test('varints and fields with a length are read in their order, and fields of a fixed width are skipped', () => {
  const fixed64 = [0x19, 1, 2, 3, 4, 5, 6, 7, 8];
  const fixed32 = [0x25, 1, 2, 3, 4];
  const message = Buffer.from([0x08, 0xac, 0x02, ...fixed64, ...fixed32, 0x12, 2, 0x68, 0x69]);
  assert.deepEqual(readFields(message), {
    fields: [
      { field: 1, number: 300, octets: null },
      { field: 2, number: 0, octets: Buffer.from('hi') },
    ],
    whole: true,
  });
});

test('what is cut off, a group, and a varint of more than ten octets end the list', () => {
  const first = [0x08, 1];
  const ends = [
    [0x10],
    [0x10, 0x80],
    [0x12, 3, 0x68],
    [0x19, 1],
    [0x25, 1],
    [0x13],
    [0x10, ...Array(10).fill(0xff), 1],
  ];
  for (const end of ends)
    assert.deepEqual(readFields(Buffer.from([...first, ...end])), {
      fields: [{ field: 1, number: 1, octets: null }],
      whole: false,
    });
});

test('no octets make it throw or read beyond the message', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => {
      const message = Buffer.from(octets);
      const read = readFields(message).fields.reduce((sum, { octets }) => sum + (octets?.length ?? 0), 0);
      assert.ok(read <= message.length);
    }),
  );
});
