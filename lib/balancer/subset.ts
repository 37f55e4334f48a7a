/**
 * How many pods of a ranked set are connected: the first `size`, and one more for each of these that fails. A pod that is
 * back is trusted after a while only, so that one that comes and goes does not make its substitute come and go with it.
 */
import type { Address } from '../address.js';
import type { Clock, Timer } from '../runtime.js';
import { nameOf } from './endpoint-address.js';

/** What the connections to a pod say of it. `pending`: nothing yet. */
export type PodCondition = 'good' | 'pending' | 'failing';

/** A pod without a result for so long counts as failing: where packets are lost, grpc-js takes 20 s to give up. */
const PENDING_MS = 2_000;
/** A pod that failed counts as failing until it has taken calls for so long on end. */
const TRUSTED_MS = 10_000;
/**
 * Substitutes at most, while any pod takes calls: as many as the subset has pods, and no fewer than this. Where most of
 * a set fails, the cause may be on this side, and a connection to every pod would not help.
 */
const LEAST_SUBSTITUTES = 4;

interface PodRecord {
  condition: PodCondition;
  /** When the condition was first seen: monotonic milliseconds. */
  since: number;
  /** It failed, and has not been good for long enough since. */
  distrusted: boolean;
}

export class Subset {
  readonly #clock: Pick<Clock, 'now' | 'setTimer'>;
  readonly #size: number;
  readonly #onDue: () => void;
  /** Of the pods that are connected, by name. */
  #records = new Map<string, PodRecord>();
  #timer: Timer | null = null;

  /** @param onDue by the passing of time alone, `select` gives another result than before. */
  constructor(clock: Pick<Clock, 'now' | 'setTimer'>, size: number, onDue: () => void) {
    this.#clock = clock;
    this.#size = size;
    this.#onDue = onDue;
  }

  /** @param ranked the whole set; what comes first is preferred. */
  select(ranked: readonly Address[], conditionOf: (address: Address) => PodCondition): readonly Address[] {
    const records = new Map<string, PodRecord>();
    const most = this.#size + Math.max(this.#size, LEAST_SUBSTITUTES);
    const selected: Address[] = [];
    let trusted = 0;
    let allFail = true;
    let dueInMs = Number.POSITIVE_INFINITY;
    for (const address of ranked) {
      if (trusted === this.#size || (selected.length >= most && !allFail)) break;
      const name = nameOf(address);
      const record = this.#observe(this.#records.get(name), conditionOf(address));
      records.set(name, record);
      selected.push(address);
      if (!record.distrusted) trusted += 1;
      if (record.condition !== 'failing') allFail = false;
      dueInMs = Math.min(dueInMs, this.#dueInMs(record));
    }
    this.#records = records;
    this.#timer?.cancel();
    this.#timer = Number.isFinite(dueInMs) ? this.#clock.setTimer(dueInMs, this.#onDue) : null;
    return selected;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #observe(before: PodRecord | undefined, condition: PodCondition): PodRecord {
    const now = this.#clock.now();
    const since = before?.condition === condition ? before.since : now;
    const distrusted = before?.distrusted ?? false;
    switch (condition) {
      case 'failing':
        return { condition, since, distrusted: true };
      case 'pending':
        return { condition, since, distrusted: distrusted || now - since >= PENDING_MS };
      case 'good':
        return { condition, since, distrusted: distrusted && now - since < TRUSTED_MS };
    }
  }

  /** When time alone will change whether the pod is trusted. */
  #dueInMs({ condition, since, distrusted }: PodRecord): number {
    const elapsedMs = this.#clock.now() - since;
    if (condition === 'pending' && !distrusted) return PENDING_MS - elapsedMs;
    if (condition === 'good' && distrusted) return TRUSTED_MS - elapsedMs;
    return Number.POSITIVE_INFINITY;
  }
}
