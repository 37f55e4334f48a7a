/** Random valid responses, randomly compressed, with the addresses that must be read from them. */
import type { AddressType, RecordType } from '../../lib/dns/message.js';
import { a, cname, name, opt, pointer, QUESTION, rawQuery, record, response, srv, TYPE } from '../support/wire.js';
import type { RandomSource } from './random-source.js';
import { serviceText } from './reference.js';

/** A message to decode, and the query that it should be a response to. */
export interface Input {
  readonly query: Buffer;
  readonly type: RecordType;
  readonly message: Buffer;
  /** The addresses that a valid message must give, as hex octets; undefined where that is unknown. */
  readonly expected?: ReadonlySet<string>;
  /** The services that a valid message must give, as `serviceText` writes them, in order. */
  readonly expectedServices?: readonly string[];
}

const LONGEST = [63, 63, 63, 61].map((length) => 'a'.repeat(length)).join('.');
/** One of them consists of the neighbours of the letters in ASCII, which have no case. */
const HOSTNAMES = ['svc.ns.svc.cluster.local', 'hello.shop', 'x', 'a.b.c.d.e.f.g.h.i.j', 'a@[z.{`', LONGEST];
const COUNTS = [0, 1, 1, 2, 3, 5, 28];
const MAX_CHAIN = 16;
/** The part of 64 KB that is left for addresses. */
const MOST_RECORD_OCTETS = 60_000;
/** Types that are skipped, private use and unassigned ones among them. */
const OTHER_TYPES = [TYPE.NS, TYPE.SOA, TYPE.TXT, TYPE.DNSKEY, 0, 12, 15, 33, 46, 64, 250, 255, 65_280];

export function generate(random: RandomSource): Input {
  return random.chance(0.25) ? generateServices(random) : generateAddresses(random);
}

/** SRV records whose targets have addresses in the additional section, or have not. */
function generateServices(random: RandomSource): Input {
  const hostname = random.pick(['_grpc._tcp.svc.ns.svc.cluster.local', '_x._tcp.x']);
  const query = rawQuery({ id: random.below(0x10000), hostname, type: 'SRV', edns: random.chance(0.5) });
  const { records, owner } = aliases(random, hostname, MAX_CHAIN);
  // The chain does not move: a target may be compressed to a name that comes before it.
  const answers = [...records];
  const additional: Buffer[] = [];
  const expectedServices: string[] = [];
  const targets = random.pick(COUNTS);
  for (let index = 0; index < targets; index++) {
    const target = random.chance(0.05) ? '' : `pod-${index}.svc.ns`;
    const numbers = [random.below(4), random.below(0x10000), random.between(1, 0xffff)] as const;
    const [priority, weight, port] = numbers;
    answers.push(
      srv(port, name(changeCase(random, target)), { priority, weight, owner: owner(), ttl: random.below(3_600) }),
    );
    const addresses = new Set<string>();
    for (const type of target === '' ? [] : random.pick([[], ['A'], ['AAAA'], ['A', 'AAAA'], ['A', 'A']] as const)) {
      const octets = address(random, type);
      additional.push(record({ owner: name(changeCase(random, target)), type: TYPE[type], rdata: octets }));
      if (type === 'AAAA' || isPods(octets)) addresses.add(octets.toString('hex'));
    }
    expectedServices.push(serviceText(numbers, target, [...addresses].sort()));
  }
  if (random.chance(0.5)) additional.push(opt());
  const message = response({
    query,
    flags: 0x8180 | random.pick([0, 0, 0x0200]),
    answers: random.chance(0.5) ? answers : [...answers, unrelated(random, TYPE.SRV)],
    authority: random.chance(0.5) ? [] : [unrelated(random)],
    additional: random.shuffled(additional),
  });
  return { query, type: 'SRV', message, expected: new Set(), expectedServices };
}

