/**
 * Known bad messages: those of the table of faults, and those that the test suites of other resolvers describe, made
 * again from the description. `corpus.test.ts` replays them, and the fuzzer starts from them.
 */
import { HEADERS } from './corpus/headers.js';
import { NAMES } from './corpus/names.js';
import { RECORDS } from './corpus/records.js';
import { SERVICES } from './corpus/services.js';
import type { Shape } from './corpus/shape.js';

export const CORPUS: readonly Shape[] = [...HEADERS, ...NAMES, ...RECORDS, ...SERVICES];
