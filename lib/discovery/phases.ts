/**
 * When to ask with which bits, once a cache is known.
 *
 * Each pair of bits reads one entry of the cache. An entry is of use once: just after it has expired, when a query
 * fills it with the authority's present answer. Spread evenly, n entries of life T bring an answer every T / n.
 *
 * The plain pair's entry is the reference, because other clients use it and fill it when they please. Each other pair
 * has a slot: pair k of n is due k × T / n after the plain entry was filled. All clients compute the same slots, so
 * those that share a cache help one another. An entry that expires before its slot stays unfilled until then; one that
 * expires a little after it is asked at its expiry.
 */
import { CACHE_BITS } from './cache-bits.js';
import { type CacheEntry, TTL_UNIT_MS } from './cache-evidence.js';

/** Caches compute in whole seconds from a clock of their own; a query that comes just too early is wasted. */
const EXPIRY_MARGIN_MS = 50;

/** Part of the distance between two slots by which an entry may be late before it is moved to its next slot. */
const LATE_SHARE = 0.5;
const LATE_SHARE_UNFILLED = 0.25;

export interface DueQuery {
  readonly pair: number;
  readonly at: number;
}

export class Phases {
  readonly #entries: (CacheEntry | null)[] = CACHE_BITS.map(() => null);
  /** A cache that rounds down what is left keeps an entry for up to a second longer than it says. */
  #roundingMs = 0;

  get entries(): readonly (CacheEntry | null)[] {
    return this.#entries;
  }

  learn(pair: number, entry: CacheEntry): void {
    const known = this.#entries[pair] ?? null;
    this.#entries[pair] = entry;
    if (known === null) return;
    const laterMs = entry.expiresAt - known.expiresAt;
    if (known.expiresAt > entry.answeredAt) {
      // The known entry is still there. One that expires later is the same, less exactly told, or another replica's.
      if (laterMs > 0) this.#entries[pair] = { ...entry, expiresAt: known.expiresAt };
    } else if (entry.ttlMs <= TTL_UNIT_MS && laterMs <= 2 * TTL_UNIT_MS) {
      // It should have expired, and still answers.
      this.#roundingMs = TTL_UNIT_MS;
    }
  }

  /** A pair that was never asked. */
  unknown(pairs: readonly number[]): number | null {
    return pairs.find((pair) => (this.#entries[pair] ?? null) === null) ?? null;
  }

  /** The entry that expires next: to be asked where a query is due and no entry has expired. */
  nextAlive(now: number, pairs: readonly number[]): number {
    let next = 0;
    let nextAt = Number.POSITIVE_INFINITY;
    for (const pair of pairs) {
      const expiresAt = this.#entries[pair]?.expiresAt ?? Number.NEGATIVE_INFINITY;
      if (expiresAt <= now || expiresAt >= nextAt) continue;
      next = pair;
      nextAt = expiresAt;
    }
    return next;
  }

  /**
   * The next query that brings news. `pairs` are those with an entry of their own, the plain one first; `spreadMs`
   * parts clients that share a cache.
   */
  nextDue(now: number, pairs: readonly number[], lifeMs: number, spreadMs: number): DueQuery {
    const reference = this.#entries[0]?.expiresAt ?? now;
    const distanceMs = lifeMs / pairs.length;
    let next: DueQuery = { pair: 0, at: reference + this.#roundingMs + EXPIRY_MARGIN_MS + spreadMs };
    pairs.forEach((pair, index) => {
      if (pair === 0) return;
      const at = this.#dueAt(now, pair, reference + index * distanceMs, spreadMs, lifeMs, distanceMs);
      if (at < next.at) next = { pair, at };
    });
    return next;
  }

  #dueAt(now: number, pair: number, slot: number, spreadMs: number, lifeMs: number, distanceMs: number): number {
    const entry = this.#entries[pair] ?? null;
    const expiry = entry === null ? now : entry.expiresAt + this.#roundingMs + EXPIRY_MARGIN_MS;
    const lateMs = modulo(expiry - slot, lifeMs);
    // An unfilled entry is hardly ever late: filling it off its slot would put it beside its neighbour.
    const tolerated = distanceMs * (entry === null ? LATE_SHARE_UNFILLED : LATE_SHARE);
    const nextSlot = expiry - lateMs + (lateMs <= tolerated ? 0 : lifeMs);
    return Math.max(expiry, nextSlot + spreadMs);
  }
}

function modulo(value: number, divisor: number): number {
  return divisor > 0 ? ((value % divisor) + divisor) % divisor : 0;
}
