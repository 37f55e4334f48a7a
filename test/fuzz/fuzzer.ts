/**
 * Makes inputs, has them checked, and keeps those with a new outcome to derive the next ones from. No decision depends
 * on measured time: the same seed makes the same run.
 */

import { generate, type Input } from './generator.js';
import { mutate, randomMessage } from './mutator.js';
import { check, type Flaw, type Subject } from './oracle.js';
import { RandomSource } from './random-source.js';
import { type TextFlaw, tryText } from './texts.js';

export interface Finding extends Flaw {
  readonly input: Input;
}

export interface Stats {
  executions: number;
  /** Different outcomes of messages and texts. */
  readonly outcomes: number;
  readonly pool: number;
  readonly slowestMs: number;
}

const MOST_KEPT = 4_096;
/** In each round one execution is a text, one measures the heap, and one compares with the rules at any size. */
const ROUND = 16;
const ROLE = { text: 0, heap: 1, rules: 2 } as const;
/** Up to this many octets the second reader is fast enough to be used each time. */
const SMALL_OCTETS = 2_048;

export class Fuzzer {
  readonly #subject: Subject;
  readonly #random: RandomSource;
  readonly #seen = new Set<string>();
  readonly #texts = new Set<string>();
  readonly #pool: Input[] = [];
  #slowestMs = 0;
  #executions = 0;

  constructor(subject: Subject, seed: number, corpus: readonly Input[] = []) {
    this.#subject = subject;
    this.#random = new RandomSource(seed);
    this.#pool.push(...corpus);
  }

  get stats(): Stats {
    return {
      executions: this.#executions,
      outcomes: this.#seen.size + this.#texts.size,
      pool: this.#pool.length,
      slowestMs: this.#slowestMs,
    };
  }

  /** One execution. */
  step(): Finding | TextFlaw | null {
    const random = this.#random;
    const role = this.#executions++ % ROUND;
    if (role === ROLE.text) return tryText(random, this.#texts);
    const input = this.#next();
    const rules = input.message.length <= SMALL_OCTETS || role === ROLE.rules;
    const { signature, flaw, ms } = check(this.#subject, input, { heap: role === ROLE.heap, rules });
    if (flaw) return { ...flaw, input };
    if (!this.#seen.has(signature)) {
      this.#seen.add(signature);
      this.#keep(input);
    }
    // Measured again, because another process may have slowed down the first run.
    if (ms > this.#slowestMs) this.#slowestMs = Math.max(this.#slowestMs, Math.min(ms, this.#timeAgain(input)));
    return null;
  }

  #next(): Input {
    const random = this.#random;
    if (this.#pool.length === 0 || random.chance(0.1)) return generate(random);
    if (random.chance(0.05)) return randomMessage(generate(random), random);
    return mutate(this.#parent(), () => this.#parent(), random);
  }

  /** Mostly from the pool, sometimes a new one, so that the inputs stay varied. Rarely a large one, which is slow. */
  #parent(): Input {
    const random = this.#random;
    const first = random.chance(0.1) ? generate(random) : random.pick(this.#pool);
    return first.message.length <= SMALL_OCTETS || random.chance(0.1) ? first : this.#parent();
  }

  #keep(input: Input): void {
    if (this.#pool.length < MOST_KEPT) this.#pool.push(input);
    else this.#pool[this.#random.below(MOST_KEPT)] = input;
  }

  #timeAgain(input: Input): number {
    return check(this.#subject, input, { heap: false, rules: false }).ms;
  }
}
