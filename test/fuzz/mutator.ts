/**
 * Mutations of messages: of single octets, and of fields (lengths, pointers, counts, types, records), which pass the
 * first check and test the reader itself.
 */
import { name, pointer, record, TYPE, u16 } from '../support/wire.js';
import type { Input } from './generator.js';
import { type FieldKind, layoutOf } from './layout.js';
import type { RandomSource } from './random-source.js';

/** The largest message over TCP. */
const MOST_OCTETS = 65_535;

/** `other` gives a second message, from which parts are taken. */
type Mutation = (message: Buffer, random: RandomSource, other: () => Buffer) => Buffer;

/** The share of mutants that keep a valid header and question, so that they pass the first check. */
const REPAIRED = 0.85;

export function mutate(input: Input, other: () => Input, random: RandomSource): Input {
  let message = input.message;
  do
    message = random
      .pick(MUTATIONS)(message, random, () => other().message)
      .subarray(0, MOST_OCTETS);
  while (random.chance(0.5));
  if (random.chance(REPAIRED)) message = repaired(message, input.query);
  return { query: input.query, type: random.chance(0.02) ? otherType(input) : input.type, message };
}

/** Random octets, half of the time with a valid header and question. */
export function randomMessage(input: Input, random: RandomSource): Input {
  const message = random.octets(random.chance(0.1) ? random.below(4_096) : random.below(200));
  if (message.length >= 12 && random.chance(0.5))
    for (const at of [6, 8, 10]) message.writeUInt16BE(random.below(4), at);
  const { query, type } = input;
  return { query, type, message: random.chance(0.5) ? repaired(message, query) : message };
}

function otherType({ type }: Input): Input['type'] {
  return ({ A: 'AAAA', AAAA: 'SRV', SRV: 'A' } as const)[type];
}

/** With the id, flags, number of questions and question of the query, as far as they fit. */
function repaired(message: Buffer, query: Buffer): Buffer {
  if (message.length < 12) return message;
  const copy = Buffer.from(message);
  query.copy(copy, 0, 0, 2);
  copy.writeUInt8(0x80 | ((copy[2] as number) & 0x07), 2);
  copy.writeUInt16BE(1, 4);
  let end = 12;
  while (query[end] !== 0) end += 1 + (query[end] as number);
  query.copy(copy, 12, 12, end + 5);
  return copy;
}

function edited(message: Buffer, edit: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(message);
  edit(copy);
  return copy;
}

function spliced(message: Buffer, at: number, removed: number, inserted: Buffer): Buffer {
  return Buffer.concat([message.subarray(0, at), inserted, message.subarray(at + removed)]);
}

/** Overwrites two octets at a field of this kind, if the message has one. */
function rewrite(
  kind: FieldKind,
  value: (random: RandomSource, old: number, at: number, message: Buffer) => number,
): Mutation {
  return (message, random) => {
    const fields = layoutOf(message).fields.filter((field) => field.kind === kind && field.at + 2 <= message.length);
    if (fields.length === 0) return message;
    const { at } = random.pick(fields);
    return edited(message, (copy) =>
      copy.writeUInt16BE(value(random, message.readUInt16BE(at), at, message) & 0xffff, at),
    );
  };
}

/** Lengths and counts close to the right ones, around the sign bit, and far off. */
function near(random: RandomSource, old: number): number {
  return random.pick([
    0,
    1,
    old - 1,
    old + 1,
    old * 2,
    0x7fff,
    0x8000,
    0xffff,
    random.below(0x10000),
    random.below(32),
  ]);
}

/** A pointer to itself, forward, back by one step, into the header, to another name, anywhere. */
function somewhere(random: RandomSource, at: number, message: Buffer): number {
  const { names } = layoutOf(message);
  const targets = [at, at + 2, at - 2, at + 1, at - 1, 0, 11, 12, message.length, random.below(0x4000)];
  if (names.length > 0) targets.push(random.pick(names), random.pick(names));
  return 0xc000 | (random.pick(targets) & 0x3fff);
}

/** Appends records and increases the count of their section. */
function appended(message: Buffer, records: readonly Buffer[], section: number): Buffer {
  if (message.length < 12) return message;
  const whole = Buffer.concat([message, ...records]);
  whole.writeUInt16BE((message.readUInt16BE(section) + records.length) & 0xffff, section);
  return whole;
}

/** A record of pointers, each to the one before, and many owners at the end of that chain. */
const pointerChain: Mutation = (message, random) => {
  const start = message.length + 12;
  if (start > 0x3000) return message;
  const hops = random.pick([2, 2, 100, 126, 127, 8_000]);
  const chain = [u16(0)];
  for (let hop = 0; hop < hops && start + 2 * hop < 0x3fff; hop++) chain.push(pointer(start + 2 * hop));
  const text = record({ type: TYPE.TXT, rdata: Buffer.concat(chain) });
  const depth = Math.min(chain.length - 1, random.pick([1, 60, 120, 126, 127, 8_000]));
  // Two ends in turn, so that remembering the last one does not help.
  const owners = [0, 2].map((back) => record({ owner: pointer(Math.min(start + 2 * depth, 0x3fff) - back) }));
  const count = random.pick([1, 1, 2, 10, 10, 3_000]);
  const users = Array.from({ length: count }, (_, index) => owners[index % owners.length] as Buffer);
  return appended(message, [text, ...users], 6);
};

