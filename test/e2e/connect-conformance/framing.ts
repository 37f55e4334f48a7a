/** Messages on a stream, each with its length in four octets before it, the highest first. */

export async function* readFrames(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let buffered: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    buffered = Buffer.concat([buffered, chunk]);
    while (buffered.length >= 4) {
      const end = 4 + buffered.readUInt32BE(0);
      if (buffered.length < end) break;
      yield buffered.subarray(4, end);
      buffered = buffered.subarray(end);
    }
  }
  if (buffered.length > 0) throw new Error(`the stream ended within a message, after ${buffered.length} octets of it`);
}

export function frame(message: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}
