/** Finds a shorter input with the same flaw by removing and zeroing octets. The result need not be the shortest. */
import type { Input } from './generator.js';
import { check, type Flaw, type Subject } from './oracle.js';

/** Slow inputs take long to minimise, and a result that is not the shortest is good enough. */
const MOST_MS = 3_000;

export function minimise(subject: Subject, input: Input, { property }: Flaw): Input {
  // A shortened message is no longer the valid one with known addresses.
  if (property === 'reads what is valid') return input;
  let best: Input = { query: input.query, type: input.type, message: input.message };
  const until = performance.now() + MOST_MS;
  const keep = (message: Buffer): boolean => {
    if (performance.now() > until) return false;
    const candidate = { ...best, message };
    if (check(subject, candidate).flaw?.property !== property) return false;
    best = candidate;
    return true;
  };
  for (let size = best.message.length >> 1; size >= 1; size >>= 1)
    for (let at = 0; at + size <= best.message.length; )
      if (!keep(Buffer.concat([best.message.subarray(0, at), best.message.subarray(at + size)]))) at += size;
  for (let at = 0; at < best.message.length; at++) {
    if (best.message[at] === 0) continue;
    const zeroed = Buffer.from(best.message);
    zeroed[at] = 0;
    keep(zeroed);
  }
  return best;
}