/** Long names that differ only in their last label, for as many comparisons as possible. */
const lookAlikes: Mutation = (message, random) => {
  const label = 'x'.repeat(random.pick([1, 30, 60]));
  const stem = Array.from({ length: random.between(1, 3) }, () => label).join('.');
  const kind = random.pick([TYPE.CNAME, TYPE.A, TYPE.AAAA]);
  const rdata = kind === TYPE.CNAME ? undefined : Buffer.alloc(kind === TYPE.A ? 4 : 16, 10);
  const records = Array.from({ length: random.pick([2, 3, 3, 10, 400]) }, (_, index) =>
    record({ owner: name(`${stem}.${index}`), type: kind, rdata: rdata ?? name(`${stem}.${index + 1}`) }),
  );
  return appended(message, random.shuffled(records), 6);
};

/** An owner of about 255 octets, just within the limit or just over it, in few labels or in many. */
const longName: Mutation = (message, random) => {
  const size = random.pick([1, 20, 63]);
  let left = random.between(254, 257) - 1;
  const labels: string[] = [];
  for (; left > size + 2; left -= size + 1) labels.push('a'.repeat(size));
  labels.push('a'.repeat(Math.min(left - 1, 63)));
  return appended(message, [record({ owner: name(labels.join('.')) })], random.pick([6, 8, 10]));
};

/** Flips the bit that separates upper from lower case, in any character of a name. */
const changeCase: Mutation = (message, random) => {
  const labels = layoutOf(message).fields.filter(({ kind, at }) => kind === 'label' && (message[at] as number) > 0);
  if (labels.length === 0) return message;
  const { at } = random.pick(labels);
  const letter = at + random.between(1, (message[at] as number) & 0x3f || 1);
  return edited(message, (copy) => {
    if (letter < copy.length) copy[letter] = (copy[letter] as number) ^ 0x20;
  });
};

const duplicate: Mutation = (message, random) => {
  const { records } = layoutOf(message);
  if (records.length === 0) return message;
  const { start, end } = random.pick(records);
  const copies = random.pick([1, 1, 2, 2, 3, 10, 4_000]);
  const room = Math.floor((MOST_OCTETS - message.length) / (end - start));
  const one = message.subarray(start, end);
  return appended(
    message,
    Array.from({ length: Math.min(copies, room) }, () => one),
    random.pick([6, 8, 10]),
  );
};

const MUTATIONS: readonly Mutation[] = [
  // Mutations of octets.
  (message, random) =>
    edited(message, (copy) => {
      const at = random.below(copy.length);
      if (copy.length > 0) copy[at] = (copy[at] as number) ^ (1 << random.below(8));
    }),
  (message, random) =>
    edited(message, (copy) => {
      if (copy.length > 0) copy[random.below(copy.length)] = random.pick([0, 1, 0x3f, 0x40, 0x80, 0xbf, 0xc0, 0xff]);
    }),
  (message, random) => message.subarray(0, random.below(message.length + 1)),
  (message, random) => spliced(message, random.below(message.length + 1), random.below(8), Buffer.alloc(0)),
  (message, random) => spliced(message, random.below(message.length + 1), 0, random.octets(random.between(1, 8))),
  (message, random, other) => {
    const theirs = other();
    return Buffer.concat([
      message.subarray(0, random.below(message.length + 1)),
      theirs.subarray(random.below(theirs.length + 1)),
    ]);
  },
  // Mutations of fields and records.
  rewrite('count', near),
  rewrite('rdlength', near),
  rewrite('type', (random) =>
    random.pick([TYPE.A, TYPE.AAAA, TYPE.SRV, TYPE.CNAME, TYPE.SOA, TYPE.OPT, random.below(0x10000)]),
  ),
  rewrite('class', (random) => random.pick([1, 1, 3, 255, 0x8001, random.below(0x10000)])),
  rewrite('ttl', near),
  rewrite('pointer', (random, _old, at, message) => somewhere(random, at, message)),
  rewrite('label', (random, _old, at, message) => somewhere(random, at, message)),
  rewrite('label', (random, old) => (random.pick([0, 1, 0x3f, 0x40, 0x80, 0xbf]) << 8) | (old & 0xff)),
  rewrite('rdata', (random, _old, at, message) => somewhere(random, at, message)),
  duplicate,
  pointerChain,
  lookAlikes,
  longName,
  changeCase,
  (message, random) => {
    const { records } = layoutOf(message);
    if (records.length === 0) return message;
    const { start, end } = random.pick(records);
    return spliced(message, start, end - start, Buffer.alloc(0));
  },
  (message, random, other) => {
    const theirs = other();
    const { records } = layoutOf(theirs);
    if (records.length === 0) return message;
    const { start, end } = random.pick(records);
    return appended(message, [theirs.subarray(start, end)], random.pick([6, 8, 10]));
  },
];
