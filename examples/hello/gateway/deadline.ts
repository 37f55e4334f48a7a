/** The header `Grpc-Timeout`, in the form that gRPC gives it: digits and a unit. */
import { invalidArgument } from './status.js';

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** Beyond this a deadline is none: timers of JavaScript take no more. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * @param header `"250m"` is 250 milliseconds; undefined where there is no such header.
 * @returns milliseconds; null where the call has no deadline: without the header, and at 0, as in grpc-gateway.
 * @throws {StatusError} INVALID_ARGUMENT.
 */
export function timeoutMs(header: string | undefined): number | null {
  if (header === undefined || header === '') return null;
  const [, digits = '', unit = ''] = /^([0-9]+)([HMSmun])$/.exec(header) ?? [];
  const unitMs = UNIT_MS[unit];
  if (unitMs === undefined || BigInt(digits) > MOST) throw invalidArgument(`invalid grpc-timeout: ${header}`);
  const ms = Number(digits) * unitMs;
  return ms === 0 || ms > LONGEST_MS ? null : ms;
}

/** The largest number that grpc-gateway reads. */
const MOST = 2n ** 64n - 1n;
