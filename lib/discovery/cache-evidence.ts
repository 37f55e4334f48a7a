/**
 * Is there a cache, and which pairs of bits are entries of their own in it? Told from TTLs alone: the AA bit does not
 * tell, because CoreDNS's cache sets it too.
 */
import { CACHE_BITS } from './cache-bits.js';

/** What is known of the cache entry that a pair of bits reads. */
export interface CacheEntry {
  readonly answeredAt: number;
  readonly ttlMs: number;
  readonly denied: boolean;
  /** The latest moment at which it expires: a TTL of t seconds means that t - 1 to t seconds are left. */
  readonly expiresAt: number;
}

/** TTLs are whole seconds. */
export const TTL_UNIT_MS = 1_000;
/** Two answers so far apart show different TTLs if they come from one cache entry. */
export const COUNTDOWN_MS = TTL_UNIT_MS + 25;

/** A known cache is gone after so many full TTLs in a row. Fewer may come from replicas that had no entry yet. */
const LIVE_ANSWERS = 3;
/** A pair has no entry of its own after so many times in a row that it showed another pair's. */
const SHARED_ANSWERS = 2;

export class CacheEvidence {
  #cache: 'unknown' | 'none' | 'present' = 'unknown';
  /** For each pair: the answer that the next one is compared with. */
  readonly #references: (CacheEntry | null)[] = CACHE_BITS.map(() => null);
  /** For each pair: how many times in a row it showed the entry of a pair before it. */
  readonly #shared: number[] = CACHE_BITS.map(() => 0);
  #liveAnswers = 0;
  #uninformed = 0;
  /** The one TTL that addresses, or denials, had so far. */
  readonly #onlyTtls = new Map<boolean, number>();
  #ttlsVary = false;

  get cache(): 'unknown' | 'none' | 'present' {
    return this.#cache;
  }

  /** It is certain that no cache answers. */
  get surelyLive(): boolean {
    return this.#liveAnswers >= LIVE_ANSWERS;
  }

  /**
   * Nothing speaks for a cache: all answers had the same TTL so far. Answers are then used in the order of arrival, so
   * that a client that starts behind a live server applies removals at once.
   */
  get looksLive(): boolean {
    return this.surelyLive || (this.#cache !== 'present' && !this.#ttlsVary);
  }

  /** A cache is known, and the last answer that told anything looked like a live server's. */
  get doubtful(): boolean {
    return this.#cache === 'present' && this.#liveAnswers > 0;
  }

  /** Answers in a row that would have been the same with and without a cache. */
  get uninformed(): number {
    return this.#uninformed;
  }

  /** Whether this pair of bits reads an entry that no pair before it reads. */
  separate(pair: number): boolean {
    return pair === 0 || (this.#shared[pair] ?? 0) < SHARED_ANSWERS;
  }

  /** No server answered: the one that does next may have another TTL. Of a known cache nothing is forgotten. */
  outage(): void {
    if (!this.looksLive) return;
    this.#ttlsVary = false;
    this.#onlyTtls.clear();
  }

  /** The server does not answer queries with these bits. */
  refused(pair: number): void {
    if (pair > 0) this.#shared[pair] = (this.#shared[pair] ?? 0) + 1;
  }

  /** `fullTtlMs`: the longest seen lately. `entries`: of all pairs, as they were before this answer. */
  answered(pair: number, answer: CacheEntry, fullTtlMs: number, entries: readonly (CacheEntry | null)[]): void {
    this.#compareTtls(answer);
    this.#compareWithBefore(pair, answer, fullTtlMs);
    if (pair > 0) this.#compareWithOthers(pair, answer, entries);
  }

  #compareTtls({ denied, ttlMs }: CacheEntry): void {
    if (this.surelyLive) {
      this.#ttlsVary = false;
      this.#onlyTtls.clear();
    }
    const onlyTtl = this.#onlyTtls.get(denied) ?? ttlMs;
    this.#onlyTtls.set(denied, onlyTtl);
    if (onlyTtl !== ttlMs) this.#ttlsVary = true;
  }

  #compareWithBefore(pair: number, answer: CacheEntry, fullTtlMs: number): void {
    const before = this.#references[pair] ?? null;
    // In between the entry may have expired: a cache shows the full TTL then, as a live server does.
    const renewed = before === null || answer.answeredAt > before.expiresAt - TTL_UNIT_MS;
    if (renewed || before.denied !== answer.denied || answer.ttlMs === 0) {
      this.#references[pair] = answer;
      this.#uninformed += 1;
      return;
    }
    const elapsedMs = answer.answeredAt - before.answeredAt;
    if (elapsedMs < COUNTDOWN_MS) return;
    this.#references[pair] = answer;
    this.#uninformed = 0;
    const countedMs = before.ttlMs - answer.ttlMs;
    if (countedMs !== 0) this.#liveAnswers = 0;
    if (countedMs > 0 && Math.abs(countedMs - elapsedMs) <= TTL_UNIT_MS) this.#cache = 'present';
    // Anything else but the full TTL is another replica, or a TTL that means nothing. And only the plain pair tells of
    // a live server: some caches (dnsmasq) pass queries with DO on each time.
    if (countedMs !== 0 || answer.ttlMs < fullTtlMs || pair !== 0) return;
    this.#liveAnswers += 1;
    if (this.#cache === 'unknown' || this.surelyLive) this.#cache = 'none';
  }

  /** Two pairs that expire at one moment, although they were read at different times, are one entry. */
  #compareWithOthers(pair: number, answer: CacheEntry, entries: readonly (CacheEntry | null)[]): void {
    const others = entries.slice(0, pair).filter((entry) => entry !== null && entry.expiresAt > answer.answeredAt);
    if (others.length === 0) return;
    const same = others.some((entry) => Math.abs((entry?.expiresAt ?? 0) - answer.expiresAt) < TTL_UNIT_MS);
    this.#shared[pair] = same ? (this.#shared[pair] ?? 0) + 1 : 0;
  }
}
