/** DNS messages on a TCP stream: each has its length before it, in two octets (RFC 1035 section 4.2.2). */

const LENGTH_OCTETS = 2;

/** The message with its length, in one buffer: some servers expect both in one segment. */
export function toFrame(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_OCTETS);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Assembles the first frame of a stream, whatever the segments. What follows that frame is ignored. */
export class FrameReader {
  readonly #prefix = Buffer.alloc(LENGTH_OCTETS);
  #body: Buffer | undefined;
  #received = 0;

  /** Whether any octet has arrived. */
  get started(): boolean {
    return this.#received > 0;
  }

  /** The message once it is complete, undefined before. */
  add(chunk: Buffer): Buffer | undefined {
    let used = 0;
    while (this.#received < LENGTH_OCTETS && used < chunk.length)
      this.#prefix[this.#received++] = chunk[used++] as number;
    if (this.#received < LENGTH_OCTETS) return undefined;
    // A false length costs at most 64 KiB of memory.
    this.#body ??= Buffer.alloc(this.#prefix.readUInt16BE(0));
    this.#received += chunk.copy(this.#body, this.#received - LENGTH_OCTETS, used);
    return this.#received - LENGTH_OCTETS === this.#body.length ? this.#body : undefined;
  }
}
