/**
 * What the probes found out, as plain data: the judgements, the printer and `--json` read it. Nothing here says whether
 * a fact is good or bad.
 */
import type { Transport } from '../../dns/exchange.js';
import type { RecordType } from '../../dns/message.js';

export interface Facts {
  readonly target: TargetFacts;
  readonly resolver: ResolverFacts;
  /** Each nameserver, in order, over each transport, for each name and type. Empty for a target that is an address. */
  readonly answers: readonly Answer[];
  /** The first name of the search list that has addresses; null where none has. */
  readonly name: string | null;
  /** `"ip:port"` of each pod, of all servers and both families, IPv4 first. */
  readonly addresses: readonly string[];
  /** A second reading of the name, about two seconds after the first, of each server that answered. */
  readonly readings: readonly Reading[];
  /** null where the name has more than one address of a family. */
  readonly service: ServiceEvidence | null;
  /** null where the name was found. */
  readonly search: SpellingSearch | null;
  /** Names of the search list that answer for a label that no one chose: their domain has a wildcard. */
  readonly wildcards: readonly string[];
  readonly environment: EnvironmentFacts;
  readonly pods: readonly PodReport[];
}

export interface TargetFacts {
  /** As the user wrote it. */
  readonly text: string;
  readonly hostname: string;
  /** null where SRV records tell it. */
  readonly port: number | null;
  /** No search list: a final dot, or an address. */
  readonly absolute: boolean;
  /** An address, or `localhost`: no DNS server is asked for it. */
  readonly isAddress: boolean;
  readonly tls: boolean;
  /** The file of authorities that was given; null where those of Node.js are trusted. */
  readonly ca: string | null;
  /** Between two polls of the client that the ages of news are computed for. */
  readonly intervalMs: number;
  /** Pods that were found and not tried, beyond the limit of the option `--pods`. */
  readonly podsNotTried: number;
  /** How long the connections were left idle. */
  readonly idleMs: number;
}

export interface ResolverFacts {
  /** The file that was read. */
  readonly path: string;
  /** Why it could not be read; null where it could. */
  readonly problem: string | null;
  /** The servers are the option's or the target's, not the file's. */
  readonly serversGiven: boolean;
  /** `"ip:port"`, in order. */
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly ndots: number;
  /** Names that the host may stand for, in the order in which they are asked for. */
  readonly names: readonly string[];
}

/** Why a question got no response. */
export type NoResponse = 'timeout' | 'malformed' | 'unreachable';

export type AnswerOutcome =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[]; readonly ttlMs: number }
  /** NXDOMAIN, or NODATA: the name exists and has no such record. */
  | { readonly kind: 'empty'; readonly rcode: 'NXDOMAIN' | 'NODATA'; readonly ttlMs: number }
  /** Over UDP: the answer did not fit. */
  | { readonly kind: 'truncated' }
  /** SERVFAIL, REFUSED and other RCODEs. */
  | { readonly kind: 'error'; readonly rcode: string }
  | { readonly kind: 'failed'; readonly reason: NoResponse; readonly message: string };

export interface Answer {
  readonly server: string;
  readonly transport: Transport;
  readonly name: string;
  readonly type: RecordType;
  readonly outcome: AnswerOutcome;
  readonly ms: number;
}

export interface Reading {
  readonly server: string;
  /** `none`: the TTL did not count down. `unknown`: the TTL is too short to tell, or the second query failed. */
  readonly cache: 'none' | 'present' | 'unknown';
  /** The longest TTL seen. */
  readonly ttlMs: number;
  /** Entries of the cache that expire apart, by the bits DO and CD: 1 to 4; 0 where there is no cache. */
  readonly entries: number;
  /** The set in the second answer; null where it had none. */
  readonly addresses: readonly string[] | null;
}

/** What DNS and the environment tell of one address: a pod's or a Service's. */
export interface ServiceEvidence {
  readonly addresses: readonly string[];
  /** The names that the address has (PTR); empty where DNS has none. */
  readonly pointers: readonly string[];
  /** Targets of the SRV records under the Service's name, which CoreDNS has; empty where there are none. */
  readonly targets: readonly string[];
  /** Whether `10-0-0-1.<name>`, the name that Kubernetes gives to a pod of the Service, exists. */
  readonly podName: 'exists' | 'missing';
  /** The variable `<SERVICE>_SERVICE_HOST` with this address, which Kubernetes sets for Services with a cluster IP. */
  readonly variable: string | null;
  /** Two queries, two seconds apart, brought the same address. null where the second one failed. */
  readonly sameTwice: boolean | null;
}

export interface SpellingSearch {
  /** Names near the one asked for that have addresses, the nearest first. */
  readonly spellings: readonly string[];
  /** Other namespaces in which the Service has addresses. */
  readonly namespaces: readonly string[];
  /** The full name of the Service in each of these namespaces. */
  readonly nameIn: Readonly<Record<string, string>>;
  /** Whether the namespace exists, as CoreDNS tells it (NODATA for its own name); null where it cannot be told. */
  readonly namespaceExists: boolean | null;
  readonly namespace: string | null;
  readonly asked: number;
}

export interface EnvironmentFacts {
  /** The variable by which bare grpc-js would take a proxy, and its value without a password; null where it would not. */
  readonly proxy: { readonly variable: string; readonly value: string } | null;
  /** The target is excluded from the proxy by `no_grpc_proxy` or `no_proxy`. */
  readonly proxyExcluded: boolean;
  /** The host that grpc-js compares with these lists: that of the target, with its final dot. */
  readonly proxyHost: string;
  readonly grpcCopies: readonly GrpcCopy[];
}

/** One installed `@grpc/grpc-js`. */
export interface GrpcCopy {
  readonly path: string;
  readonly version: string;
  /** Code in the working directory loads this copy. */
  readonly usedByProject: boolean;
  /** The `grpc-headless` that is installed there loads this copy. */
  readonly usedByHeadless: boolean;
}

export type PodFailureReason =
  | 'refused'
  | 'timeout'
  | 'unreachable'
  | 'tls-name'
  | 'tls-untrusted'
  | 'tls-failed'
  /** TLS was asked for, and the server speaks none. */
  | 'plaintext'
  /** Plain text was asked for, and the server speaks TLS. */
  | 'wants-tls'
  | 'not-http2';

export interface PodReport {
  /** `"ip:port"`. */
  readonly address: string;
  /** null: the pod answered with HTTP/2 SETTINGS. */
  readonly failure: { readonly reason: PodFailureReason; readonly message: string } | null;
  /** Until the TCP connection; null where there was none. */
  readonly connectMs: number | null;
  /** Until the HTTP/2 SETTINGS, or until the failure. */
  readonly totalMs: number;
  /** SETTINGS_MAX_CONCURRENT_STREAMS; null where the server sets no limit. */
  readonly maxStreams: number | null;
  /** The status of grpc.health.v1 for the whole server; null where it is not served. */
  readonly health: string | null;
  /** Of the reflection service; null where it is not served. */
  readonly services: readonly string[] | null;
  /** What the server did to the idle connection, and when; null where nothing happened. */
  readonly idle: { readonly kind: 'goaway' | 'closed'; readonly afterMs: number } | null;
}
