/**
 * What a DNS server knows: names, their records and TTLs, and a cache that counts those TTLs down as CoreDNS's
 * `cache` plugin does. No sockets and no bytes here.
 */
import { isIPv6 } from 'node:net';
import type { QueryBits } from '../../lib/dns/message.js';

export type ZoneRecordType = 'A' | 'AAAA' | 'CNAME' | 'PTR' | 'SOA' | 'SRV';

/** The data of an SRV record. */
export interface ZoneService {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

export interface ZoneRecord {
  readonly name: string;
  readonly type: ZoneRecordType;
  /** Seconds. */
  readonly ttl: number;
  /** An address, or the name that a CNAME or PTR points to. Empty for the SOA and for SRV. */
  readonly data: string;
  /** Of SRV. */
  readonly service?: ZoneService;
}

export interface ZoneAnswer {
  readonly rcode: 'NOERROR' | 'NXDOMAIN';
  readonly answers: readonly ZoneRecord[];
  /** The SOA of a denial, whose TTL says how long the denial holds (RFC 2308). */
  readonly authority: readonly ZoneRecord[];
  /** The addresses of SRV records' targets. */
  readonly additional: readonly ZoneRecord[];
}

/** Whatever answers a name and a type: the zone itself, or a cache before it, which tells queries apart by their bits. */
export interface ZoneSource {
  answer(name: string, type: string, bits?: QueryBits): ZoneAnswer;
}

interface Entry {
  readonly addresses: readonly string[];
  readonly alias?: string;
  /** Of a PTR record. */
  readonly pointer?: string;
  readonly services?: readonly ZoneService[];
  /** Whether the additional section has the addresses of the services' targets. */
  readonly glue?: boolean;
  readonly ttl: number;
}

/** `glue` is whether the additional section has the addresses of the targets. */
export interface ServicesOptions {
  readonly ttl?: number;
  readonly glue?: boolean;
}

/** CoreDNS's kubernetes plugin: success and denial alike. */
const DEFAULT_TTL = 5;

export class DnsZone implements ZoneSource {
  readonly #entries = new Map<string, Entry>();
  readonly #denialTtl: number;

  /** @param denialTtl seconds, of the SOA in a denial. */
  constructor(denialTtl = DEFAULT_TTL) {
    this.#denialTtl = denialTtl;
  }

  /** IPv4 addresses become A records, IPv6 ones AAAA. Replaces what the name had. */
  set(name: string, addresses: readonly string[], options: { ttl?: number } = {}): void {
    this.#entries.set(normalise(name), { addresses: [...addresses], ttl: options.ttl ?? DEFAULT_TTL });
  }

  /** A CNAME. */
  alias(name: string, target: string, options: { ttl?: number } = {}): void {
    this.#entries.set(normalise(name), { addresses: [], alias: target, ttl: options.ttl ?? DEFAULT_TTL });
  }

  /** A PTR record: the name of an IPv4 address. */
  pointer(address: string, target: string): void {
    const name = `${address.split('.').reverse().join('.')}.in-addr.arpa`;
    this.#entries.set(name, { addresses: [], pointer: normalise(target), ttl: DEFAULT_TTL });
  }

  /** SRV records, of weight 100 and priority 0 unless told otherwise. Their targets' addresses are set apart. */
  services(
    name: string,
    services: readonly (Pick<ZoneService, 'port' | 'target'> & Partial<ZoneService>)[],
    { ttl = DEFAULT_TTL, glue = true }: ServicesOptions = {},
  ): void {
    const whole = services.map((service) => ({ priority: 0, weight: 100, ...service }));
    this.#entries.set(normalise(name), { addresses: [], services: whole, glue, ttl });
  }

  /** The name exists and has no record. */
  nodata(name: string): void {
    this.set(name, []);
  }

  /** The name does not exist: NXDOMAIN, as for any name never set. */
  remove(name: string): void {
    this.#entries.delete(normalise(name));
  }

