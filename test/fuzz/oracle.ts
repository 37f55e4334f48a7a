/** The properties that every message must have, and the check of one message. */
import { isIP } from 'node:net';
import { getHeapStatistics } from 'node:v8';
import { type AddressType, classify } from '../../lib/dns/message.js';
import { MalformedMessage } from '../../lib/dns/name.js';
import { type Response, readResponse } from '../../lib/dns/response.js';
import type { ServiceRecord } from '../../lib/dns/service-records.js';
import type { Input } from './generator.js';
import { readByTheRules, serviceText } from './reference.js';

/** The code under test: classifies and reads a response, as over TCP, where a truncated one is read too. */
export interface Subject {
  readonly classify: typeof classify;
  readonly readResponse: typeof readResponse;
}

export const LIBRARY: Subject = { classify, readResponse };

export type Property =
  | 'throws only MalformedMessage'
  | 'takes less than 10 ms'
  | 'allocates in proportion'
  | 'holds what it gives'
  | 'reads what is valid'
  | 'agrees with the rules';

export interface Flaw {
  readonly property: Property;
  readonly detail: string;
}

export interface CheckResult {
  /** Equal for inputs with the same outcome: an input with a new one is kept. */
  readonly signature: string;
  readonly flaw: Flaw | null;
  readonly ms: number;
}

type Outcome =
  | { readonly kind: 'ignored'; readonly why: string }
  | { readonly kind: 'malformed'; readonly why: string }
  | { readonly kind: 'read'; readonly response: Response }
  | { readonly kind: 'threw'; readonly error: unknown };

export const MOST_MS = 10;
/** Another process can slow down some runs, but not all of them. */
const REPEATS = 5;
const SLOW_REPEATS = 20;
/** The smallest address record: an owner of one octet, ten octets of fields, and an address. */
const LEAST_RECORD_OCTETS = 15;
/** Heap octets allowed for each octet of the message, and for any message. */
const HEAP_FACTOR = 64;
const HEAP_FLOOR = 262_144;

export function decode(subject: Subject, { message, query, type }: Input): Outcome {
  try {
    const classification = subject.classify(message, query);
    if (classification !== 'complete' && classification !== 'truncated')
      return { kind: 'ignored', why: classification };
    return { kind: 'read', response: subject.readResponse(message, type) };
  } catch (error) {
    return error instanceof MalformedMessage ? { kind: 'malformed', why: error.message } : { kind: 'threw', error };
  }
}

export interface Effort {
  /** Measure the heap too, which takes some microseconds more. */
  readonly heap: boolean;
  /** Compare with the second reader too, which is slow for large messages. */
  readonly rules: boolean;
}

export function check(subject: Subject, input: Input, effort: Effort = { heap: true, rules: true }): CheckResult {
  const started = performance.now();
  const outcome = decode(subject, input);
  let ms = performance.now() - started;
  for (let run = 0; run < SLOW_REPEATS && ms >= MOST_MS; run++)
    ms = Math.min(
      ms,
      cpuTime(() => decode(subject, input)),
    );
  return { signature: signatureOf(outcome, input), flaw: flawOf(subject, input, outcome, ms, effort), ms };
}

/** The CPU time of this process in milliseconds, which other processes do not affect. */
export function cpuTime(body: () => unknown): number {
  const before = process.cpuUsage();
  body();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function flawOf(subject: Subject, input: Input, outcome: Outcome, ms: number, effort: Effort): Flaw | null {
  if (outcome.kind === 'threw')
    return {
      property: 'throws only MalformedMessage',
      detail: String((outcome.error as Error)?.stack ?? outcome.error),
    };
  if (ms >= MOST_MS) return { property: 'takes less than 10 ms', detail: `${ms.toFixed(1)} ms at best` };
  const heap = effort.heap ? leastGrowth(subject, input) : 0;
  const allowed = HEAP_FLOOR + HEAP_FACTOR * input.message.length;
  if (heap > allowed)
    return { property: 'allocates in proportion', detail: `${heap} octets for ${input.message.length}, at least` };
  return (
    (outcome.kind === 'read' ? ungrounded(input, outcome.response) : null) ??
    unexpected(input, outcome) ??
    (effort.rules ? disagreement(input, outcome) : null)
  );
}

function leastGrowth(subject: Subject, input: Input): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < REPEATS; run++) {
    const before = getHeapStatistics();
    decode(subject, input);
    const after = getHeapStatistics();
    const growth = after.used_heap_size - before.used_heap_size + after.external_memory - before.external_memory;
    // A negative growth means that garbage was collected during the run, which is then not used.
    if (growth >= 0) least = Math.min(least, growth);
    if (least <= HEAP_FLOOR) break;
  }
  return least === Number.POSITIVE_INFINITY ? 0 : least;
}

