/**
 * What asking once for a name's addresses gives, whoever answered: our DNS client or the user's own `Lookup`.
 * Outcomes are kept apart by their source (A, AAAA, lookup), because one may fail while the other answers, and then
 * only the one that answered may change the set.
 */
import type { DnsError } from '../errors.js';

/** Where addresses come from: a record type, or the user's own lookup. */
export type OutcomeSource = 'A' | 'AAAA' | 'lookup';

export type Outcome =
  | {
      readonly kind: 'addresses';
      /** IP addresses as text, each once, only ones that a connection could be opened to; at least one. */
      readonly addresses: readonly string[];
      /** The shortest TTL along the CNAME chain and the addresses. */
      readonly ttlMs: number;
      /** The answer was cut (TC over TCP): its addresses may add to the set, never remove from it. */
      readonly partial: boolean;
    }
  /** NXDOMAIN or NODATA, or an answer whose every address was refused: valid, and without an address. */
  | { readonly kind: 'empty'; readonly error: DnsError; readonly ttlMs: number }
  /** No valid answer: the set must stay as it is. */
  | { readonly kind: 'failed'; readonly error: DnsError };

export interface Resolution {
  readonly outcomes: ReadonlyMap<OutcomeSource, Outcome>;
  /** The fully qualified name that the outcomes speak of (the search list may have changed the one asked for). */
  readonly name: string;
  /** `"ip:port"` of the server that answered last; null where none did, or for a user's lookup. */
  readonly server: string | null;
  readonly transport: 'udp' | 'tcp' | 'lookup' | null;
  /** The RCODE's mnemonic as in the IANA registry (`NOERROR`, `NXDOMAIN` …); null where no reply came. */
  readonly rcode: string | null;
}

/** What was dropped, refused or retried, and why. Only ever counts up. */
export interface DnsCounters {
  /** Questions sent, each transport and retry counted. */
  queries: number;
  udpQueries: number;
  tcpQueries: number;
  /** Valid replies. */
  replies: number;
  timeouts: number;
  unreachable: number;
  /** Replies that broke the framing and failed the question. */
  malformed: number;
  /** Datagrams ignored: too short, not a response, not our opcode, not one question. */
  dropped: number;
  /** Replies with our address and another id: somebody guesses, so the question went to TCP. */
  wrongId: number;
  /** Replies to a question that was not asked. */
  wrongQuestion: number;
  /** TC over UDP: asked again over TCP. */
  truncated: number;
  /** FORMERR or BADVERS: asked again without EDNS. */
  withoutEdns: number;
  /** Addresses nobody can connect to (unspecified, multicast, broadcast), left out. */
  refusedAddresses: number;
}

export function zeroDnsCounters(): DnsCounters {
  return {
    queries: 0,
    udpQueries: 0,
    tcpQueries: 0,
    replies: 0,
    timeouts: 0,
    unreachable: 0,
    malformed: 0,
    dropped: 0,
    wrongId: 0,
    wrongQuestion: 0,
    truncated: 0,
    withoutEdns: 0,
    refusedAddresses: 0,
  };
}

/** Answers once, whenever asked. It never throws for DNS trouble: that is an outcome. */
export interface NameResolver {
  /** Rejects only with the signal's reason. */
  resolve(signal: AbortSignal): Promise<Resolution>;
  readonly counters: Readonly<DnsCounters>;
}
