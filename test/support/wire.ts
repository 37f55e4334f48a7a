/** DNS messages made octet by octet, so that a test can make any fault. */
import { encodeQuery, type Query } from '../../lib/dns/message.js';

export const HOSTNAME = 'svc.ns.svc.cluster.local';
/** The owner of nearly every record: a pointer to the question's name. */
export const QUESTION = Buffer.from([0xc0, 0x0c]);
export const TYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, DNSKEY: 48 } as const;

export function aQuery(changes: Partial<Query> = {}): Buffer {
  return encodeQuery({ id: 0x1234, hostname: HOSTNAME, type: 'A', edns: false, ...changes });
}

/** A query whose name may hold any octets: `encodeQuery` refuses all but letters, digits, `-` and `_`. */
export function rawQuery({ id, hostname, type, edns }: Query): Buffer {
  const sections = [u16(id), u16(0x0100), u16(1), u16(0), u16(0), u16(edns ? 1 : 0)];
  return Buffer.concat([...sections, name(hostname), u16(TYPE[type]), u16(1), ...(edns ? [opt()] : [])]);
}

export function name(text: string): Buffer {
  const labels = text === '' ? [] : text.split('.');
  return Buffer.concat([
    ...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1')),
    Buffer.alloc(1),
  ]);
}

export function pointer(offset: number): Buffer {
  return Buffer.from([0xc0 | (offset >> 8), offset & 0xff]);
}

export function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

export function u32(value: number): Buffer {
  return Buffer.concat([u16(Math.floor(value / 0x10000)), u16(value % 0x10000)]);
}

export interface RecordParts {
  owner?: Buffer;
  type?: number;
  class?: number;
  ttl?: number;
  rdata?: Buffer;
  /** The length that the record claims for its data. */
  rdlength?: number;
}

export function record(parts: RecordParts = {}): Buffer {
  const { owner = QUESTION, type = TYPE.A, ttl = 30, rdata = ip('10.0.0.1') } = parts;
  return Buffer.concat([owner, u16(type), u16(parts.class ?? 1), u32(ttl), u16(parts.rdlength ?? rdata.length), rdata]);
}

/** Dotted decimals as octets. */
export function ip(text: string): Buffer {
  return Buffer.from(text.split('.').map(Number));
}

export function a(address: string, parts: RecordParts = {}): Buffer {
  return record({ rdata: ip(address), ...parts });
}

export function cname(owner: Buffer, target: Buffer, parts: RecordParts = {}): Buffer {
  return record({ owner, type: TYPE.CNAME, rdata: target, ...parts });
}

/** Priority 0, weight 100 as CoreDNS has it, unless told otherwise. */
export function srv(
  port: number,
  target: Buffer,
  parts: RecordParts & { priority?: number; weight?: number } = {},
): Buffer {
  const { priority = 0, weight = 100, ...rest } = parts;
  return record({ type: TYPE.SRV, rdata: Buffer.concat([u16(priority), u16(weight), u16(port), target]), ...rest });
}

export function aaaa(hex: string, parts: RecordParts = {}): Buffer {
  return record({ type: TYPE.AAAA, rdata: Buffer.from(hex.padStart(32, '0'), 'hex'), ...parts });
}

export function opt(parts: { rcode?: number; rdata?: Buffer; owner?: Buffer } = {}): Buffer {
  const { rcode = 0, rdata = Buffer.alloc(0), owner = Buffer.alloc(1) } = parts;
  return record({ owner, type: TYPE.OPT, class: 1232, ttl: (rcode >> 4) * 0x1000000, rdata });
}

export interface ResponseParts {
  query?: Buffer;
  rcode?: number;
  flags?: number;
  answers?: readonly Buffer[];
  authority?: readonly Buffer[];
  additional?: readonly Buffer[];
  /** The count that the header claims, where it is wrong. */
  ancount?: number;
}

/** A response to `query` that repeats its question. */
export function response(parts: ResponseParts = {}): Buffer {
  const { query = aQuery(), rcode = 0, flags = 0x8180, answers = [], authority = [], additional = [] } = parts;
  const counts = [1, parts.ancount ?? answers.length, authority.length, additional.length];
  return Buffer.concat([
    query.subarray(0, 2),
    u16(flags | (rcode & 0xf)),
    ...counts.map(u16),
    questionOf(query),
    ...answers,
    ...authority,
    ...additional,
  ]);
}

/** The question section of a query with or without an OPT record. */
export function questionOf(query: Buffer): Buffer {
  let end = 12;
  while (query[end] !== 0) end += 1 + (query[end] as number);
  return query.subarray(12, end + 5);
}

/** The offset of the first record after a question for `HOSTNAME`. */
export const FIRST_RECORD = 12 + questionOf(aQuery()).length;

export function frame(message: Buffer): Buffer {
  return Buffer.concat([u16(message.length), message]);
}
