import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FrameReader, toFrame } from '../../lib/dns/frame.js';

describe('a frame on a TCP stream', () => {
  it('gives its message, whatever the segments are and whatever follows it', () => {
    const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 });
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ maxLength: 20 }),
        cuts,
        (message, rest, places) => {
          const stream = Buffer.concat([toFrame(Buffer.from(message)), rest]);
          const edges = [0, ...places.map((at) => at % (stream.length + 1)).sort((a, b) => a - b), stream.length];
          const reader = new FrameReader();
          let read: Buffer | undefined;
          for (let index = 1; index < edges.length && read === undefined; index++)
            read = reader.add(stream.subarray(edges[index - 1], edges[index]));
          assert.deepEqual(read, Buffer.from(message));
        },
      ),
    );
  });

  it('is not complete before its last octet, and has started with its first', () => {
    const reader = new FrameReader();
    const frame = toFrame(Buffer.from('abc'));
    assert.equal(reader.started, false);
    for (const octet of frame.subarray(0, -1)) {
      assert.equal(reader.add(Buffer.from([octet])), undefined);
      assert.equal(reader.started, true);
    }
    assert.equal(reader.add(frame.subarray(-1))?.toString(), 'abc');
  });
});