/** Every address must be the data of an A or AAAA record of class IN in the octets, and there may not be more than fit. */
function ungrounded({ message, type }: Input, response: Response): Flaw | null {
  const flaw = (detail: string): Flaw => ({ property: 'holds what it gives', detail });
  const { addresses, services, refused, ttlMs } = response;
  if (addresses.length + services.length + refused > Math.max(0, message.length - 12) / LEAST_RECORD_OCTETS)
    return flaw(`${addresses.length} addresses and ${refused} refused out of ${message.length} octets`);
  if (new Set(addresses).size !== addresses.length) return flaw('an address is given twice');
  if (!(Number.isInteger(ttlMs) && ttlMs >= 0 && ttlMs <= 0x7fff_ffff * 1000)) return flaw(`a TTL of ${ttlMs} ms`);
  if (type === 'SRV') {
    const strange = addresses.length > 0 || services.some((service) => !isHeld(message, service));
    return strange ? flaw('an address, or a service that is in no record') : null;
  }
  if (services.length > 0) return flaw('a service that was not asked for');
  if (addresses.length === 0) return null;
  const held = heldIn(message, type);
  const invented = addresses.find((address) => isIP(address) !== (type === 'A' ? 4 : 6) || !held.has(hexOf(address)));
  return invented === undefined ? null : flaw(`${JSON.stringify(invented)} is in no record`);
}

/** The numbers of a service must be the data of an SRV record, and its addresses those of A and AAAA records. */
function isHeld(message: Buffer, { priority, weight, port, ipv4, ipv6 }: ServiceRecord): boolean {
  const numbers = Buffer.alloc(6);
  for (const [index, value] of [priority, weight, port].entries()) numbers.writeUInt16BE(value, 2 * index);
  if (port === 0 || !message.includes(numbers)) return port === 0 && ipv4.length + ipv6.length === 0;
  const isIn = (type: AddressType, addresses: readonly string[]): boolean => {
    if (addresses.length === 0) return true;
    const held = heldIn(message, type);
    return addresses.every((text) => isIP(text) === (type === 'A' ? 4 : 6) && held.has(hexOf(text)));
  };
  return isIn('A', ipv4) && isIn('AAAA', ipv6);
}

function textOf({ priority, weight, port, target, ipv4, ipv6 }: ServiceRecord): string {
  return serviceText([priority, weight, port], target, [...ipv4, ...ipv6].map(hexOf).sort());
}

/** All octets that can be the data of such a record, at any offset, as hex. */
function heldIn(message: Buffer, type: AddressType): Set<string> {
  const [kind, length] = type === 'A' ? [1, 4] : [28, 16];
  const typeAndClass = Buffer.from([0, kind, 0, 1]);
  const held = new Set<string>();
  for (let at = message.indexOf(typeAndClass); at !== -1; at = message.indexOf(typeAndClass, at + 1)) {
    const rdata = at + 10;
    if (rdata + length <= message.length && message.readUInt16BE(at + 8) === length)
      held.add(message.toString('hex', rdata, rdata + length));
  }
  return held;
}

