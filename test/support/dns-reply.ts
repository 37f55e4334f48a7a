/**
 * A query as it arrived, and the bytes of a well-formed reply to it. Owner names are compressed, so that as many
 * records fit a datagram as do from CoreDNS (16 bytes a pod), and what does not fit is cut with TC set.
 */
import packet from 'dns-packet';
import type { QueryBits } from '../../lib/dns/message.js';
import type { ZoneRecord } from './dns-zone.js';

export type Transport = 'udp' | 'tcp';

export interface DnsQuery {
  readonly id: number;
  /** As asked, in the case it came in, without a final dot. */
  readonly name: string;
  /** `'A'`, `'AAAA'` … */
  readonly type: string;
  readonly transport: Transport;
  /** `performance.now()` at arrival. */
  readonly at: number;
  /** The UDP size that the query's OPT record offers; undefined without OPT. */
  readonly edns: number | undefined;
  readonly bits: QueryBits;
  /** The whole message. */
  readonly buffer: Buffer;
  /** The question section's bytes. */
  readonly question: Buffer;
}

export const RCODES = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

export type Rcode = keyof typeof RCODES;

export interface Reply {
  readonly rcode: Rcode;
  readonly answers?: readonly ZoneRecord[];
  readonly authority?: readonly ZoneRecord[];
  /** What does not fit is left out, without TC. */
  readonly additional?: readonly ZoneRecord[];
  /** Leave OPT out though the query has one. */
  readonly withoutEdns?: boolean;
  /** Set TC whatever the size. */
  readonly truncated?: boolean;
  /** The longest message allowed, in bytes. */
  readonly limit: number;
}

const HEADER_LENGTH = 12;
/** Of the header's flags (RFC 4035 section 3.2.2). */
const CHECKING_DISABLED = 0x0010;
/** RFC 6891: what we offer in our own OPT; CoreDNS's `bufsize` default. */
const OUR_UDP_SIZE = 1232;

/** Throws on anything that is not a query with one question. */
export function parseQuery(buffer: Buffer, transport: Transport): DnsQuery {
  const decoded = packet.decode(buffer);
  const question = decoded.questions?.[0];
  if (question === undefined) throw new Error('a query without a question');
  const opt = decoded.additionals?.find((record) => record.type === 'OPT') as
    | { udpPayloadSize: number; flag_do: boolean }
    | undefined;
  let end = HEADER_LENGTH;
  while ((buffer[end] ?? 0) !== 0) end += 1 + (buffer[end] ?? 0);
  return {
    id: decoded.id ?? 0,
    name: question.name,
    type: question.type,
    transport,
    at: performance.now(),
    edns: opt?.udpPayloadSize,
    bits: { dnssecOk: opt?.flag_do ?? false, checkingDisabled: (buffer.readUInt16BE(2) & CHECKING_DISABLED) !== 0 },
    buffer,
    question: buffer.subarray(HEADER_LENGTH, end + 5),
  };
}

export function encodeReply(query: DnsQuery, reply: Reply): Buffer {
  const rcode = RCODES[reply.rcode];
  const opt = query.edns === undefined || reply.withoutEdns ? Buffer.alloc(0) : encodeOpt(rcode >> 4);
  const room = reply.limit - HEADER_LENGTH - query.question.length - opt.length;
  const writer = new RecordWriter(query, HEADER_LENGTH + query.question.length, room);
  const answers = reply.answers ?? [];
  const answered = writer.write(answers);
  const authority = reply.authority ?? [];
  // RFC 2181 section 9: TC is for data that was asked for; a denial whose SOA does not fit merely goes without.
  const authoritative = answered === answers.length ? writer.write(authority) : 0;
  const more = answered === answers.length ? writer.write(reply.additional ?? []) : 0;
  const truncated = reply.truncated || answered < answers.length;

  const header = Buffer.alloc(HEADER_LENGTH);
  header.writeUInt16BE(query.id, 0);
  const recursionDesired = query.buffer.readUInt16BE(2) & 0x0100;
  const RESPONSE_AUTHORITATIVE_RECURSIVE = 0x8000 | 0x0400 | 0x0080;
  header.writeUInt16BE(
    RESPONSE_AUTHORITATIVE_RECURSIVE | recursionDesired | (truncated ? 0x0200 : 0) | (rcode & 15),
    2,
  );
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answered, 6);
  header.writeUInt16BE(authoritative, 8);
  header.writeUInt16BE(more + (opt.length > 0 ? 1 : 0), 10);
  return Buffer.concat([header, query.question, ...writer.chunks, opt]);
}

/** Right id, right question, one record announced, and that record cut in the middle of its address. */
export function encodeMalformedReply(query: DnsQuery): Buffer {
  const whole = encodeReply(
    { ...query, edns: undefined },
    { rcode: 'NOERROR', answers: [{ name: query.name, type: 'A', ttl: 5, data: '10.0.0.1' }], limit: 65_535 },
  );
  return whole.subarray(0, -2);
}

/** A TCP frame: two bytes of length, then the message (RFC 1035 section 4.2.2). */
export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length, 0);
  return Buffer.concat([length, message]);
}

class RecordWriter {
  readonly chunks: Buffer[] = [];
  readonly #owners = new Map<string, number>();
  #offset: number;
  #room: number;

  constructor(query: DnsQuery, offset: number, room: number) {
    this.#owners.set(query.name.toLowerCase(), HEADER_LENGTH);
    this.#offset = offset;
    this.#room = room;
  }

  /** How many of them fitted. */
  write(records: readonly ZoneRecord[]): number {
    for (const [index, record] of records.entries()) {
      const chunk = this.#encode(record);
      if (chunk.length > this.#room) return index;
      if (!this.#owners.has(record.name)) this.#owners.set(record.name, this.#offset);
      this.#offset += chunk.length;
      this.#room -= chunk.length;
      this.chunks.push(chunk);
    }
    return records.length;
  }

  #encode(record: ZoneRecord): Buffer {
    const known = this.#owners.get(record.name);
    // A pointer has 14 bits; further away the name is written out again.
    if (known === undefined || known > 0x3fff) return encodeRecord(record);
    // The root name is the one byte 0: replaced by two bytes of pointer.
    const pointer = Buffer.from([0xc0 | (known >> 8), known & 0xff]);
    return Buffer.concat([pointer, encodeRecord({ ...record, name: '.' }).subarray(1)]);
  }
}

function encodeRecord(record: ZoneRecord): Buffer {
  const answer = toAnswer(record);
  // A whole message, of which the one record is wanted: the library exports no encoder for a record alone.
  return packet.encode({ type: 'response', answers: [answer] }).subarray(HEADER_LENGTH);
}

function toAnswer({ name, type, ttl, data, service }: ZoneRecord): packet.Answer {
  switch (type) {
    case 'SOA':
      return { name, type, ttl, data: { mname: `ns.${name}`, rname: `hostmaster.${name}`, minimum: ttl } };
    case 'SRV':
      return { name, type, ttl, data: service ?? { port: 0, target: '.' } };
    default:
      return { name, type, ttl, data };
  }
}

function encodeOpt(extendedRcode: number): Buffer {
  const opt = Buffer.alloc(11);
  opt.writeUInt16BE(41, 1);
  opt.writeUInt16BE(OUR_UDP_SIZE, 3);
  opt.writeUInt8(extendedRcode, 5);
  return opt;
}
