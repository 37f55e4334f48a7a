/** One bad or unusual message, its origin, and the expected outcome. */
import type { RecordType } from '../../../lib/dns/message.js';
import type { Coverage } from '../../faults/covers.js';
import { aQuery } from '../../support/wire.js';
import type { Input } from '../generator.js';

export type Expectation =
  /** Ignored by the first check, for this reason. */
  | { readonly ignored: 'not-a-response' | 'id-mismatch' | 'question-mismatch' }
  /** Fails as a whole, with this error. */
  | { readonly malformed: RegExp }
  | { readonly addresses: readonly string[]; readonly refused?: number; readonly rcode?: string }
  /** Each as `"port target addresses"`, in order. */
  | { readonly services: readonly string[]; readonly refused?: number };

export interface Shape extends Input {
  /** The end of the sentence "a response with …". */
  readonly name: string;
  readonly coverage: Coverage | null;
  /** A CVE, an RFC, or the project whose test suite has it; empty where it is only in the table of faults. */
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
  coverage: Coverage | null,
  source: string,
  message: Buffer,
  outcome: Expectation,
  parts: ShapeParts = {},
): Shape {
  return { name, coverage, source, message, outcome, query: parts.query ?? aQuery(), type: parts.type ?? 'A' };
}

export function malformed(why: RegExp): Expectation {
  return { malformed: why };
}

export function gives(...addresses: string[]): Expectation {
  return { addresses };
}

export function services(...all: string[]): Expectation {
  return { services: all };
}

/** The title of the shape's test. */
export function titleOf({ name, source }: Shape): string {
  return source === '' ? name : `${name} (${source})`;
}
