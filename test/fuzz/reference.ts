/**
 * A second reader of responses, to compare the real one with: written from the rules, simple and slow, with names as
 * lists of labels. Where the two disagree one of them is wrong.
 */
import type { RecordType } from '../../lib/dns/message.js';

export type Reading =
  | { readonly kind: 'malformed'; readonly why: string }
  /** Addresses as hex. Those that no connection can be opened to are left out and counted. */
  | {
      readonly kind: 'read';
      readonly addresses: ReadonlySet<string>;
      readonly services: readonly string[];
      readonly refused: number;
    };

interface Rr {
  readonly owner: string;
  readonly ownerAt: number;
  readonly type: number;
  readonly isIn: boolean;
  readonly isAnswer: boolean;
  readonly isAdditional: boolean;
  readonly rdata: Buffer;
  readonly rdataAt: number;
}

class Broken extends Error {}

const A = 1;
const CNAME = 5;
const AAAA = 28;
const SRV = 33;
const OPT = 41;

export function readByTheRules(message: Buffer, type: RecordType): Reading {
  try {
    return read(message, type);
  } catch (error) {
    if (error instanceof Broken) return { kind: 'malformed', why: error.message };
    throw error;
  }
}

function read(message: Buffer, type: RecordType): Reading {
  const questions = message.readUInt16BE(4);
  const answers = message.readUInt16BE(6);
  const records = answers + message.readUInt16BE(8) + message.readUInt16BE(10);
  let at = 12;
  let asked = '';
  if (questions > 0) {
    const question = nameAt(message, 12);
    asked = question.text;
    at = question.end + 4;
  }
  const all: Rr[] = [];
  for (let index = 0; index < records; index++) {
    if (at >= message.length) throw new Broken('too few records');
    const { text: owner, end } = nameAt(message, at);
    if (end + 10 > message.length) throw new Broken('a record is cut');
    const rdataAt = end + 10;
    const rdata = message.subarray(rdataAt, rdataAt + message.readUInt16BE(end + 8));
    if (rdata.length !== message.readUInt16BE(end + 8)) throw new Broken('rdata is cut');
    all.push({
      owner,
      ownerAt: at,
      type: message.readUInt16BE(end),
      isIn: message.readUInt16BE(end + 2) === 1,
      isAnswer: index < answers,
      isAdditional: index >= answers + message.readUInt16BE(8),
      rdata,
      rdataAt,
    });
    at = rdataAt + rdata.length;
  }

  const opts = all.filter((rr) => rr.type === OPT);
  if (opts.length > 1) throw new Broken('two OPTs');
  // The root as one octet 0 (RFC 6891 section 6.1.2), not as a pointer to one.
  for (const { ownerAt, rdata } of opts)
    if (message[ownerAt] !== 0 || !areOptions(rdata)) throw new Broken('a bad OPT');
  const ours = all.filter((rr) => rr.isIn && rr.type !== OPT);
  for (const { type: t, rdata } of ours)
    if ((t === A && rdata.length !== 4) || (t === AAAA && rdata.length !== 16)) throw new Broken('a bad address');

  const answered = ours.filter((rr) => rr.isAnswer);
  const names = chainFrom(message, asked, answered);
  if (type === 'SRV') return readServices(message, ours, names);
  const wanted = type === 'A' ? A : AAAA;
  const found = answered.filter((rr) => rr.type === wanted && names.has(rr.owner)).map(({ rdata }) => rdata);
  const hex = (all: readonly Buffer[]): Set<string> => new Set(all.map((octets) => octets.toString('hex')));
  return {
    kind: 'read',
    addresses: hex(found.filter(isConnectable)),
    services: [],
    refused: hex(found.filter((octets) => !isConnectable(octets))).size,
  };
}

/** A service as text: its three numbers, its target, and the addresses of its target as hex, in order. */
export function serviceText(numbers: readonly number[], target: string, addresses: readonly string[]): string {
  return [numbers.join('/'), target, ...addresses].join(' ');
}