function generateAddresses(random: RandomSource): Input {
  const hostname = random.pick(HOSTNAMES);
  const type: AddressType = random.chance(0.7) ? 'A' : 'AAAA';
  const query = rawQuery({ id: random.below(0x10000), hostname, type, edns: random.chance(0.5) });
  const count = random.chance(0.003) ? random.between(1_000, 4_000) : random.pick(COUNTS);
  // Comparing thousands of written-out names with each name of a long chain may exceed the reader's budget.
  const { records, owner } = aliases(random, hostname, count > 1_000 ? 2 : MAX_CHAIN);
  const expected = new Set<string>();
  let room = MOST_RECORD_OCTETS;
  for (let index = 0; index < count; index++) {
    const octets = address(random, type);
    const one = record({ owner: owner(), type: TYPE[type], rdata: octets, ttl: random.below(0x1_0000_0000) });
    room -= one.length;
    if (room < 0) break;
    records.push(one);
    if (type === 'AAAA' || isPods(octets)) expected.add(octets.toString('hex'));
  }
  const unrelatedRecords = (most: number): Buffer[] =>
    Array.from({ length: random.below(most + 1) }, () => unrelated(random));
  const additional = unrelatedRecords(2);
  if (random.chance(0.5))
    additional.splice(random.below(additional.length + 1), 0, opt({ rcode: random.pick([0, 0, 16]) }));
  const message = response({
    query,
    flags: 0x8180 | random.pick([0, 0, 0x0200, 0x0400, 0x7f]) | random.pick([0, 0, 3]),
    answers: random.shuffled([...records, ...unrelatedRecords(1)]),
    authority: unrelatedRecords(2),
    additional,
  });
  return { query, type, message, expected };
}

/** A chain of CNAMEs, mostly none, and what owns the addresses at its end. */
function aliases(random: RandomSource, hostname: string, longest: number): { records: Buffer[]; owner: () => Buffer } {
  const depth = random.chance(0.7) ? 0 : random.between(1, longest);
  if (depth === 0) return { records: [], owner: () => questionName(random, hostname) };
  const target = (step: number): Buffer => name(changeCase(random, `n${step}.example`));
  const records = Array.from({ length: depth }, (_, step) =>
    cname(step === 0 ? questionName(random, hostname) : target(step), target(step + 1), { ttl: random.below(3_600) }),
  );
  return { records, owner: () => target(depth) };
}

/** The question's name: as a pointer, written out, or a label and a pointer. */
function questionName(random: RandomSource, hostname: string): Buffer {
  if (random.chance(0.8)) return QUESTION;
  const [first = ''] = hostname.split('.');
  if (hostname === first || random.chance(0.5)) return name(changeCase(random, hostname));
  const head = name(changeCase(random, first)).subarray(0, -1);
  return Buffer.concat([head, pointer(12 + head.length)]);
}

function changeCase(random: RandomSource, text: string): string {
  return random.chance(0.5)
    ? text
    : text.replace(/[a-z]/g, (letter) => (random.chance(0.5) ? letter.toUpperCase() : letter));
}

function address(random: RandomSource, type: AddressType): Buffer {
  if (type === 'A') return random.octets(4);
  // Many zeroes, for `::`; never an address that is refused.
  const octets = random.octets(16).map((octet) => (random.chance(0.5) ? 0 : octet));
  octets[0] = 0xfd;
  return Buffer.from(octets);
}

function isPods(octets: Buffer): boolean {
  return (octets[0] as number) > 0 && (octets[0] as number) < 224;
}

/** A record of another type than the one asked for, or of another class or owner, which must be skipped. */
function unrelated(random: RandomSource, asked?: number): Buffer {
  switch (random.below(4)) {
    case 0:
      return a('10.9.9.9', { owner: name('else.where') });
    case 1:
      return a('10.9.9.9', { class: random.pick([0, 2, 3, 254, 255, 0x8001]) });
    case 2:
      return cname(name('alias.example'), name('target.example'));
    default:
      return record({
        type: random.pick(OTHER_TYPES.filter((type) => type !== asked)),
        rdata: random.octets(random.below(40)),
      });
  }
}
