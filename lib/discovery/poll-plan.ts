/**
 * When the next poll comes, and with which bits it asks: what the schedule, the requests of subscribers and the reading
 * of caches want, brought together. Every method takes the time and none sets a timer.
 */
import { PLAIN_BITS, type QueryBits } from '../dns/message.js';
import type { OutcomeSource, Resolution } from '../dns/resolution.js';
import type { Random } from '../runtime.js';
import type { CacheStatus } from '../telemetry/snapshot.js';
import type { AnswerUse, TimedAnswer } from './answer-age.js';
import { CacheReading } from './cache-reading.js';
import { NO_LIMITS } from './membership.js';
import { RequestBackoff } from './request-backoff.js';
import { type RefreshSettings, Schedule } from './schedule.js';

export interface PlannedPoll {
  readonly at: number;
  /** A request moved it forward: its bits are those of the moment when it is made, `bitsNow`. */
  readonly requested: boolean;
  readonly bits: QueryBits;
}

export interface SettledPoll {
  /** No server gave a valid answer. */
  readonly failed: boolean;
  readonly changed: boolean;
  /** The first set: a start is not followed by more pods than any other moment. */
  readonly first: boolean;
}

export class PollPlan {
  readonly #schedule: Schedule;
  readonly #requests: RequestBackoff;
  /** Null where TTLs are ignored. */
  readonly #reading: CacheReading | null;
  #askedAt = Number.NEGATIVE_INFINITY;
  #settledAt = Number.NEGATIVE_INFINITY;
  /** The schedule's wait after the last poll. */
  #regularDelayMs = 0;
  #requestedAt = Number.POSITIVE_INFINITY;
  #unready = false;
  #polls = 0;

  constructor(refresh: RefreshSettings, random: Random) {
    const { intervalMs, jitter, ttl } = refresh;
    this.#schedule = new Schedule(refresh, random);
    const { floorMs } = this.#schedule;
    this.#requests = new RequestBackoff(floorMs, intervalMs);
    this.#reading = ttl === 'ignore' ? null : new CacheReading({ intervalMs, floorMs, jitter, ttl }, random);
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#schedule.failures;
  }

  /** Null where TTLs are ignored. */
  cacheStatus(now: number): CacheStatus | null {
    return this.#reading?.status(now) ?? null;
  }

  /** Something changed not long ago, or some channel has no READY pod: more is likely to change. */
  expectsChange(now: number): boolean {
    return this.#unready || this.#schedule.bursting(now);
  }

  /** Some channel has no READY pod, from now on, or every channel has one. */
  setUnready(now: number, unready: boolean): void {
    this.#unready = unready;
    this.#schedule.setUnready(now, unready);
  }

  /** A poll is made. */
  asked(now: number): void {
    this.#askedAt = now;
    this.#requestedAt = Number.POSITIVE_INFINITY;
  }

  /** What the answers may change, by how old they are. */
  read(now: number, { outcomes }: Resolution, bits: QueryBits): ReadonlyMap<OutcomeSource, AnswerUse> {
    const answers = new Map<OutcomeSource, TimedAnswer>();
    for (const [source, outcome] of outcomes) {
      if (outcome.kind === 'failed') continue;
      const addresses = outcome.kind === 'addresses' ? outcome.addresses : [];
      answers.set(source, { denied: outcome.kind === 'empty', ttlMs: outcome.ttlMs, addresses });
    }
    if (answers.size > 0) return this.#reading?.answered(now, bits, answers) ?? NO_LIMITS;
    this.#reading?.failed(now, bits);
    return NO_LIMITS;
  }

  settled(now: number, { failed, changed, first }: SettledPoll): void {
    if (failed) this.#schedule.failed();
    else this.#schedule.answered();
    if (changed && !first) this.#schedule.changed(now);
    this.#requests.settled(changed);
    this.#settledAt = now;
    this.#regularDelayMs = this.#schedule.nextDelay(now, !this.#unready);
    // The second poll looks for a cache, at one and the same time after the start in all clients.
    if (this.#polls === 0 && this.#reading) this.#schedule.spreadNext();
    this.#polls += 1;
  }

  /** A lost connection asks for a poll; see `RequestBackoff`. Returns whether that is before `plannedAt`. */
  request(now: number, plannedAt: number): boolean {
    this.#requests.request();
    return this.#moveForward(now, plannedAt, this.#requests.waitMs);
  }

  /** The user asks for a poll. Returns whether that is before `plannedAt`. */
  refresh(now: number, plannedAt: number): boolean {
    return this.#moveForward(now, plannedAt, this.#schedule.floorMs);
  }

  /** Whatever wants the next poll first. */
  next(): PlannedPoll {
    const { at, bits } = this.#scheduled();
    return this.#requestedAt < at ? { at: this.#requestedAt, requested: true, bits } : { at, requested: false, bits };
  }

  /** For a poll that was requested. */
  bitsNow(now: number): QueryBits {
    return this.#reading?.bitsNow(now) ?? PLAIN_BITS;
  }

  /** Counted from the last poll, however often it is computed: a channel whose readiness flaps must not postpone it. */
  #scheduled(): { readonly at: number; readonly bits: QueryBits } {
    const from = this.#settledAt;
    const unreadyDelayMs = (this.#schedule.unreadyAt(from) ?? Number.POSITIVE_INFINITY) - from;
    const regularDelayMs = Math.min(this.#regularDelayMs, unreadyDelayMs);
    if (!this.#reading) return { at: from + regularDelayMs, bits: PLAIN_BITS };
    const failing = this.#schedule.failures > 0;
    const { delayMs, bits } = this.#reading.next(from, { regularDelayMs, ready: !this.#unready, failing });
    return { at: from + delayMs, bits };
  }

  #moveForward(now: number, plannedAt: number, waitMs: number): boolean {
    const due = Math.max(now, this.#askedAt + waitMs);
    if (plannedAt <= due) return false;
    this.#requestedAt = due;
    return true;
  }
}