function readServices(message: Buffer, ours: readonly Rr[], names: ReadonlySet<string>): Reading {
  const services: string[] = [];
  const refusedAddresses = new Set<string>();
  let refused = 0;
  for (const { rdata, rdataAt } of ours.filter((rr) => rr.isAnswer && rr.type === SRV && names.has(rr.owner))) {
    if (rdata.length < 7) throw new Broken('a short SRV');
    const { text: target, end } = nameAt(message, rdataAt + 6);
    if (end !== rdataAt + rdata.length) throw new Broken('an SRV of another length');
    const numbers = [rdata.readUInt16BE(0), rdata.readUInt16BE(2), rdata.readUInt16BE(4)];
    const labels = target === '' ? [] : target.split(',').map((label) => Buffer.from(label, 'hex').toString('latin1'));
    const isHostname = labels.every((label) => /^[a-z0-9_-]+$/.test(label));
    const owned = ours.filter((rr) => rr.isAdditional && rr.owner === target && target !== '');
    const addresses = owned.filter((rr) => rr.type === A || rr.type === AAAA).map((rr) => rr.rdata);
    if (isHostname)
      for (const octets of addresses) if (!isConnectable(octets)) refusedAddresses.add(octets.toString('hex'));
    if (!isHostname || (numbers[2] === 0 && target !== '')) {
      refused += 1;
      continue;
    }
    const usable = addresses.filter(isConnectable).map((octets) => octets.toString('hex'));
    services.push(serviceText(numbers, labels.join('.'), [...new Set(usable)].sort()));
  }
  return { kind: 'read', addresses: new Set(), services, refused: refused + refusedAddresses.size };
}

function chainFrom(message: Buffer, asked: string, answers: readonly Rr[]): Set<string> {
  const names = new Set([asked]);
  for (let current = asked; ; ) {
    const alias = answers.find((rr) => rr.type === CNAME && rr.owner === current);
    if (alias === undefined) return names;
    const { text, end } = nameAt(message, alias.rdataAt);
    if (end !== alias.rdataAt + alias.rdata.length) throw new Broken('a CNAME of another length');
    if (names.has(text)) throw new Broken('a loop');
    if (names.size > 16) throw new Broken('a long chain');
    names.add(text);
    current = text;
  }
}

/** The name as hex of its labels, each with its length, lower case. */
function nameAt(message: Buffer, start: number): { text: string; end: number } {
  const labels: string[] = [];
  let octets = 1;
  let end = -1;
  let pointers = 0;
  let floor = start;
  for (let at = start; ; ) {
    const length = message[at];
    if (length === undefined) throw new Broken('a name is cut');
    if (length === 0) return { text: labels.join(), end: end === -1 ? at + 1 : end };
    if (length >= 0xc0) {
      if (at + 1 >= message.length) throw new Broken('a pointer is cut');
      const target = message.readUInt16BE(at) & 0x3fff;
      if (target < 12 || target >= floor) throw new Broken('a pointer that does not lead back');
      if (++pointers > 126) throw new Broken('too many pointers');
      if (end === -1) end = at + 2;
      floor = target;
      at = target;
    } else {
      if (length > 63) throw new Broken('a label of an unknown type');
      octets += 1 + length;
      if (octets > 255) throw new Broken('a long name');
      labels.push(
        Buffer.from(message.toString('latin1', at + 1, at + 1 + length).replace(/[A-Z]/g, lower), 'latin1').toString(
          'hex',
        ),
      );
      at += 1 + length;
    }
  }
}

/** ASCII only: `toLowerCase` would fold Latin-1's letters too. */
function lower(letter: string): string {
  return String.fromCharCode(letter.charCodeAt(0) + 32);
}

function areOptions(rdata: Buffer): boolean {
  let at = 0;
  while (at + 4 <= rdata.length) at += 4 + rdata.readUInt16BE(at + 2);
  return at === rdata.length;
}

const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

function isConnectable(octets: Buffer): boolean {
  const first = octets[0] as number;
  if (octets.length === 4) return first > 0 && first < 224;
  if (octets.subarray(0, 12).equals(MAPPED)) return isConnectable(octets.subarray(12));
  return first !== 0xff && octets.some((octet) => octet !== 0);
}
