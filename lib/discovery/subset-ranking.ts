/**
 * The order in which a client prefers the pods of a set, where it connects to a few of them only (compare gRFC A68).
 *
 * Rendezvous hashing (highest random weight: Thaler and Ravishankar 1998): each pod gets a number that only the client's key
 * and the pod's address decide, and the pods with the greatest numbers come first. So each pod is among the first N of
 * equally many clients, as chance has it; a pod that comes or goes moves no other pod before or behind another one.
 */
import { type Address, formatHostPort } from '../address.js';
import type { AddressFilter } from './address-source.js';

/**
 * @param key equal keys give equal orders.
 * @param zone pods of this topology zone come before all others; null: zones do not matter.
 */
export function subsetRanking(key: string, zone: string | null): AddressFilter {
  return (addresses) =>
    addresses
      .map((address) => ({ address, inZone: zone !== null && address.zone === zone, rank: rankOf(key, address) }))
      .sort((a, b) => Number(b.inZone) - Number(a.inZone) || b.rank - a.rank)
      .map(({ address }) => address);
}

function rankOf(key: string, { host, port }: Address): number {
  // No key and no address has a line break, so different pairs are different texts.
  return hash(`${key}\n${formatHostPort(host, port)}`);
}

/** A hash of 53 bits, uniform enough for keys and addresses that differ in one character: MurmurHash3's steps, twice. */
function hash(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return 4_294_967_296 * (0x1fffff & high) + (low >>> 0);
}
