/**
 * The full TTL of a name's answers: the longest that was seen lately. A cache shows it once in each life of an entry,
 * so it is remembered for two to four lives. Denials have a TTL of their own, from the SOA record (RFC 2308).
 */

/** After so many lives of an entry a longer TTL that was seen before them is forgotten. */
const PERIOD_LIVES = 2;
/** The longest that CoreDNS's `kubernetes` plugin can be set to. */
const MAX_TTL_MS = 3_600_000;

interface TtlPeriods {
  longest: number;
  longestBefore: number;
  endsAt: number;
}

export class LongestTtl {
  readonly #addresses: TtlPeriods = { longest: 0, longestBefore: 0, endsAt: Number.NEGATIVE_INFINITY };
  readonly #denials: TtlPeriods = { ...this.#addresses };

  add(now: number, denied: boolean, shownMs: number): void {
    const ttlMs = Math.min(shownMs, MAX_TTL_MS);
    const periods = denied ? this.#denials : this.#addresses;
    if (now >= periods.endsAt) {
      periods.longestBefore = periods.longest;
      periods.longest = 0;
      periods.endsAt = now + PERIOD_LIVES * Math.max(ttlMs, periods.longestBefore);
    }
    periods.longest = Math.max(periods.longest, ttlMs);
  }

  longest(denied: boolean): number {
    const { longest, longestBefore } = denied ? this.#denials : this.#addresses;
    return Math.max(longest, longestBefore);
  }
}
