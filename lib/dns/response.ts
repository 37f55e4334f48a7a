/**
 * Reads a response that `classify` found to be to our query. Strict where an error could produce a wrong address: the
 * lengths of all records must be right to the last octet. The data of records of other types is not read at all.
 */
import { formatIPv4, formatIPv6, isConnectable, isConnectableIPv4 } from './address.js';
import { type RecordType, rcodeName } from './message.js';
import { HEADER_OCTETS, MalformedMessage, NameReader } from './name.js';
import { ServiceReader, type ServiceRecord, type Services } from './service-records.js';

export interface Response {
  /** The mnemonic, with the bits that EDNS adds. */
  readonly rcode: string;
  /** The TC bit: the addresses are a part of the set. */
  readonly truncated: boolean;
  /** Of the type asked for, under the name asked for or the end of its CNAME chain; each once, all connectable. */
  readonly addresses: readonly string[];
  /** Where SRV was asked for: those under the name asked for or the end of its CNAME chain. Otherwise empty. */
  readonly services: readonly ServiceRecord[];
  /** How many different addresses were left out because no connection can be opened to them. */
  readonly refused: number;
  /**
   * With addresses or services: the smallest TTL along the CNAME chain and among them. Without: the SOA's negative TTL (RFC 2308
   * section 5), or 0 where there is none. A TTL with its top bit set counts as 0 (RFC 2181 section 8), so that this
   * is at most 2^31-1 seconds.
   */
  readonly ttlMs: number;
}

const TYPE = { A: 1, CNAME: 5, SOA: 6, AAAA: 28, SRV: 33, OPT: 41 } as const;
const CLASS_IN = 1;
const TC = 0x0200;
const IPV4_OCTETS = 4;
const IPV6_OCTETS = 16;
/** Type, class, TTL and RDLENGTH. */
const RECORD_OCTETS = 10;
/** Two root names and five numbers: the shortest SOA there can be. */
const MIN_SOA_OCTETS = 22;
/** How many CNAMEs resolvers commonly follow. */
const MAX_CHAIN = 16;
/** A pointer to the question's name, which nearly every owner is. */
const QUESTION_POINTER = 0xc000 | HEADER_OCTETS;

const NO_SERVICES: Services = { records: [], refused: 0 };

/** An address whose owner is not simply the question's name. */
interface AddressRecord {
  readonly owner: number;
  readonly rdata: number;
  readonly ttl: number;
}

interface Alias {
  readonly owner: number;
  readonly target: number;
  readonly end: number;
  readonly ttl: number;
}

/** @throws MalformedMessage; then no part of the message may be used. */
export function readResponse(message: Buffer, type: RecordType): Response {
  const flags = u16(message, 2);
  const names = new NameReader(message);
  const wanted = TYPE[type];
  const answers = u16(message, 6);
  const additionalStart = answers + u16(message, 8);
  const records = additionalStart + u16(message, 10);
  const services = type === 'SRV' ? new ServiceReader(message, names) : null;
  const addressSet = new AddressSet(message, type);
  const otherOwners: AddressRecord[] = [];
  const aliases: Alias[] = [];
  let extendedRcode = -1;
  let negativeTtl = 0;

  let at = u16(message, 4) === 0 ? HEADER_OCTETS : names.skip(HEADER_OCTETS) + 4;
  for (let index = 0; index < records; index++) {
    const owner = at;
    if (owner + 2 > message.length) throw new MalformedMessage('fewer records than the header says');
    const direct = u16(message, owner) === QUESTION_POINTER;
    at = direct ? owner + 2 : names.skip(owner);
    const rdata = at + RECORD_OCTETS;
    if (rdata > message.length) throw new MalformedMessage('a record breaks off');
    const recordType = u16(message, at);
    const recordClass = u16(message, at + 2);
    const ttl = u32(message, at + 4);
    const end = rdata + u16(message, at + 8);
    if (end > message.length) throw new MalformedMessage("a record's data run past the end");
    at = end;

    if (recordType === TYPE.OPT) {
      if (extendedRcode !== -1) throw new MalformedMessage('two OPT records');
      checkOptions(message, owner, rdata, end);
      extendedRcode = ttl >>> 24;
      continue;
    }
    if (recordClass !== CLASS_IN) continue;
    // Of any owner, in any section: a server that gets this wrong cannot be trusted with the rest.
    if (recordType === TYPE.A && end - rdata !== IPV4_OCTETS) throw new MalformedMessage('an A of other than 4 octets');
    if (recordType === TYPE.AAAA && end - rdata !== IPV6_OCTETS)
      throw new MalformedMessage('an AAAA of other than 16 octets');

    if (index < answers) {
      if (recordType === wanted) {
        if (services !== null) services.addService({ owner, rdata, end, ttl });
        else if (direct) addressSet.add(rdata, ttl);
        else otherOwners.push({ owner, rdata, ttl });
      } else if (recordType === TYPE.CNAME) aliases.push({ owner, target: rdata, end, ttl });
    } else if (recordType === TYPE.SOA && end - rdata >= MIN_SOA_OCTETS) {
      // MINIMUM is its last field, so that the two names before it need not be read.
      negativeTtl = Math.min(readTtl(ttl), readTtl(u32(message, end - 4)));
    } else if (services !== null && index >= additionalStart && (recordType === TYPE.A || recordType === TYPE.AAAA))
      services.addAddress({ owner, rdata, end, ttl, isIPv4: recordType === TYPE.A });
  }

  let found = NO_SERVICES;
  if (aliases.length > 0 || otherOwners.length > 0 || services !== null) {
    const chain = followChain(names, aliases, addressSet);
    const isOwned = ownerCheck(chain, names);
    for (const { owner, rdata, ttl } of otherOwners) if (isOwned(owner)) addressSet.add(rdata, ttl);
    if (services !== null) found = services.read(isOwned, (ttl) => addressSet.lowerTtl(ttl));
  }
  const addresses = addressSet.addresses;
  const isPositive = addresses.length > 0 || found.records.length > 0;
  return {
    rcode: rcodeName((Math.max(extendedRcode, 0) << 4) | (flags & 0xf)),
    truncated: (flags & TC) !== 0,
    addresses,
    services: found.records,
    refused: addressSet.refused + found.refused,
    ttlMs: (isPositive ? addressSet.ttl : negativeTtl) * 1000,
  };
}

