/** Why a source has no addresses, or not from the slices. Pure. */
import { DnsError, HeadlessError } from '../errors.js';

/** @param name of the Service, with its namespace. */
export function noSlices(name: string): HeadlessError {
  const message = `${name} has no EndpointSlice: there is no such Service, or it has no selector`;
  return new HeadlessError('ERR_HEADLESS_NO_ENDPOINTS', message);
}

/** @param portName null: the target has a port of its own. */
export function noEndpoints(name: string, portName: string | null): HeadlessError {
  const of = portName === null ? '' : ` with a port "${portName}"`;
  const message = `the EndpointSlices of ${name} hold no endpoint${of} that takes calls`;
  return new HeadlessError('ERR_HEADLESS_NO_ENDPOINTS', message);
}

/**
 * Calls that fail because DNS has no addresses tell why, and why DNS is in use at all.
 *
 * @param error of DNS.
 * @param reason for DNS.
 */
export function withReason(error: HeadlessError | null, reason: HeadlessError | null): HeadlessError | null {
  if (error === null || reason === null) return error;
  const message = `${error.message}; ${reason.message}`;
  if (!(error instanceof DnsError)) return new HeadlessError(error.code, message, { cause: error });
  const { code, hostname, server } = error;
  return new DnsError(code, message, { hostname, server, cause: error });
}
