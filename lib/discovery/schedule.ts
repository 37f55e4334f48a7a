/**
 * When to ask next, without regard to caches (cache-reading.ts). Every method takes the time and none sets a timer;
 * randomness is a parameter.
 *
 * The regular wait is the interval, jittered upwards. It is cut short in the burst after a change. Failures back off
 * instead. While nothing is READY there is a burst too: see `unreadyAt`.
 */
import type { Random } from '../runtime.js';

/**
 * What TTLs do to the schedule. `phased`: behind a cache, its entries are read in turn, just after each expires.
 * `adaptive`: one extra query just after a cached answer expires. `ignore`: nothing.
 *
 * @inline
 */
export type TtlRule = 'phased' | 'adaptive' | 'ignore';

export interface ScheduleSettings {
  readonly intervalMs: number;
  /** Share of the wait that is random, upwards only. */
  readonly jitter: number;
  readonly minIntervalMs: number;
  readonly burstMs: number;
}

export interface RefreshSettings extends ScheduleSettings {
  readonly ttl: TtlRule;
}

/** gRPC's connection backoff: https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md */
const BACKOFF_BASE_MS = 1_000;
/** While every channel has a READY pod: near the default interval, so that retries do not multiply the queries. */
const BACKOFF_BASE_READY_MS = 4_500;
const BACKOFF_FACTOR = 1.6;
const BACKOFF_MAX_MS = 30_000;

/** With this jitter (the default) or more, clients spread fully after a start or a burst; with less, in proportion. */
export const FULL_SPREAD_JITTER = 0.1;

export class Schedule {
  /** Least time between two queries that something asked for. An interval below the floor lowers the floor. */
  readonly floorMs: number;
  readonly #settings: ScheduleSettings;
  readonly #random: Random;
  #failures = 0;
  #burstUntil = Number.NEGATIVE_INFINITY;
  #unreadySince: number | null = null;
  #readySince = Number.NEGATIVE_INFINITY;
  /** A channel that is unready again and again has one burst, until it stays ready for as long as a burst. */
  #unreadyBurstStart = Number.NEGATIVE_INFINITY;
  #burstWaitMs: number;
  /** The next regular wait is the first one after a start or a burst, in which many clients asked at the same moments. */
  #inStep = true;

  constructor(settings: ScheduleSettings, random: Random) {
    this.#settings = settings;
    this.#random = random;
    this.floorMs = Math.min(settings.minIntervalMs, settings.intervalMs);
    this.#burstWaitMs = this.floorMs;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** A valid answer. */
  answered(): void {
    this.#failures = 0;
  }

  failed(): void {
    this.#failures += 1;
  }

  /** The set changed: more changes are likely to follow. */
  changed(now: number): void {
    this.#burstUntil = now + this.#settings.burstMs;
  }

  /** The next regular wait is spread as after a start. */
  spreadNext(): void {
    this.#inStep = true;
  }

  /** A change was not long ago. */
  bursting(now: number): boolean {
    return now < this.#burstUntil;
  }

  /** From now on some channel has no READY pod (the burst starts), or every channel has one (it ends). */
  setUnready(now: number, unready: boolean): void {
    this.#unreadySince = unready ? now : null;
    if (!unready) this.#readySince = now;
    else if (now - this.#readySince >= this.#settings.burstMs) this.#unreadyBurstStart = now;
  }

  /**
   * When the burst of an unready channel wants the next query; null without such a burst. A channel that is unready for
   * a moment only, because its servers close their connections, brings none: it has to last for the floor's time.
   *
   * @param settledAt when the last query was settled.
   */
  unreadyAt(settledAt: number): number | null {
    if (this.#unreadySince === null || this.#failures > 0) return null;
    const from = Math.max(settledAt, this.#unreadySince);
    return from < this.#unreadyBurstStart + this.#settings.burstMs ? from + this.#burstWaitMs : null;
  }

  /**
   * Milliseconds to wait from now, apart from an unready channel's burst. To be asked once for each query.
   *
   * @param ready every channel has a READY pod. Then a failure of DNS is not urgent, and the backoff starts later: when
   *   the DNS of many clients fails, retries must not multiply their queries.
   */
  nextDelay(now: number, ready: boolean): number {
    const { intervalMs } = this.#settings;
    const random = this.#random();
    const jitter = 1 + this.#settings.jitter * random;
    this.#burstWaitMs = this.floorMs * jitter;
    if (this.#failures > 0) {
      const base = ready ? BACKOFF_BASE_READY_MS : BACKOFF_BASE_MS;
      const backoff = base * BACKOFF_FACTOR ** (this.#failures - 1);
      return Math.max(this.floorMs, Math.min(backoff, intervalMs, BACKOFF_MAX_MS)) * jitter;
    }
    const bursting = this.bursting(now);
    const inStep = this.#inStep && !bursting;
    this.#inStep = bursting;
    if (bursting) return this.floorMs * jitter;
    if (!inStep) return intervalMs * jitter;
    const spread = Math.min(1, this.#settings.jitter / FULL_SPREAD_JITTER);
    return (intervalMs - random * spread * (intervalMs - this.floorMs)) * jitter;
  }
}
