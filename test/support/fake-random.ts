/** Repeatable randomness: a seeded generator, and a script of given numbers. */
import type { Random } from '../../lib/runtime.js';

/** Mulberry32: small, fast, and good enough to shuffle with. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The given numbers in turn, over and over. */
export function scriptedRandom(...numbers: number[]): Random {
  let index = 0;
  return () => numbers[index++ % numbers.length] ?? 0;
}
