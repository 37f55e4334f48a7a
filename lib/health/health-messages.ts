/**
 * The two messages of `grpc.health.v1.Health/Watch`, in the protocol buffers' wire format and in gRPC's frames: one octet
 * for compression, four for the length.
 *
 *     message HealthCheckRequest { string service = 1; }
 *     message HealthCheckResponse { ServingStatus status = 1; }
 */

/** By their numbers in the enum `ServingStatus`. */
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

export type ServingStatus = (typeof STATUSES)[number];

const FRAME_HEADER = 5;
/** Field 1, length-delimited. */
const SERVICE_TAG = 0x0a;
/** Field 1, varint. */
const STATUS_TAG = 0x08;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** A framed request. */
export function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const body = name.length === 0 ? name : Buffer.concat([Buffer.from([SERVICE_TAG, ...varint(name.length)]), name]);
  const header = Buffer.alloc(FRAME_HEADER);
  header.writeUInt32BE(body.length, 1);
  return Buffer.concat([header, body]);
}

/**
 * The status in a framed response; null where it is not one. Statuses with other numbers are `UNKNOWN`. Fields that are
 * not known are skipped, and of a field that is there twice the last one counts, as protocol buffers demand.
 */
export function decodeResponse(frame: Buffer): ServingStatus | null {
  if (frame.length < FRAME_HEADER || frame[0] !== 0) return null;
  let at = FRAME_HEADER;
  let status = 0;
  while (at < frame.length) {
    const tag = readVarint(frame, at);
    if (tag === null) return null;
    const field = skipField(frame, tag.next, tag.value & 7);
    if (field === null) return null;
    if (tag.value === STATUS_TAG) status = field.value;
    at = field.next;
  }
  return STATUSES[status] ?? 'UNKNOWN';
}

interface Read {
  /** Meaningless for fields that are not a varint. */
  readonly value: number;
  readonly next: number;
}

function skipField(frame: Buffer, at: number, wireType: number): Read | null {
  switch (wireType) {
    case VARINT:
      return readVarint(frame, at);
    case FIXED64:
      return within(frame, at + 8);
    case FIXED32:
      return within(frame, at + 4);
    case LENGTH_DELIMITED: {
      const length = readVarint(frame, at);
      return length && within(frame, length.next + length.value);
    }
    default:
      return null;
  }
}

function within(frame: Buffer, next: number): Read | null {
  return next <= frame.length ? { value: 0, next } : null;
}

/** At most ten octets. */
function readVarint(frame: Buffer, start: number): Read | null {
  let value = 0;
  for (let index = 0; index < 10; index++) {
    const octet = frame[start + index];
    if (octet === undefined) return null;
    value += (octet & 0x7f) * 2 ** (7 * index);
    if (octet < 0x80) return { value, next: start + index + 1 };
  }
  return null;
}

function varint(value: number): number[] {
  const octets: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...octets, rest];
    octets.push((rest % 128) + 128);
  }
}
