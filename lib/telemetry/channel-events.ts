/** What a channel tells its listeners, and when. */
import type { DnsError } from '../errors.js';

/** The set of pods changed. Addresses are `"ip:port"`, or `"[v6]:port"`. */
export interface UpdateEvent {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly kept: readonly string[];
}

/** A DNS query brought no addresses. */
export interface DnsFailureEvent {
  /** NXDOMAIN and NODATA included; see its `code`. */
  readonly error: DnsError;
  /** In a row, this one counted. Empty answers count as answers, not as failures. */
  readonly failures: number;
  /** Addresses that stay in use all the same. */
  readonly kept: number;
}

export interface HeadlessEvents {
  /** After the first answer, and after every one that changed the set. */
  update: [UpdateEvent];
  /** After every query that failed or found nothing. No listener is owed: DNS trouble is never an `error` event. */
  dnsFailure: [DnsFailureEvent];
}

export type HeadlessListener<E extends keyof HeadlessEvents> = (...args: HeadlessEvents[E]) => void;