  answer(name: string, type: string): ZoneAnswer {
    const answers: ZoneRecord[] = [];
    const visited = new Set<string>();
    let owner = normalise(name);
    let entry = this.#entries.get(owner);
    while (entry?.alias !== undefined && type !== 'CNAME' && !visited.has(owner)) {
      visited.add(owner);
      answers.push({ name: owner, type: 'CNAME', ttl: entry.ttl, data: normalise(entry.alias) });
      owner = normalise(entry.alias);
      entry = this.#entries.get(owner);
    }
    if (entry === undefined) return { rcode: 'NXDOMAIN', answers, authority: [this.#soa(owner)], additional: [] };
    if (type === 'A' || type === 'AAAA')
      for (const address of entry.addresses)
        if (isIPv6(address) === (type === 'AAAA')) answers.push({ name: owner, type, ttl: entry.ttl, data: address });
    if (type === 'PTR' && entry.pointer !== undefined)
      answers.push({ name: owner, type, ttl: entry.ttl, data: entry.pointer });
    if (type === 'SRV')
      for (const service of entry.services ?? [])
        answers.push({ name: owner, type, ttl: entry.ttl, data: '', service: { ...service } });
    return {
      rcode: 'NOERROR',
      answers,
      authority: answers.length === 0 ? [this.#soa(owner)] : [],
      additional: type === 'SRV' && entry.glue ? this.#glueOf(entry.services ?? []) : [],
    };
  }

  #glueOf(services: readonly ZoneService[]): ZoneRecord[] {
    return [...new Set(services.map(({ target }) => normalise(target)))].flatMap((name) => {
      const { addresses = [], ttl = 0 } = this.#entries.get(name) ?? {};
      return addresses.map((data): ZoneRecord => ({ name, type: isIPv6(data) ? 'AAAA' : 'A', ttl, data }));
    });
  }

  #soa(name: string): ZoneRecord {
    return { name: name.split('.').slice(-2).join('.'), type: 'SOA', ttl: this.#denialTtl, data: '' };
  }
}

/**
 * Answers from memory until the shortest TTL in an answer has passed, and shows what is left of each TTL meanwhile.
 * `ttl` (seconds) caps how long anything is kept. As in CoreDNS, each pair of DO and CD has an entry of its own.
 */
export class DnsCache implements ZoneSource {
  readonly #source: ZoneSource;
  readonly #ttl: number;
  readonly #now: () => number;
  readonly #stored = new Map<string, { at: number; ttl: number; answer: ZoneAnswer }>();

  constructor(source: ZoneSource, ttl: number, now: () => number = () => performance.now()) {
    this.#source = source;
    this.#ttl = ttl;
    this.#now = now;
  }

  answer(name: string, type: string, bits?: QueryBits): ZoneAnswer {
    const [dnssecOk, checkingDisabled] = [bits?.dnssecOk ?? false, bits?.checkingDisabled ?? false];
    const key = `${type} ${dnssecOk} ${checkingDisabled} ${normalise(name)}`;
    const now = this.#now();
    let stored = this.#stored.get(key);
    if (stored === undefined || now - stored.at >= stored.ttl * 1000) {
      const answer = this.#source.answer(name, type, bits);
      const ttl = Math.min(
        this.#ttl,
        ...[...answer.answers, ...answer.authority, ...answer.additional].map((record) => record.ttl),
      );
      stored = { at: now, ttl, answer };
      this.#stored.set(key, stored);
    }
    // Every record gets the entry's one TTL, less the whole seconds since: CoreDNS's arithmetic.
    const ttl = Math.max(0, stored.ttl - Math.floor((now - stored.at) / 1000));
    const aged = (records: readonly ZoneRecord[]) => records.map((record) => ({ ...record, ttl }));
    const { answers, authority, additional } = stored.answer;
    return {
      ...stored.answer,
      answers: aged(answers),
      authority: aged(authority),
      additional: aged(additional),
    };
  }

  clear(): void {
    this.#stored.clear();
  }
}

/** Names compare without case and without the final dot (RFC 1035 section 2.3.3). */
export function normalise(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
