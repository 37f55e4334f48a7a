/**
 * When to ask next. Every method takes the time and none sets a timer; randomness is a parameter.
 *
 * The regular wait is the interval, jittered upwards. It is cut short in a burst (something changed, or nothing is
 * READY) and, behind a cache, by the moment its entry expires. Failures back off instead.
 */
import type { Random } from '../runtime.js';
import { CacheDetection } from './cache-detection.js';

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

export class Schedule {
  /** Least time between two queries that something asked for. An interval below the floor lowers the floor. */
  readonly floorMs: number;
  readonly #settings: RefreshSettings;
  readonly #random: Random;
  readonly #cache: CacheDetection | null;
  #failures = 0;
  #burstUntil = Number.NEGATIVE_INFINITY;
  #unreadyUntil = Number.NEGATIVE_INFINITY;

  constructor(settings: RefreshSettings, random: Random) {
    this.#settings = settings;
    this.#random = random;
    this.#cache = settings.ttl === 'adaptive' ? new CacheDetection() : null;
    this.floorMs = Math.min(settings.minIntervalMs, settings.intervalMs);
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** A valid answer; `ttlMs` is null for one that holds no address. */
  answered(now: number, ttlMs: number | null): void {
    this.#failures = 0;
    this.#cache?.answered(now, ttlMs);
  }

  failed(): void {
    this.#failures += 1;
    this.#cache?.failed();
  }

  /** The set changed: more changes are likely to follow. */
  changed(now: number): void {
    this.#burstUntil = now + this.#settings.burstMs;
  }

  /** From now on some channel has no READY pod (the burst starts), or every channel has one (it ends). */
  setUnready(now: number, unready: boolean): void {
    this.#unreadyUntil = unready ? now + this.#settings.burstMs : Number.NEGATIVE_INFINITY;
  }

  /** Milliseconds to wait from now. To be asked once for each query. */
  nextDelay(now: number): number {
    const { intervalMs } = this.#settings;
    if (this.#failures > 0) {
      const backoff = BACKOFF_BASE_MS * BACKOFF_FACTOR ** (this.#failures - 1);
      return this.#jittered(Math.min(backoff, intervalMs, BACKOFF_MAX_MS));
    }
    const bursting = now < this.#burstUntil || now < this.#unreadyUntil;
    const regular = this.#jittered(bursting ? this.floorMs : intervalMs);
    const expiresAt = this.#cache?.expiresAt ?? null;
    if (this.#cache === null || expiresAt === null) return regular;
    const life = expiresAt - now;
    const wait = this.#cache.startProbe() ? life / 2 : life + EXPIRY_MARGIN_MS;
    return Math.min(regular, Math.max(wait, this.floorMs));
  }

  #jittered(delayMs: number): number {
    return delayMs * (1 + this.#settings.jitter * this.#random());
  }
}
