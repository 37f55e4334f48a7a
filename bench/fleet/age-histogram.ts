/**
 * Ages of news in bounded memory, however many clients there are: counts in buckets of 10 ms, beside the exact sum and
 * maximum.
 */

const BUCKET_MS = 10;

export class AgeHistogram {
  readonly #buckets: number[] = [];
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  add(ageMs: number): void {
    const bucket = Math.floor(ageMs / BUCKET_MS);
    while (this.#buckets.length <= bucket) this.#buckets.push(0);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#sumMs += ageMs;
    this.#maxMs = Math.max(this.#maxMs, ageMs);
  }

  get count(): number {
    return this.#count;
  }

  /** NaN of none. */
  get meanMs(): number {
    return this.#sumMs / this.#count;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** The upper edge of the bucket that holds this share of the ages, at most the maximum; NaN of none. */
  quantileMs(share: number): number {
    if (this.#count === 0) return Number.NaN;
    let left = share * this.#count;
    for (const [bucket, count] of this.#buckets.entries()) {
      left -= count;
      if (left <= 0) return Math.min(this.#maxMs, (bucket + 1) * BUCKET_MS);
    }
    return this.#maxMs;
  }
}
