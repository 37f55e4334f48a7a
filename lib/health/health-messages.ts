/**
 * The two messages of `grpc.health.v1.Health/Watch`, in the protocol buffers' wire format and in gRPC's frames: one octet
 * for compression, four for the length.
 *
 *     message HealthCheckRequest { string service = 1; }
 *     message HealthCheckResponse { ServingStatus status = 1; }
 */
import { readFields } from '../protobuf.js';

/** By their numbers in the enum `ServingStatus`. */
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

export type ServingStatus = (typeof STATUSES)[number];

const FRAME_HEADER = 5;
/** Field 1, length-delimited. */
const SERVICE_TAG = 0x0a;
const STATUS_FIELD = 1;

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
  const { fields, whole } = readFields(frame.subarray(FRAME_HEADER));
  if (!whole) return null;
  const status = fields.findLast(({ field, octets }) => field === STATUS_FIELD && octets === null);
  return STATUSES[status?.number ?? 0] ?? 'UNKNOWN';
}

function varint(value: number): number[] {
  const octets: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...octets, rest];
    octets.push((rest % 128) + 128);
  }
}
