/**
 * Encodes queries, and classifies what comes back: is this message a response to our query at all? The content of a
 * response is read in `response.ts`. The only importer of dns-packet, which encodes well but checks neither the names
 * that it encodes nor what it decodes; therefore names are checked here, and responses have a reader of our own.
 */
import { CHECKING_DISABLED, DNSSEC_OK, encode, RECURSION_DESIRED } from 'dns-packet';
import { assertHostname } from './hostname.js';
import { HEADER_OCTETS, MalformedMessage, NameReader, sameOctets } from './name.js';

export type AddressType = 'A' | 'AAAA';

export type RecordType = AddressType | 'SRV';

export interface Question<T extends RecordType = RecordType> {
  /** Without a final dot. */
  readonly hostname: string;
  readonly type: T;
}

/**
 * Two bits of a query that change nothing about its addresses, but by which caches may keep separate entries: CoreDNS's
 * `cache` and NodeLocal DNSCache have one for each combination.
 */
export interface QueryBits {
  /** DO: asks for DNSSEC records (RFC 3225). It is a bit of the OPT record, so that it needs EDNS. */
  readonly dnssecOk: boolean;
  /** CD: the resolver need not validate (RFC 4035 section 3.2.2). */
  readonly checkingDisabled: boolean;
}

/** What every other client sends. */
export const PLAIN_BITS: QueryBits = { dnssecOk: false, checkingDisabled: false };

/** Both bits default to false. */
export interface Query extends Question, Partial<QueryBits> {
  /** 0 to 65535. */
  readonly id: number;
  /** Sends an OPT record (RFC 6891) that allows responses of `EDNS_UDP_OCTETS`. */
  readonly edns: boolean;
}

/** The largest response that needs no fragments on any IPv6 path (DNS flag day 2020). */
export const EDNS_UDP_OCTETS = 1232;

const FORMERR = 1;
const QR = 0x8000;
const OPCODE = 0x7800;
const TC = 0x0200;

/**
 * The message that asks for `query`, recursion desired. Without EDNS the DO bit is left out.
 * @throws HeadlessError `ERR_HEADLESS_TARGET` for a name that DNS cannot be asked for.
 */
export function encodeQuery(query: Query): Buffer {
  assertHostname(query.hostname);
  return encode({
    type: 'query',
    id: query.id,
    flags: RECURSION_DESIRED | (query.checkingDisabled ? CHECKING_DISABLED : 0),
    questions: [{ type: query.type, name: query.hostname, class: 'IN' }],
    additionals: query.edns
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: EDNS_UDP_OCTETS,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: query.dnssecOk ? DNSSEC_OK : 0,
            // What is sent are the flags; the type asks for this one too.
            flag_do: query.dnssecOk ?? false,
            options: [],
          },
        ]
      : [],
  });
}

/**
 * What a message is to the sender of a query.
 * - `not-a-response`: shorter than a header, not a response, of another opcode, or not of exactly one question;
 * - `id-mismatch`, `question-mismatch`: a response, but not to this query;
 * - `truncated`: a response to this query with the TC bit: it holds a part (RFC 2181 section 9), cut anywhere;
 * - `complete`: a response to this query, to be read.
 */
export type Classification = 'not-a-response' | 'id-mismatch' | 'question-mismatch' | 'truncated' | 'complete';

/**
 * Reads the header and the question only. The question's name is compared octet by octet, ASCII letters without case
 * (RFC 4343).
 * @param query the message as sent, made by `encodeQuery`.
 * @throws MalformedMessage where the question is cut off or its name is not valid.
 */
export function classify(message: Buffer, query: Buffer): Classification {
  if (message.length < HEADER_OCTETS) return 'not-a-response';
  const flags = message.readUInt16BE(2);
  if ((flags & QR) === 0 || (flags & OPCODE) !== 0) return 'not-a-response';
  const headerOnly = isBareFormErr(message);
  if (message.readUInt16BE(4) !== 1 && !headerOnly) return 'not-a-response';
  if (message.readUInt16BE(0) !== query.readUInt16BE(0)) return 'id-mismatch';
  if (headerOnly) return 'complete';

  const questionEnd = new NameReader(message).skip(HEADER_OCTETS) + 4;
  if (questionEnd > message.length) throw new MalformedMessage('the question breaks off');
  // Length octets are below 'A', so that comparing without case cannot confuse them with letters.
  const ownEnd = new NameReader(query).skip(HEADER_OCTETS) + 4;
  const nameOctets = ownEnd - 4 - HEADER_OCTETS;
  const same =
    questionEnd === ownEnd &&
    sameOctets(message, HEADER_OCTETS, query, HEADER_OCTETS, nameOctets) &&
    message.readUInt32BE(ownEnd - 4) === query.readUInt32BE(ownEnd - 4);
  if (!same) return 'question-mismatch';
  return (flags & TC) === 0 ? 'complete' : 'truncated';
}

/**
 * A server older than EDNS may be unable to read the question, and then cannot repeat it (RFC 6891 section 7). It is
 * safe to accept: it only makes us ask the same question without EDNS.
 */
function isBareFormErr(message: Buffer): boolean {
  return message.length === HEADER_OCTETS && (message.readUInt16BE(2) & 0xf) === FORMERR && !message.some(isCount);
}

function isCount(octet: number, index: number): boolean {
  return index >= 4 && octet !== 0;
}

/** IANA's mnemonics, upper case. Those above 15 need EDNS (RFC 6891 section 6.1.3). */
const RCODES: ReadonlyMap<number, string> = new Map([
  [0, 'NOERROR'],
  [1, 'FORMERR'],
  [2, 'SERVFAIL'],
  [3, 'NXDOMAIN'],
  [4, 'NOTIMP'],
  [5, 'REFUSED'],
  [6, 'YXDOMAIN'],
  [7, 'YXRRSET'],
  [8, 'NXRRSET'],
  [9, 'NOTAUTH'],
  [10, 'NOTZONE'],
  [11, 'DSOTYPENI'],
  [16, 'BADVERS'],
  [23, 'BADCOOKIE'],
]);

export function rcodeName(rcode: number): string {
  return RCODES.get(rcode) ?? `RCODE${rcode}`;
}
