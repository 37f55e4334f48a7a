/**
 * Sums up calls over channels, so that no sum ever falls when a channel is closed or an endpoint is gone: what each has
 * counted since it was last looked at is added.
 */
import type { EndpointSnapshot } from '../snapshot.js';

export interface CallSums {
  picks: number;
  ok: number;
  error: number;
}

/** By channel, or by channel and endpoint. */
export class CallTotals {
  readonly #last = new WeakMap<object, Map<string, CallSums>>();
  readonly #sums = new Map<string, CallSums>();

  /** @param counted all of one channel by the key of their sum; keys that are missing are forgotten. */
  add(channel: object, counted: ReadonlyMap<string, CallSums>): void {
    const last = this.#last.get(channel);
    for (const [key, now] of counted) {
      const before = last?.get(key);
      const sums = this.#sums.get(key) ?? { picks: 0, ok: 0, error: 0 };
      sums.picks += growth(before?.picks, now.picks);
      sums.ok += growth(before?.ok, now.ok);
      sums.error += growth(before?.error, now.error);
      this.#sums.set(key, sums);
    }
    this.#last.set(channel, new Map(counted));
  }

  entries(): IterableIterator<[key: string, sums: Readonly<CallSums>]> {
    return this.#sums.entries();
  }
}

/** An endpoint that left and returned counts from 0 again. */
function growth(before = 0, now: number): number {
  return now >= before ? now - before : now;
}

export function sumsOf({ started, succeeded, failed }: EndpointSnapshot): CallSums {
  return { picks: started, ok: succeeded, error: failed };
}
