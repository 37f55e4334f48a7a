/**
 * Says which faults a test covers: `test('…', covers(7, 8), () => …)`, or a member of a table of cases, beside the
 * case's title. The table of faults reads these calls from the source, so that their arguments must be numerals.
 */
import type { TestOptions } from 'node:test';
import { FAULTS } from './faults.js';

/** Goes where a test's options go. */
export interface Coverage extends TestOptions {
  readonly faults: readonly number[];
}

/** @throws RangeError for a number that is no row of the table. */
export function covers(...faults: [number, ...number[]]): Coverage {
  for (const fault of faults) if (!FAULTS.has(fault)) throw new RangeError(`the table of faults has no row ${fault}`);
  return { faults };
}
