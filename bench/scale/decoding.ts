/** Reading an answer of so many A records: our reader, and dns-packet's, which makes objects of the whole message. */
import { decode, encode } from 'dns-packet';
import { readResponse } from '../../lib/dns/response.js';
import { quantile, sorted } from '../harness/statistics.js';

export interface DecodeCell {
  readonly kind: 'decode';
  readonly records: number;
  readonly octets: number;
  /** Of one message, medians. */
  readonly oursUs: number;
  readonly dnsPacketUs: number;
  readonly ratio: number;
}

/** The most A records that a message of 65,535 octets holds, with a question of this length. */
export const MOST_RECORDS = 4_090;
const NAME = 'hello.shop.svc.cluster.local';
/** Octets read in one timed batch. */
const BATCH_OCTETS = 2_000_000;
const BATCHES = 15;

export function measureDecoding(records: number): DecodeCell {
  const message = encodeAnswer(records);
  const times = Math.max(3, Math.ceil(BATCH_OCTETS / message.length));
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let batch = 0; batch <= BATCHES; batch++) {
    const mine = timeOf(times, () => readResponse(message, 'A'));
    const other = timeOf(times, () => decode(message));
    // The first batch warms up.
    if (batch > 0) {
      ours.push(mine);
      theirs.push(other);
    }
  }
  const oursUs = quantile(sorted(ours), 0.5);
  const dnsPacketUs = quantile(sorted(theirs), 0.5);
  return { kind: 'decode', records, octets: message.length, oursUs, dnsPacketUs, ratio: oursUs / dnsPacketUs };
}

/** Microseconds for one. */
function timeOf(times: number, work: () => unknown): number {
  const startedAt = performance.now();
  for (let count = 0; count < times; count++) work();
  return ((performance.now() - startedAt) * 1_000) / times;
}

/** dns-packet does not compress names, as every server does; so the records' owners are written by hand. */
function encodeAnswer(records: number): Buffer {
  const head = encode({ type: 'response', id: 1, flags: 0x8580, questions: [{ type: 'A', name: NAME }] });
  const body = Buffer.alloc(records * 16);
  for (let index = 0; index < records; index++) {
    const at = index * 16;
    body.writeUInt16BE(0xc00c, at);
    body.writeUInt16BE(1, at + 2);
    body.writeUInt16BE(1, at + 4);
    body.writeUInt32BE(30, at + 6);
    body.writeUInt16BE(4, at + 10);
    body.writeUInt32BE(0x0a00_0000 + index + 1, at + 12);
  }
  head.writeUInt16BE(records, 6);
  return Buffer.concat([head, body]);
}
