/**
 * The result of resolving a name once, whether DNS servers or the user's own `Lookup` answered. Outcomes are kept apart
 * by their source (A, AAAA, SRV, lookup): one may fail while another answers, and then only the latter may change the set.
 */
import type { Address } from '../address.js';
import type { DnsError } from '../errors.js';
import type { EmptyReason, FailureReason } from './failure.js';
import type { QueryBits } from './message.js';

/** Where addresses come from: a record type, or the user's own lookup. */
export type OutcomeSource = 'A' | 'AAAA' | 'SRV' | 'lookup';

export interface Addresses {
  readonly kind: 'addresses';
  /**
   * IP addresses as text, at least one, each once, and only ones that a connection can be opened to. Of SRV:
   * `"ip:port"`, or `"[v6]:port"`.
   */
  readonly addresses: readonly string[];
  /** Of SRV only: the same addresses, in the same order, with their ports and weights. */
  readonly services?: readonly Address[];
  /** The smallest TTL along the CNAME chain and the addresses. */
  readonly ttlMs: number;
  /** The answer was truncated (TC over TCP): its addresses may be added to the set, but none may be removed. */
  readonly partial: boolean;
}

export type Outcome =
  | Addresses
  /** NXDOMAIN or NODATA, or an answer whose every address was refused: valid, and without an address. */
  | { readonly kind: 'empty'; readonly reason: EmptyReason; readonly error: DnsError; readonly ttlMs: number }
  /** No valid answer: the set must stay as it is. */
  | { readonly kind: 'failed'; readonly reason: FailureReason; readonly error: DnsError };

export interface Resolution {
  readonly outcomes: ReadonlyMap<OutcomeSource, Outcome>;
  /** The fully qualified name that the outcomes are about, which the search list may have extended. */
  readonly name: string;
  /** `"ip:port"` of the server that responded last; null where none did, or for a user's lookup. */
  readonly server: string | null;
  readonly transport: 'udp' | 'tcp' | 'lookup' | null;
  /** The RCODE's mnemonic as in the IANA registry (`NOERROR`, `NXDOMAIN` …); null where no response came. */
  readonly rcode: string | null;
  /**
   * The bits of the query that got this response, as they were sent: DO is withdrawn together with EDNS. null where no
   * response came, or for a user's lookup.
   */
  readonly bits: QueryBits | null;
  /** Only where a topology zone is asked for. */
  readonly zone?: ZoneAnswer;
}

/** What DNS tells of one topology zone. */
export interface ZoneAnswer {
  readonly name: string;
  /** No name for the zone exists: the addresses are those of every zone. */
  readonly fallback: boolean;
  /** Hosts in the zone. Empty also where DNS tells no difference between zones. */
  readonly hosts: ReadonlySet<string>;
}