/** The octets of an address as hex, by other code than the one that formatted it. */
function hexOf(address: string): string {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number)).toString('hex');
  const parts = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...octets: string[]) => {
    const hex = Buffer.from(octets.slice(0, 4).map(Number)).toString('hex');
    return `${hex.slice(0, 4)}:${hex.slice(4)}`;
  });
  const [head = '', tail] = parts.split('::');
  const groups = (text: string): string[] =>
    text === '' ? [] : text.split(':').map((group) => group.padStart(4, '0'));
  const [front, back] = [groups(head), groups(tail ?? '')];
  return [...front, ...Array<string>(8 - front.length - back.length).fill('0000'), ...back].join('');
}

/** A valid message must be read, and give the addresses that it was made of. */
function unexpected({ expected, expectedServices = [] }: Input, outcome: Outcome): Flaw | null {
  if (expected === undefined) return null;
  const flaw = (detail: string): Flaw => ({ property: 'reads what is valid', detail });
  if (outcome.kind === 'threw') return flaw('a valid message made it throw');
  if (outcome.kind !== 'read') return flaw(`a valid message is ${outcome.kind}: ${outcome.why}`);
  const services = outcome.response.services.map(textOf);
  if (services.join() !== expectedServices.join()) return flaw(`${services} instead of ${expectedServices}`);
  return sameAddresses(outcome.response.addresses, expected)
    ? null
    : flaw(difference(outcome.response.addresses, expected));
}

/** The reader may refuse a message that is too costly; otherwise it must agree with the second reader. */
function disagreement({ message, type }: Input, outcome: Outcome): Flaw | null {
  if (outcome.kind === 'ignored' || (outcome.kind === 'malformed' && outcome.why.includes('too costly'))) return null;
  const flaw = (detail: string): Flaw => ({ property: 'agrees with the rules', detail });
  if (message.length < 12) return flaw('fewer octets than a header were not ignored');
  const reading = readByTheRules(message, type);
  if (outcome.kind === 'malformed')
    return reading.kind === 'malformed' || isQuestionError(outcome.why)
      ? null
      : flaw(`"${outcome.why}", where the rules see nothing wrong`);
  if (reading.kind === 'malformed') return flaw(`read, where the rules see ${reading.why}`);
  if (outcome.kind === 'read' && !sameAddresses(outcome.response.addresses, reading.addresses))
    return flaw(difference(outcome.response.addresses, reading.addresses));
  if (outcome.kind === 'read' && outcome.response.services.map(textOf).join() !== reading.services.join())
    return flaw(`${outcome.response.services.map(textOf)} instead of ${reading.services}`);
  return outcome.kind === 'read' && outcome.response.refused !== reading.refused
    ? flaw(`${outcome.response.refused} refused, ${reading.refused} by the rules`)
    : null;
}

/** An error of the first check, which the second reader does not make. */
function isQuestionError(why: string): boolean {
  return why === 'the question breaks off';
}

function sameAddresses(given: readonly string[], wanted: ReadonlySet<string>): boolean {
  return given.length === wanted.size && given.every((address) => wanted.has(hexOf(address)));
}

function difference(given: readonly string[], wanted: ReadonlySet<string>): string {
  const got = new Set(given.map(hexOf));
  const missing = [...wanted].filter((address) => !got.has(address)).slice(0, 3);
  const extra = [...got].filter((address) => !wanted.has(address)).slice(0, 3);
  return `missing ${missing.join() || 'none'}, too many ${extra.join() || 'none'}`;
}

/** Coarse on purpose, with sizes as logarithms, so that the pool stays small and varied. */
function signatureOf(outcome: Outcome, { message, type }: Input): string {
  const size = (count: number): number => Math.ceil(Math.log2(count + 1));
  if (outcome.kind === 'threw') return `threw ${(outcome.error as Error)?.name}`;
  if (outcome.kind !== 'read') return `${outcome.kind} ${outcome.why} ${size(message.length)}`;
  const { rcode, truncated, addresses, services, refused, ttlMs } = outcome.response;
  const glue = services.reduce((sum, { ipv4, ipv6 }) => sum + ipv4.length + ipv6.length, 0);
  const named = /^RCODE/.test(rcode) ? 'RCODE' : rcode;
  const found = [addresses.length, services.length, glue, refused];
  return [type, named, truncated, ...found.map(size), ttlMs > 0, size(message.length)].join();
}
