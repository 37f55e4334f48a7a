/** Random choices from one seed: the same seed makes the same run. */
import type { Random } from '../../lib/runtime.js';
import { seededRandom } from '../support/fake-random.js';

export class RandomSource {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** 0 to `limit - 1`. */
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** Both ends included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** `choices` must not be empty. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  octets(count: number): Buffer {
    const octets = Buffer.allocUnsafe(count);
    for (let at = 0; at < count; at++) octets[at] = this.below(256);
    return octets;
  }

  shuffled<T>(items: readonly T[]): T[] {
    const order = [...items];
    for (let last = order.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [order[last], order[other]] = [order[other] as T, order[last] as T];
    }
    return order;
  }
}
