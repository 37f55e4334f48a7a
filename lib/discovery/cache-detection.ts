/**
 * Whether a cache answers, and when its entry expires, learned from the TTLs of its answers. Pure: every method takes
 * the time.
 *
 * A live server shows the full TTL every time; a cache's counts down from query to query. (The AA bit does not tell:
 * CoreDNS's cache sets it too.)
 */

/** So many answers tell a cache from a live server: enough to see a TTL count down, few enough to forget a change. */
const TTL_WINDOW = 8;

export class CacheDetection {
  readonly #ttls: number[] = [];
  /** Of the last answer, whether it was evidence or not. */
  #lastTtlMs = 0;
  #expiresAt: number | null = null;
  /** Answers in a row that came after an expiry, and so were no evidence. */
  #withoutEvidence = 0;
  #probing = false;

  /** When a cached answer makes way for a fresh one; null where no cache is seen. */
  get expiresAt(): number | null {
    return this.#expiresAt;
  }

  /** @param ttlMs null for an answer without addresses. */
  answered(now: number, ttlMs: number | null): void {
    const expiresAt = this.#expiresAt;
    this.#expiresAt = null;
    if (ttlMs === null) return;
    // Just after an expiry a cache shows the full TTL, as a live server does: no evidence either way.
    if (expiresAt !== null && now >= expiresAt) this.#withoutEvidence += 1;
    else this.#learn(ttlMs);
    this.#lastTtlMs = ttlMs;
    if (this.#countsDown()) this.#expiresAt = now + ttlMs;
  }

  failed(): void {
    this.#expiresAt = null;
  }

  /**
   * Whether the next query should come in the middle of the entry's life instead of after its expiry, to see whether
   * there still is a cache. To be asked once for each query.
   */
  startProbe(): boolean {
    this.#probing = this.#withoutEvidence >= TTL_WINDOW;
    return this.#probing;
  }

  #learn(ttlMs: number): void {
    this.#withoutEvidence = 0;
    if (this.#probing) {
      // Counted down since the answer before: the cache is still there.
      if (ttlMs < this.#lastTtlMs) return;
      this.#ttls.length = 0;
    }
    this.#ttls.push(ttlMs);
    if (this.#ttls.length > TTL_WINDOW) this.#ttls.shift();
  }

  #countsDown(): boolean {
    const first = this.#ttls[0];
    return this.#ttls.some((ttl) => ttl !== first);
  }
}
