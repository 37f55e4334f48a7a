/**
 * SRV records (RFC 2782) of one response, with the addresses that the response's additional section holds for their
 * targets. As strict as the reader of addresses: one malformed record of the name asked for fails the message.
 */
import { formatIPv4, formatIPv6, isConnectable } from './address.js';
import { MalformedMessage, type NameReader } from './name.js';

export interface ServiceRecord {
  /** The lowest comes first. */
  readonly priority: number;
  readonly weight: number;
  /** 1 to 65535. */
  readonly port: number;
  /** Lower case, without a final dot. Empty for the root, which means that the service is not available. */
  readonly target: string;
  /** From the additional section, each once, all connectable. Empty where the section says nothing. */
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** A record's place in the message. */
export interface RecordPlace {
  readonly owner: number;
  readonly rdata: number;
  readonly end: number;
  readonly ttl: number;
}

/** An A or AAAA record, whose length has been checked. */
interface AddressPlace extends RecordPlace {
  readonly isIPv4: boolean;
}

export interface Services {
  readonly records: readonly ServiceRecord[];
  /** How many records and addresses were left out because no connection can be opened to them. */
  readonly refused: number;
}

/** Priority, weight and port. */
const FIXED_OCTETS = 6;
const NONE: readonly string[] = [];
const NO_ADDRESSES: Addresses = { ipv4: new Set(), ipv6: new Set() };

interface Addresses {
  readonly ipv4: Set<string>;
  readonly ipv6: Set<string>;
}

/** Collects the places of the records while the message is walked through, and reads them once all are there. */
export class ServiceReader {
  readonly #message: Uint8Array;
  readonly #names: NameReader;
  readonly #services: RecordPlace[] = [];
  readonly #addresses: AddressPlace[] = [];

  constructor(message: Uint8Array, names: NameReader) {
    this.#message = message;
    this.#names = names;
  }

  addService(place: RecordPlace): void {
    this.#services.push(place);
  }

  /** Of the additional section. */
  addAddress(place: AddressPlace): void {
    this.#addresses.push(place);
  }

  /**
   * @param isOwned whether a name is the one asked for, or the end of its CNAME chain.
   * @param lowerTtl told the TTL of each record that the result is made of.
   */
  read(isOwned: (owner: number) => boolean, lowerTtl: (ttl: number) => void): Services {
    const message = this.#message;
    const names = this.#names;
    const refused = new Set<string>();
    const targets = new Map<number, string>();
    const found: Omit<ServiceRecord, 'ipv4' | 'ipv6'>[] = [];
    for (const { owner, rdata, end, ttl } of this.#services) {
      if (!isOwned(owner)) continue;
      const targetAt = rdata + FIXED_OCTETS;
      if (targetAt >= end || names.skip(targetAt) !== end)
        throw new MalformedMessage('an SRV that does not fill its record');
      lowerTtl(ttl);
      const port = u16(message, rdata + 4);
      const target = names.hostname(targetAt);
      if (target !== null) targets.set(targetAt, target);
      if (target === null || (port === 0 && target !== '')) refused.add(`${rdata}`);
      else found.push({ priority: u16(message, rdata), weight: u16(message, rdata + 2), port, target });
    }
    const addresses = this.#readAddresses(targets, refused, lowerTtl);
    const records = found.map(({ priority, weight, port, target }) => {
      const { ipv4, ipv6 } = addresses.get(target) ?? NO_ADDRESSES;
      return { priority, weight, port, target, ipv4: toArray(ipv4), ipv6: toArray(ipv6) };
    });
    return { records, refused: refused.size };
  }

  /** By target. */
  #readAddresses(
    targets: ReadonlyMap<number, string>,
    refused: Set<string>,
    lowerTtl: (ttl: number) => void,
  ): Map<string, Addresses> {
    const byTarget = new Map<string, Addresses>();
    for (const target of targets.values())
      if (target !== '') byTarget.set(target, { ipv4: new Set(), ipv6: new Set() });
    if (byTarget.size === 0) return byTarget;
    for (const { owner, rdata, ttl, isIPv4 } of this.#addresses) {
      // Most owners are a pointer to the target inside an SRV, whose text is there already.
      const target = targets.get(this.#names.pointerAt(owner)) ?? this.#names.hostname(owner);
      const addresses = target === null ? undefined : byTarget.get(target);
      if (addresses === undefined) continue;
      const text = isIPv4 ? formatIPv4(this.#message, rdata) : formatIPv6(this.#message, rdata);
      lowerTtl(ttl);
      if (!isConnectable(text)) refused.add(text);
      else (isIPv4 ? addresses.ipv4 : addresses.ipv6).add(text);
    }
    return byTarget;
  }
}

/** Many records may have no address: these share one array. */
function toArray(addresses: ReadonlySet<string>): readonly string[] {
  return addresses.size === 0 ? NONE : [...addresses];
}

function u16(octets: Uint8Array, at: number): number {
  return ((octets[at] as number) << 8) | (octets[at + 1] as number);
}
