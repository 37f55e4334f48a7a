/**
 * When to ask next. Pure but for the dice: every method takes the time, none sets a timer.
 *
 * The regular wait is the interval, jittered upwards. It is cut short in a burst (something changed, or nothing is
 * READY) and, behind a cache, by the moment its entry expires. Failures back off instead.
 */
import type { Random } from '../runtime.js';

/** `adaptive`: one extra query just after a cached answer expires. */
export type TtlRule = 'adaptive' | 'ignore';

export interface RefreshSettings {
  readonly intervalMs: number;
  /** Share of the wait that is random, upwards only. */
  readonly jitter: number;
  readonly minIntervalMs: number;
  readonly burstMs: number;
  readonly ttl: TtlRule;
}

/** gRPC's connection backoff: https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md */
const BACKOFF_BASE_MS = 1_000;
const BACKOFF_FACTOR = 1.6;
const BACKOFF_MAX_MS = 30_000;

/** A query that arrives just before the entry expires is wasted; caches keep time in whole seconds, the net in ms. */
const EXPIRY_MARGIN_MS = 50;

/** So many answers tell a cache from a live server: enough to see a TTL count down, few enough to forget a change. */
const TTL_WINDOW = 8;

export class Schedule {
  /** Least time between two queries that something asked for. An interval below the floor lowers the floor. */
  readonly floorMs: number;
  readonly #settings: RefreshSettings;
  readonly #random: Random;
  readonly #ttls: number[] = [];
  /** Of the answer before, whether it told anything or not. */
  #lastTtlMs = 0;
  #failures = 0;
  /** When a cached answer makes way for a fresh one; null where no cache is known of. */
  #expiresAt: number | null = null;
  /** Answers in a row that came after an expiry. */
  #uninformed = 0;
  /** The next query comes in the middle of an entry's life, to see whether there still is a cache. */
  #probing = false;
  #burstUntil = Number.NEGATIVE_INFINITY;
  #hungryUntil = Number.NEGATIVE_INFINITY;

  constructor(settings: RefreshSettings, random: Random) {
    this.#settings = settings;
    this.#random = random;
    this.floorMs = Math.min(settings.minIntervalMs, settings.intervalMs);
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** A valid answer; `ttlMs` is null for one that holds no address. */
  answered(now: number, ttlMs: number | null): void {
    this.#failures = 0;
    const expiresAt = this.#expiresAt;
    this.#expiresAt = null;
    if (ttlMs === null) return;
    // Just after an expiry a cache shows the full TTL, as a live server does: that tells nothing.
    if (expiresAt !== null && now >= expiresAt) this.#uninformed += 1;
    else this.#learn(ttlMs);
    this.#lastTtlMs = ttlMs;
    if (this.#countsDown()) this.#expiresAt = now + ttlMs;
  }

  failed(): void {
    this.#failures += 1;
    this.#expiresAt = null;
  }

  /** The set changed: more changes are likely to follow. */
  changed(now: number): void {
    this.#burstUntil = now + this.#settings.burstMs;
  }

  /** Some channel has nothing READY, from now on; or none has that trouble any more. */
  setUnready(now: number, hungry: boolean): void {
    this.#hungryUntil = hungry ? now + this.#settings.burstMs : Number.NEGATIVE_INFINITY;
  }

  /** Milliseconds to wait from now. */
  nextDelay(now: number): number {
    const { intervalMs } = this.#settings;
    if (this.#failures > 0) {
      const backoff = BACKOFF_BASE_MS * BACKOFF_FACTOR ** (this.#failures - 1);
      return this.#jittered(Math.min(backoff, intervalMs, BACKOFF_MAX_MS));
    }
    const bursting = now < this.#burstUntil || now < this.#hungryUntil;
    const regular = this.#jittered(bursting ? this.floorMs : intervalMs);
    if (this.#expiresAt === null) return regular;
    this.#probing = this.#uninformed >= TTL_WINDOW;
    const life = this.#expiresAt - now;
    const expiry = Math.max(this.#probing ? life / 2 : life + EXPIRY_MARGIN_MS, this.floorMs);
    return Math.min(regular, expiry);
  }

  #learn(ttlMs: number): void {
    this.#uninformed = 0;
    if (this.#probing) {
      // Counted down since the answer before, as expected: what is known stays known.
      if (ttlMs < this.#lastTtlMs) return;
      this.#ttls.length = 0;
    }
    this.#ttls.push(ttlMs);
    if (this.#ttls.length > TTL_WINDOW) this.#ttls.shift();
  }

  /**
   * A live server shows the full TTL every time; a cache's counts down from query to query. (The AA bit does not
   * tell: CoreDNS's cache sets it too.)
   */
  #countsDown(): boolean {
    const first = this.#ttls[0];
    return this.#settings.ttl === 'adaptive' && this.#ttls.some((ttl) => ttl !== first);
  }

  #jittered(delayMs: number): number {
    return delayMs * (1 + this.#settings.jitter * this.#random());
  }
}
