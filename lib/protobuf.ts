/** The fields of a message in the protocol buffers' wire format, for the few messages that are read without generated code. */

export interface Field {
  /** The field's number. */
  readonly field: number;
  /** Of a varint; otherwise 0. */
  readonly number: number;
  /** Of a field with a length; null of a varint. */
  readonly octets: Buffer | null;
}

export interface Fields {
  /** In their order, as far as they could be read. Fields of a fixed width are left out. */
  readonly fields: readonly Field[];
  /** The message could be read to its end. */
  readonly whole: boolean;
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

export function readFields(message: Buffer): Fields {
  const fields: Field[] = [];
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at);
    const next = tag && readField(message, tag.next, Math.floor(tag.value / 8), tag.value & 7, fields);
    if (next === null || next > message.length) return { fields, whole: false };
    at = next;
  }
  return { fields, whole: true };
}

/** Adds the field to the list. @returns where the next one begins; null where this one cannot be read. */
function readField(message: Buffer, at: number, field: number, wireType: number, fields: Field[]): number | null {
  switch (wireType) {
    case VARINT: {
      const varint = readVarint(message, at);
      if (varint === null) return null;
      fields.push({ field, number: varint.value, octets: null });
      return varint.next;
    }
    case FIXED64:
      return at + 8;
    case FIXED32:
      return at + 4;
    case LENGTH_DELIMITED: {
      const length = readVarint(message, at);
      if (length === null) return null;
      const end = length.next + length.value;
      if (end <= message.length) fields.push({ field, number: 0, octets: message.subarray(length.next, end) });
      return end;
    }
    default:
      return null;
  }
}

/** At most ten octets. */
function readVarint(message: Buffer, start: number): { readonly value: number; readonly next: number } | null {
  let value = 0;
  for (let index = 0; index < 10; index++) {
    const octet = message[start + index];
    if (octet === undefined) return null;
    value += (octet & 0x7f) * 2 ** (7 * index);
    if (octet < 0x80) return { value, next: start + index + 1 };
  }
  return null;
}
