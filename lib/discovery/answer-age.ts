/**
 * Which of two answers was made later, and what an answer may therefore change.
 *
 * All answers start with the same TTL and count it down from the moment when the authority made them. So the one that
 * expires later was made later, whichever cache it comes from. TTLs are whole seconds, and each cache on the way may
 * be wrong by one: within that the order of two answers cannot be told.
 *
 * There is one of these for each record type, because each type is cached by itself.
 */
import { LongestTtl } from './longest-ttl.js';

export interface TimedAnswer {
  /** No address: NXDOMAIN or NODATA. */
  readonly denied: boolean;
  readonly ttlMs: number;
  /** The address set. Order does not count. */
  readonly addresses: readonly string[];
}

/**
 * `replace`: the answer is the newest, its set is the set.
 * `add`: it may be older than the newest; its additions count and its removals wait for an answer that is surely newer.
 * `ignore`: it is older.
 */
export type AnswerUse = 'replace' | 'add' | 'ignore';

/**
 * More TTL than this tells nothing more of an answer's age. It bounds how long a set is refused by an absurd TTL that
 * was shown once.
 */
const MAX_ORDERED_TTL_MS = 300_000;

/** One second of rounding in each of two layers of caches. */
const UNCERTAINTY_MS = 2_000;

/**
 * TTLs mislead where a cache of short life stands in front of one of long life. An address that returns so often
 * within so many lives of an entry shows it. A pod that is ready and not ready in turn seldom does so as fast.
 */
const RETURNS = 3;
const MEMORY_LIVES = 4;

interface Moment {
  readonly expiresAt: number;
  readonly denied: boolean;
}

export class AnswerAge {
  /** The addresses after the last answer was applied. */
  #members: ReadonlySet<string> = new Set();
  /** The last answer that replaced the set. */
  #replacedBy: Moment | null = null;
  /** The newest answer whose addresses are in the set. */
  #newest: Moment | null = null;
  /** When an answer and the set were last the same. */
  #agreedAt = Number.NEGATIVE_INFINITY;
  #foundAddresses = false;
  readonly #ttls = new LongestTtl();
  /** Addresses that left the set lately: when first, and how often they have returned. */
  readonly #left = new Map<string, { readonly since: number; readonly returns: number }>();
  #waiting = false;
  #contradicted = false;

  /** The last answer is not yet the set: something that it says has to wait. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** An address left and returned again and again: the TTLs do not tell the order of the answers. */
  get contradicted(): boolean {
    return this.#contradicted;
  }

  /** `cached`: whether the answer may come from a cache. A live server's answers are used in the order of arrival. */
  answered(now: number, answer: TimedAnswer, cached: boolean): AnswerUse {
    const ttlMs = Math.min(answer.ttlMs, MAX_ORDERED_TTL_MS);
    this.#ttls.add(now, answer.denied, ttlMs);
    const moment: Moment = { expiresAt: now + ttlMs, denied: answer.denied };
    const addresses = new Set(answer.addresses);
    let use = cached ? this.#useOf(now, moment) : 'replace';
    // An address that an answer has taken out returns with an answer that is surely newer.
    if (use === 'add' && !this.#hasNewcomers(addresses)) use = 'ignore';
    if (!answer.denied) this.#foundAddresses = true;
    this.#contradicted = false;
    if (use === 'replace') {
      if (cached) this.#watchReturns(now, addresses);
      this.#members = addresses;
      this.#replacedBy = moment;
      this.#newest = moment;
    } else if (use === 'add') {
      const union = new Set([...this.#members, ...addresses]);
      // Only an answer that added something moves the mark: else removals would wait for ever under frequent answers.
      if (union.size > this.#members.size && this.#newest !== null && this.#madeAt(moment) > this.#madeAt(this.#newest))
        this.#newest = moment;
      this.#members = union;
    }
    this.#waiting = addresses.size !== this.#members.size || answer.addresses.some((one) => !this.#members.has(one));
    if (!this.#waiting) this.#agreedAt = now;
    return use;
  }

  #useOf(now: number, moment: Moment): AnswerUse {
    if (this.#replacedBy === null || this.#newest === null) return 'replace';
    // Safety: TTLs that lie or change would refuse a set for ever. After the longest TTL no older answer can be left.
    if (now - this.#agreedAt >= Math.max(this.#ttls.longest(false), this.#ttls.longest(true))) return 'replace';
    const madeAt = this.#madeAt(moment);
    if (madeAt >= this.#madeAt(this.#newest) + UNCERTAINTY_MS) return 'replace';
    // While no address was ever found, any is better than none.
    if (madeAt <= this.#madeAt(this.#replacedBy) - UNCERTAINTY_MS && this.#foundAddresses) return 'ignore';
    return 'add';
  }

  #hasNewcomers(addresses: ReadonlySet<string>): boolean {
    for (const address of addresses) if (!this.#members.has(address) && !this.#left.has(address)) return true;
    return false;
  }

  #watchReturns(now: number, addresses: ReadonlySet<string>): void {
    const memoryMs = MEMORY_LIVES * Math.max(this.#ttls.longest(false), this.#ttls.longest(true));
    for (const [address, { since }] of this.#left) if (now - since > memoryMs) this.#left.delete(address);
    for (const [address, { since, returns }] of this.#left) {
      if (!addresses.has(address) || this.#members.has(address)) continue;
      this.#left.set(address, { since, returns: returns + 1 });
      if (returns + 1 >= RETURNS) this.#contradicted = true;
    }
    for (const address of this.#members)
      if (!addresses.has(address) && !this.#left.has(address)) this.#left.set(address, { since: now, returns: 0 });
    if (this.#contradicted) this.#left.clear();
  }

  /** Computed anew each time: a longer TTL seen later tells that earlier answers were older than they seemed. */
  #madeAt(moment: Moment): number {
    return moment.expiresAt - this.#ttls.longest(moment.denied);
  }
}