/** The addresses collected so far, and the smallest TTL along the chain and among them. */
class AddressSet {
  readonly #message: Buffer;
  readonly #isIPv4: boolean;
  readonly #usable = new Set<string>();
  readonly #refused = new Set<string>();
  ttl = 0x7fff_ffff;

  constructor(message: Buffer, type: RecordType) {
    this.#message = message;
    this.#isIPv4 = type === 'A';
  }

  add(rdata: number, ttl: number): void {
    const text = this.#isIPv4 ? formatIPv4(this.#message, rdata) : formatIPv6(this.#message, rdata);
    const usable = this.#isIPv4 ? isConnectableIPv4(this.#message[rdata] as number) : isConnectable(text);
    (usable ? this.#usable : this.#refused).add(text);
    this.lowerTtl(ttl);
  }

  lowerTtl(ttl: number): void {
    this.ttl = Math.min(this.ttl, readTtl(ttl));
  }

  get addresses(): string[] {
    return [...this.#usable];
  }

  get refused(): number {
    return this.#refused.size;
  }
}

/** RFC 6891 section 6.1.2: owned by the root, its data a sequence of options. */
function checkOptions(message: Buffer, owner: number, rdata: number, end: number): void {
  if (message[owner] !== 0) throw new MalformedMessage('an OPT that is not owned by the root');
  let at = rdata;
  while (at < end) {
    if (at + 4 > end) throw new MalformedMessage('an EDNS option breaks off');
    at += 4 + u16(message, at + 2);
  }
  if (at !== end) throw new MalformedMessage('an EDNS option runs past its record');
}

/** The names from the question's to the last alias's target, in whatever order the records came. */
function followChain(names: NameReader, aliases: readonly Alias[], addressSet: AddressSet): readonly number[] {
  const chain = [HEADER_OCTETS];
  for (let current = HEADER_OCTETS; ; ) {
    const alias = aliases.find(({ owner }) => names.equal(owner, current));
    if (alias === undefined) return chain;
    // Checked here, because an alias that is not part of the chain is an unrelated record.
    if (names.skip(alias.target) !== alias.end) throw new MalformedMessage('a CNAME that does not fill its record');
    if (chain.some((name) => names.equal(name, alias.target))) throw new MalformedMessage('a loop of CNAMEs');
    if (chain.length > MAX_CHAIN) throw new MalformedMessage(`a chain of more than ${MAX_CHAIN} CNAMEs`);
    addressSet.lowerTtl(alias.ttl);
    current = alias.target;
    chain.push(current);
  }
}

/** Whether an owner is a name of the chain. */
function ownerCheck(chain: readonly number[], names: NameReader): (owner: number) => boolean {
  // After a CNAME most owners are the same pointer: remembering the last result saves nearly all comparisons.
  let lastPointer = -1;
  let lastIsOwned = false;
  return (owner) => {
    const pointer = names.pointerAt(owner);
    if (pointer === -1 || pointer !== lastPointer) lastIsOwned = chain.some((name) => names.equal(name, owner));
    lastPointer = pointer;
    return lastIsOwned;
  };
}

/** Buffer's own readers check their arguments, which is slow for thousands of records. Here callers check bounds. */
function u16(octets: Uint8Array, at: number): number {
  return ((octets[at] as number) << 8) | (octets[at + 1] as number);
}

function u32(octets: Uint8Array, at: number): number {
  return ((u16(octets, at) << 16) | u16(octets, at + 2)) >>> 0;
}

/** RFC 2181 section 8. */
function readTtl(ttl: number): number {
  return ttl > 0x7fff_ffff ? 0 : ttl;
}
