/** One evil (or merely odd) message, where it is known from, and what must come of it. */
import type { RecordType } from '../../../lib/dns/message.js';
import { aQuery } from '../../support/wire.js';
import type { Input } from '../generator.js';

export type Expectation =
  /** Ignored by the first check, and why. */
  | { readonly ignored: 'not-a-response' | 'id-mismatch' | 'question-mismatch' }
  /** Fails whole; what the error says. */
  | { readonly malformed: RegExp }
  | { readonly addresses: readonly string[]; readonly refused?: number; readonly rcode?: string };

export interface Shape extends Input {
  /** A sentence's end: "a response with …". */
  readonly name: string;
  /** The row of the faults' table, a CVE, an RFC, or whose test suite has it. */
  readonly source: string;
  readonly outcome: Expectation;
}

export interface ShapeParts {
  /** Default: `aQuery()`. */
  readonly query?: Buffer;
  readonly type?: RecordType;
}

export function shape(
  name: string,
  source: string,
  message: Buffer,
  outcome: Expectation,
  parts: ShapeParts = {},
): Shape {
  return { name, source, message, outcome, query: parts.query ?? aQuery(), type: parts.type ?? 'A' };
}

export function malformed(why: RegExp): Expectation {
  return { malformed: why };
}

export function gives(...addresses: string[]): Expectation {
  return { addresses };
}
