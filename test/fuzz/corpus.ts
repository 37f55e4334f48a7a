/**
 * The known evil shapes: the rows of the faults' table, and what the test suites of other resolvers list, their octets
 * made anew from the description. Replayed by `corpus.test.ts`, and what the fuzzer starts from.
 */
import { HEADERS } from './corpus/headers.js';
import { NAMES } from './corpus/names.js';
import { RECORDS } from './corpus/records.js';
import type { Shape } from './corpus/shape.js';

export const CORPUS: readonly Shape[] = [...HEADERS, ...NAMES, ...RECORDS];
