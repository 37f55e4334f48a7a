/**
 * How DNS caches are read: when to ask next, with which bits, and what an answer may change. Every method takes the
 * time and none sets a timer; randomness is a parameter.
 *
 * 1. The second query comes as soon as a cache must show a shorter TTL. A live server is then asked at the regular
 *    pace, and its answers are used as they come.
 * 2. Behind a cache each query is made just after an entry has expired (phases.ts). In between a query brings nothing
 *    from this cache, so regular ones are made only where the wait is long, or where the cache may be several.
 * 3. Pairs of bits that turn out to read one entry are used once. Where all do, one query follows each expiry, beside
 *    the regular ones: the rule `adaptive`.
 * 4. Answers change the set in the order in which they were made, not in which they were read (answer-age.ts).
 */
import { PLAIN_BITS, type QueryBits } from '../dns/message.js';
import type { Random } from '../runtime.js';
import type { CacheStatus } from '../telemetry/snapshot.js';
import { AnswerAge, type AnswerUse, type TimedAnswer } from './answer-age.js';
import { CACHE_BITS } from './cache-bits.js';
import { CacheEvidence, COUNTDOWN_MS } from './cache-evidence.js';
import { LongestTtl } from './longest-ttl.js';
import { Phases } from './phases.js';
import { FULL_SPREAD_JITTER } from './schedule.js';

export interface CacheReadingSettings {
  readonly intervalMs: number;
  /** Least time between two queries. */
  readonly floorMs: number;
  /** Share of a wait that is random. */
  readonly jitter: number;
  /** `adaptive`: with the plain bits only. */
  readonly ttl: 'phased' | 'adaptive';
}

export interface Situation {
  /** The wait if there were no cache: the interval, or the floor in a burst, or the backoff; jittered. */
  readonly regularDelayMs: number;
  /** Some endpoint takes calls. */
  readonly ready: boolean;
  /** The last query failed. */
  readonly failing: boolean;
}

export interface NextQuery {
  readonly delayMs: number;
  readonly bits: QueryBits;
}

/** Timers may fire a little early: the second answer would then come too soon to be compared with the first. */
const TIMER_MARGIN_MS = 25;

/** So many answers in a row after an expiry, and one query looks whether there still is a cache. */
const UNINFORMED_ANSWERS = 16;
/** The same where every query that the budget allows (four in a life) has its expiry already. */
const UNINFORMED_ANSWERS_AT_BUDGET = 80;
/** So many times the floor lie between two pairs that are tried while the name is surely denied. */
const FRESH_DENIAL_FLOORS = 4;
/** A pair of bits that showed another pair's entry is tried again after so many lives of an entry. */
const RETRY_LIVES = 20;

/** The part of the time between two due queries over which clients spread. More of it makes news older. */
const SPREAD_SHARE = 0.1;

/** Where the TTLs do not tell the order of answers, only the plain pair is read: twice as long each time, at most this. */
const MAX_DISTRUST_MS = 3_600_000;

const PAIRS: readonly number[] = CACHE_BITS.map((_, pair) => pair);
const PLAIN_PAIR: readonly number[] = [0];

export class CacheReading {
  readonly #settings: CacheReadingSettings;
  readonly #random: Random;
  readonly #evidence = new CacheEvidence();
  readonly #phases = new Phases();
  readonly #ttls = new LongestTtl();
  /** By record type, or whatever answers are cached by. */
  readonly #ages = new Map<string, AnswerAge>();
  #answers = 0;
  #denied = false;
  /** The last answer was a denial with the full TTL, and an earlier one showed the same. */
  #freshDenial = false;
  /** When a pair was asked for the first time. */
  #triedAt = Number.NEGATIVE_INFINITY;
  #retryAt = Number.NEGATIVE_INFINITY;
  #retries = 0;
  #distrustUntil = Number.NEGATIVE_INFINITY;
  #distrustMs = 0;

  constructor(settings: CacheReadingSettings, random: Random) {
    this.#settings = settings;
    this.#random = random;
  }

