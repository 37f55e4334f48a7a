/**
 * A model of DNS servers with caches, for virtual time: an authority whose set changes at given moments, and caches in
 * front of it that do their arithmetic as CoreDNS's `cache` does.
 */
import { PLAIN_BITS, type QueryBits } from '../../lib/dns/message.js';
import type { Random } from '../../lib/runtime.js';

export interface ModelAnswer {
  /** None: denied. */
  readonly addresses: readonly string[];
  /** Whole seconds. */
  readonly ttl: number;
}

export interface ModelServer {
  answer(now: number, bits: QueryBits): ModelAnswer;
}

export interface SetChange {
  readonly at: number;
  readonly addresses: readonly string[];
}

/** A live server: the present set with the full TTL. */
export class Authority implements ModelServer {
  readonly #changes: readonly SetChange[];
  readonly #ttl: number;
  readonly #denialTtl: number;
  #index = 0;

  /** `changes`: in the order of time; empty before the first. Time does not go back between answers. */
  constructor(changes: readonly SetChange[], ttl: number, denialTtl = ttl) {
    this.#changes = changes;
    this.#ttl = ttl;
    this.#denialTtl = denialTtl;
  }

  answer(now: number): ModelAnswer {
    while ((this.#changes[this.#index]?.at ?? Number.POSITIVE_INFINITY) <= now) this.#index += 1;
    const addresses = this.#changes[this.#index - 1]?.addresses ?? [];
    return { addresses, ttl: addresses.length > 0 ? this.#ttl : this.#denialTtl };
  }
}

/** What is part of a cache's key beside the name and the type. */
export type CacheKey = 'do-cd' | 'do' | 'none';

export interface CacheOptions {
  /** Longest time that an answer is kept, in seconds. */
  readonly ttl: number;
  /** CoreDNS: 5. */
  readonly minTtl?: number;
  readonly key?: CacheKey;
  /** Which way the seconds left are rounded. CoreDNS: up. */
  readonly rounding?: 'up' | 'down';
}

export class ModelCache implements ModelServer {
  readonly #upstream: ModelServer;
  readonly #options: Required<CacheOptions>;
  readonly #entries = new Map<string, { readonly storedAt: number; readonly answer: ModelAnswer }>();

  constructor(upstream: ModelServer, options: CacheOptions) {
    this.#upstream = upstream;
    this.#options = { minTtl: 5, key: 'do-cd', rounding: 'up', ...options };
  }

  answer(now: number, bits: QueryBits): ModelAnswer {
    const key = keyOf(this.#options.key, bits);
    let entry = this.#entries.get(key);
    if (entry === undefined || now - entry.storedAt >= entry.answer.ttl * 1000) {
      const { addresses, ttl } = this.#upstream.answer(now, bits);
      const kept = Math.min(this.#options.ttl, Math.max(this.#options.minTtl, ttl));
      entry = { storedAt: now, answer: { addresses, ttl: kept } };
      this.#entries.set(key, entry);
    }
    const elapsed = (now - entry.storedAt) / 1000;
    const passed = this.#options.rounding === 'up' ? Math.floor(elapsed) : Math.ceil(elapsed);
    return { addresses: entry.answer.addresses, ttl: Math.max(0, entry.answer.ttl - passed) };
  }
}

/**
 * As dnsmasq 2.90 without DNSSEC: one entry, which plain queries and those with CD read. Queries with DO are passed on
 * each time; an answer without CD fills the entry too, and one with CD leaves none.
 */
export class ModelDnsmasq implements ModelServer {
  readonly #upstream: ModelServer;
  readonly #ttl: number;
  #cache: ModelCache;

  constructor(upstream: ModelServer, ttl: number) {
    this.#upstream = upstream;
    this.#ttl = ttl;
    this.#cache = this.#emptyCache();
  }

  answer(now: number, { dnssecOk, checkingDisabled }: QueryBits): ModelAnswer {
    if (dnssecOk) this.#cache = this.#emptyCache();
    return dnssecOk && checkingDisabled ? this.#upstream.answer(now, PLAIN_BITS) : this.#cache.answer(now, PLAIN_BITS);
  }

  #emptyCache(): ModelCache {
    return new ModelCache(this.#upstream, { ttl: this.#ttl, minTtl: 0, key: 'none' });
  }
}

/** Several servers behind one address: each query reaches any of them. */
export class Replicas implements ModelServer {
  readonly #servers: readonly ModelServer[];
  readonly #random: Random;

  constructor(servers: readonly ModelServer[], random: Random) {
    this.#servers = servers;
    this.#random = random;
  }

  answer(now: number, bits: QueryBits): ModelAnswer {
    const server = this.#servers[Math.floor(this.#random() * this.#servers.length)];
    if (server === undefined) throw new RangeError('there are no replicas');
    return server.answer(now, bits);
  }
}

function keyOf(key: CacheKey, bits: QueryBits): string {
  const parts = { 'do-cd': [bits.dnssecOk, bits.checkingDisabled], do: [bits.dnssecOk], none: [] };
  return parts[key].join(' ');
}
