/**
 * Sums up calls over channels, so that no sum ever falls when a channel is closed or an endpoint is gone: what each has
 * counted since it was last looked at is added.
 */
import type { CallCounts } from '../released-pods.js';

export interface CallSums {
  picks: number;
  ok: number;
  error: number;
}

/** What one source has counted under a name of its own, and the key of the sum that it belongs to. */
export interface Counted {
  readonly name: string;
  readonly key: string;
  readonly sums: Readonly<CallSums>;
}

export class CallTotals {
  readonly #last = new WeakMap<object, Map<string, Readonly<CallSums>>>();
  readonly #sums = new Map<string, CallSums>();

  /** @param counted all of one source, such as a channel; names that are missing are forgotten. */
  add(source: object, counted: readonly Counted[]): void {
    const last = this.#last.get(source);
    const now = new Map<string, Readonly<CallSums>>();
    for (const { name, key, sums } of counted) {
      const before = last?.get(name);
      const total = this.#sums.get(key) ?? { picks: 0, ok: 0, error: 0 };
      total.picks += growth(before?.picks, sums.picks);
      total.ok += growth(before?.ok, sums.ok);
      total.error += growth(before?.error, sums.error);
      this.#sums.set(key, total);
      now.set(name, sums);
    }
    this.#last.set(source, now);
  }

  /** What was counted under the name goes on in a source of its own, and the first source counts from 0. */
  move(name: string, from: object, to: object): void {
    const last = this.#last.get(from);
    const moved = last?.get(name);
    if (!last || !moved) return;
    last.delete(name);
    this.#last.set(to, new Map([[name, moved]]));
  }

  entries(): IterableIterator<[key: string, sums: Readonly<CallSums>]> {
    return this.#sums.entries();
  }
}

/** A name that was counted anew, without a `move`, counts from 0 again. */
function growth(before = 0, now: number): number {
  return now >= before ? now - before : now;
}

export function sumsOf({ started, succeeded, failed }: CallCounts): CallSums {
  return { picks: started, ok: succeeded, error: failed };
}