  status(now: number): CacheStatus {
    const expiresInMs = this.#pairs(now).flatMap((pair) => {
      const entry = this.#phases.entries[pair];
      return entry ? [Math.round(entry.expiresAt - now)] : [];
    });
    const known = this.#answers > 0;
    const ttlMs = known ? this.#ttls.longest(this.#denied) : null;
    return { state: this.#evidence.cache, ttlMs, expiresInMs };
  }

  next(now: number, situation: Situation): NextQuery {
    const { regularDelayMs, failing } = situation;
    const regular: NextQuery = { delayMs: regularDelayMs, bits: PLAIN_BITS };
    if (failing || this.#answers === 0) return regular;
    const pairs = this.#pairs(now);
    const cache = this.#evidence.cache;
    if (this.#denied && !situation.ready && cache !== 'none') {
      const untried = this.#phases.unknown(pairs);
      if (untried !== null) return this.#nextAfterDenial(now, regularDelayMs, untried);
    }
    if (cache === 'unknown' && this.#answers === 1) {
      const delayMs = Math.max(this.#settings.floorMs, COUNTDOWN_MS + TIMER_MARGIN_MS);
      return delayMs < this.#settings.intervalMs ? { delayMs, bits: PLAIN_BITS } : regular;
    }
    if (cache !== 'present') return regular;
    return pairs.length === 1 ? this.#nextOfOneEntry(now, regularDelayMs) : this.#nextOfMany(now, situation, pairs);
  }

  /** For a query that something else asked for, ahead of `next`: the bits most likely to bring news. */
  bitsNow(now: number): QueryBits {
    const pairs = this.#pairs(now);
    if (this.#evidence.cache !== 'present') return PLAIN_BITS;
    const due = this.#phases.nextDue(now, pairs, this.#ttls.longest(this.#denied), 0);
    return CACHE_BITS[due.at <= now ? due.pair : this.#phases.nextAlive(now, pairs)] ?? PLAIN_BITS;
  }

  /**
   * `bits`: that the query was to be sent with, even where they were withdrawn (DO without EDNS): such a pair has no
   * entry of its own then, and shows it. `answers`: of one query, by what they are cached by (the record type); ones
   * that are not valid are left out. Returns what each may change.
   */
  answered<Key extends string>(
    now: number,
    bits: QueryBits,
    answers: ReadonlyMap<Key, TimedAnswer>,
  ): ReadonlyMap<Key, AnswerUse> {
    const pair = pairOf(bits);
    this.#learn(now, pair, [...answers.values()]);
    const cached = !this.#evidence.looksLive;
    const uses = new Map<Key, AnswerUse>();
    for (const [key, answer] of answers) {
      const age = this.#ages.get(key) ?? new AnswerAge();
      this.#ages.set(key, age);
      uses.set(key, age.answered(now, answer, cached));
      if (age.contradicted) this.#distrust(now);
    }
    return uses;
  }

  /** No valid answer came. */
  failed(now: number, bits: QueryBits): void {
    // A server may refuse queries with these bits. In an outage no pair gets an answer, and any that comes ends it.
    this.#evidence.refused(pairOf(bits));
    this.#evidence.outage();
    this.#postponeRetry(now);
  }

  #learn(now: number, pair: number, answers: readonly TimedAnswer[]): void {
    const positive = answers.filter((answer) => !answer.denied);
    const denied = positive.length === 0;
    const ttls = (denied ? answers : positive).map((answer) => answer.ttlMs);
    if (ttls.length === 0) return;
    const ttlMs = Math.min(...ttls);
    const entry = { answeredAt: now, ttlMs, denied, expiresAt: now + ttlMs };
    this.#freshDenial = denied && ttlMs > 0 && ttlMs === this.#ttls.longest(denied);
    this.#ttls.add(now, denied, ttlMs);
    this.#evidence.answered(pair, entry, this.#ttls.longest(denied), this.#phases.entries);
    if (this.#phases.entries[pair] === null) this.#triedAt = now;
    this.#phases.learn(pair, entry);
    if (!this.#evidence.separate(pair)) this.#postponeRetry(now);
    this.#answers += 1;
    this.#denied = denied;
  }

  /**
   * A denial may be cached with one pair and not with another, so another is tried at once. One that was just made is
   * true: the pairs that are left are then kept for the time to come.
   */
  #nextAfterDenial(now: number, regularDelayMs: number, untried: number): NextQuery {
    const { floorMs } = this.#settings;
    const delayMs = Math.max(floorMs, this.#freshDenial ? this.#triedAt + FRESH_DENIAL_FLOORS * floorMs - now : 0);
    return delayMs > regularDelayMs ? this.#query(regularDelayMs, 0) : this.#query(delayMs, untried);
  }

  /** The rule `adaptive`. */
  #nextOfOneEntry(now: number, regularDelayMs: number): NextQuery {
    const lifeMs = this.#ttls.longest(this.#denied);
    const due = this.#phases.nextDue(now, PLAIN_PAIR, lifeMs, this.#spreadMs(lifeMs));
    const expiryMs = due.at - now;
    const dueMs = Math.max(this.#looksForCache() ? expiryMs / 2 : expiryMs, this.#settings.floorMs);
    if (dueMs <= regularDelayMs) return this.#query(dueMs, 0);
    return this.#query(regularDelayMs, this.#pairToRetry(now) ?? 0);
  }

  #nextOfMany(now: number, situation: Situation, pairs: readonly number[]): NextQuery {
    const { intervalMs, floorMs } = this.#settings;
    const lifeMs = this.#ttls.longest(this.#denied);
    const due = this.#phases.nextDue(now, pairs, lifeMs, this.#spreadMs(lifeMs / pairs.length));
    const dueMs = Math.max(floorMs, due.at - now);
    const { ready, regularDelayMs } = situation;
    // While an endpoint is ready, a burst or a wait for a newer answer is served by the entries that expire next.
    const paceMs = ready ? Math.max(regularDelayMs, intervalMs) : regularDelayMs;
    const retriedPair = this.#pairToRetry(now);
    // Fewer than four pairs leave room in the budget.
    if (retriedPair !== null) return this.#query(Math.max(floorMs, Math.min(paceMs, dueMs / 2)), retriedPair);
    if (dueMs > (ready && !this.#waiting() ? 2 * paceMs : paceMs))
      return this.#query(paceMs, this.#phases.nextAlive(now + paceMs, pairs));
    if (this.#looksForCache(lifeMs / pairs.length > intervalMs ? UNINFORMED_ANSWERS : UNINFORMED_ANSWERS_AT_BUDGET))
      return this.#query(Math.max(floorMs, dueMs / 2), 0);
    return this.#query(dueMs, due.pair);
  }

  /** All clients of a cache compute the same moments; without this they would all ask in the same second. */
  #spreadMs(distanceMs: number): number {
    const { intervalMs, jitter } = this.#settings;
    const share = SPREAD_SHARE * Math.min(1, jitter / FULL_SPREAD_JITTER);
    return this.#random() * share * Math.min(distanceMs, 2 * intervalMs);
  }

  /** Time for a query in the middle of an entry's life, which tells a cache from a live server. */
  #looksForCache(uninformedAnswers = UNINFORMED_ANSWERS): boolean {
    return this.#evidence.doubtful || this.#evidence.uninformed >= uninformedAnswers;
  }

  #query(delayMs: number, pair: number): NextQuery {
    return { delayMs, bits: CACHE_BITS[pair] ?? PLAIN_BITS };
  }

  #pairs(now: number): readonly number[] {
    if (!this.#usesPairs(now)) return PLAIN_PAIR;
    return PAIRS.filter((pair) => this.#evidence.separate(pair));
  }

  #postponeRetry(now: number): void {
    this.#retries += 1;
    this.#retryAt = now + RETRY_LIVES * this.#ttls.longest(this.#denied);
  }

  #waiting(): boolean {
    return [...this.#ages.values()].some((age) => age.waiting);
  }

  #distrust(now: number): void {
    const firstMs = RETRY_LIVES * this.#ttls.longest(this.#denied);
    this.#distrustMs = Math.min(Math.max(2 * this.#distrustMs, firstMs), MAX_DISTRUST_MS);
    this.#distrustUntil = now + this.#distrustMs;
  }

  #usesPairs(now: number): boolean {
    return this.#settings.ttl === 'phased' && now >= this.#distrustUntil;
  }

  /** The server may have been replaced by one that keys on the bits. */
  #pairToRetry(now: number): number | null {
    if (!this.#usesPairs(now) || now < this.#retryAt) return null;
    const shared = PAIRS.filter((pair) => !this.#evidence.separate(pair));
    return shared[this.#retries % shared.length] ?? null;
  }
}

function pairOf(bits: QueryBits): number {
  return Math.max(
    0,
    CACHE_BITS.findIndex(
      (other) => other.dnssecOk === bits.dnssecOk && other.checkingDisabled === bits.checkingDisabled,
    ),
  );
}
