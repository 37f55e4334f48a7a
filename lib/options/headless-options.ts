/**
 * The type of the option `headless`, as users see it in their editor. `npm run options -- --write` makes the comments
 * from lib/options/schema.ts; the compiler proves that the schema has the same options with the same types.
 */
import type { AddressSourceFactory } from '../discovery/address-source.js';
import type { EmptyRule } from '../discovery/membership.js';
import type { TtlRule } from '../discovery/schedule.js';
import type { Lookup } from '../dns/lookup-resolver.js';
import type { Family, ZoneMode } from '../dns/settings.js';

/** How a call's pod is chosen. */
export type BalancePolicy = 'least_request' | 'round_robin' | 'peak_ewma';

/** Every option may be left out. Every other key of a channel's options belongs to grpc-js. */
export interface HeadlessOptions {
  /** When DNS is asked. */
  refresh?: {
    /** Milliseconds between two DNS queries. Sensible: 500 to 30000. Default: `5000`. Allowed: 10 to 86400000. */
    intervalMs?: number | undefined;
    /**
     * Each wait is the interval times a random number from 1 to 1 + jitter: clients spread out. Sensible: 0.05 to 0.3.
     * Default: `0.1`. Allowed: 0 to 1.
     */
    jitter?: number | undefined;
    /**
     * Least milliseconds between two queries that failures, bursts or `refresh()` ask for; at most the interval.
     * Sensible: 200 to 5000. Resembles `grpc.dns_min_time_between_resolutions_ms` of grpc-js. Default: `1000`. Allowed:
     * 10 to 86400000.
     */
    minIntervalMs?: number | undefined;
    /**
     * For this many milliseconds after a change of the set, and while no pod is READY, DNS is asked every
     * `minIntervalMs`. 0 turns it off. Sensible: 5000 to 60000. Default: `30000`. Allowed: 0 to 86400000.
     */
    burstMs?: number | undefined;
    /**
     * `phased`: where a cache answers (TTLs count down from query to query), its four entries (DO and CD bits) are read
     * in turn, each just after it expires. `adaptive`: one entry. `ignore`: only the interval counts. Default:
     * `'phased'`. Allowed: `'phased'`, `'adaptive'`, `'ignore'`.
     */
    ttl?: TtlRule | undefined;
  };
  /** How DNS is asked. */
  dns?: {
    /**
     * Asked in place of resolv.conf's. The target's own server goes first. Default: resolv.conf's, read again when the
     * file changes. Allowed: array of `"ip"`, `"ip:port"` or `"[v6]:port"`, not empty.
     */
    servers?: readonly string[] | undefined;
    /**
     * `auto`: A records, and AAAA only where A is NODATA. `ipv4`: A only. `ipv6`: AAAA only. `dual`: both at every
     * poll. Default: `'auto'`. Allowed: `'auto'`, `'ipv4'`, `'ipv6'`, `'dual'`.
     */
    family?: Family | undefined;
    /**
     * Milliseconds to wait for one server in one attempt. Sensible: 200 to 5000. Default: resolv.conf's `timeout`, or
     * else `1000`. Allowed: 1 to 60000.
     */
    timeoutMs?: number | undefined;
    /**
     * Rounds over the servers in one query; the second asks for small datagrams. Sensible: 2 to 4. Default:
     * resolv.conf's `attempts`, or else `2`. Allowed: 1 to 10, whole.
     */
    attempts?: number | undefined;
    /** Search list for names that are not absolute. Default: resolv.conf's. Allowed: array of domain names. */
    search?: readonly string[] | undefined;
    /**
     * Names with fewer dots go through the search list first. Default: resolv.conf's, or else `1`. Allowed: 0 to 15,
     * whole.
     */
    ndots?: number | undefined;
    /** The resolv.conf to read. Default: `'/etc/resolv.conf'`. Allowed: path of a file. */
    resolvConf?: string | undefined;
    /**
     * Replaces the DNS client, for instance in tests. It may take `timeoutMs` times `attempts` (2) where `timeoutMs` is
     * set, else 10 s. The other `dns` options have no effect. Default: the DNS client of this package. Allowed:
     * `(hostname, { signal }) => Promise<{ addresses, ttlMs }>`.
     */
    lookup?: Lookup | undefined;
  };
  /**
   * Replaces DNS, for instance by `endpointSlices()`. DNS is used while the source has no answer. Default: DNS.
   * Allowed: `endpointSlices()`.
   */
  source?: AddressSourceFactory | undefined;
  /**
   * Keep calls in the client's topology zone. Needs zonal names in DNS; without them all pods are used alike. Default:
   * unset. Allowed: an object.
   */
  zone?: {
    /**
     * The zone, as the label `topology.kubernetes.io/zone` of the nodes has it. Default: none, it is required. Allowed:
     * letters, digits, `-`, `_` and dots.
     */
    name: string;
    /**
     * `prefer`: pods of the zone get the calls while any of them is READY, and the others stand by. `pin`: only pods of
     * the zone are used, or none. Default: `'prefer'`. Allowed: `'prefer'`, `'pin'`.
     */
    mode?: ZoneMode | undefined;
  };
  /** Which pod gets a call. */
  balance?: {
    /**
     * `least_request`: of two pods, the one with fewer calls in flight. `round_robin`: each in turn. `peak_ewma`: less
     * latency times calls in flight. Default: `'least_request'`. Allowed: `'least_request'`, `'round_robin'`,
     * `'peak_ewma'`.
     */
    policy?: BalancePolicy | undefined;
    /** Pods compared for a call: gRFC A48's `choice_count`. Sensible: 2 to 4. Default: `2`. Allowed: 2 to 10, whole. */
    choices?: number | undefined;
    /**
     * Milliseconds until a pod that joins gets its whole share: Envoy's slow start. Sensible: 10000 to 60000. Default:
     * `0`. Allowed: 0 to 86400000.
     */
    slowStartMs?: number | undefined;
    /**
     * Connect to some of the pods (compare gRFC A68). Rendezvous hashing chooses them. Default: unset. Allowed: an
     * object.
     */
    subset?: {
      /**
       * Pods to connect to. One more for each of them that fails, until it is well again. Sensible: 10 to 50. Default:
       * none, it is required. Allowed: 1 to 10000, whole.
       */
      size: number;
      /**
       * Equal keys choose equal pods. Set it to keep the choice over a restart; clients need different ones. Default:
       * random, one for the process. Allowed: text, 1 to 256 characters.
       */
      key?: string | undefined;
    };
    /**
     * Most connections to one pod. Opened when its calls near MAX_CONCURRENT_STREAMS, and at once where the set is one
     * address. Sensible: 2 to 8. Default: `1`. Allowed: 1 to 16, whole.
     */
    connections?: number | undefined;
  };
  /** Failed calls are tried again, each time on another pod (gRFC A6). Default: unset. Allowed: an object. */
  retry?: {
    /** Attempts, the first included. Resembles `maxAttempts`. Default: none, it is required. Allowed: 2 to 5, whole. */
    attempts: number;
    /**
     * Failures that are tried again. Resembles `retryableStatusCodes`. Default: `['UNAVAILABLE']`. Allowed: names of
     * status codes.
     */
    codes?: readonly string[] | undefined;
  };
  /** Pods whose calls fail get no calls for a while. Default: `false`. Allowed: `true`, `false` or an object. */
  outlier?:
    | boolean
    | {
        /**
         * A pod is ejected after so many failures in a row. 0 turns this off. Sensible: 3 to 20. Envoy's
         * `consecutive_5xx`. Default: `5`. Allowed: 0 to 1000000, whole.
         */
        consecutiveFailures?: number | undefined;
        /**
         * A pod is ejected where at least so many percent of its calls in one interval failed, of ten calls or more. 0
         * turns this off. Sensible: 20 to 85. Resembles `failurePercentageEjection.threshold`. Default: `50`. Allowed:
         * 0 to 100.
         */
        failurePercentage?: number | undefined;
        /**
         * Milliseconds that percentages are taken over. Sensible: 1000 to 60000. Resembles `interval`. Default:
         * `10000`. Allowed: 10 to 86400000.
         */
        intervalMs?: number | undefined;
        /**
         * Milliseconds of the first ejection; those that follow are two, three … times as long. Sensible: 5000 to
         * 60000. Resembles `baseEjectionTime`. Default: `10000`. Allowed: 1 to 86400000.
         */
        baseEjectionMs?: number | undefined;
        /**
         * Longest milliseconds of one ejection; at least the base time counts. Resembles `maxEjectionTime`. Default:
         * `300000`. Allowed: 1 to 86400000.
         */
        maxEjectionMs?: number | undefined;
        /**
         * At most so many percent of the set are ejected at a time. One pod always stays. Resembles
         * `maxEjectionPercent`. Default: `50`. Allowed: 0 to 100.
         */
        maxEjectionPercent?: number | undefined;
        /**
         * What counts as a failure. The default is what Envoy takes for a 5xx, without UNIMPLEMENTED. Default:
         * `['UNAVAILABLE','DEADLINE_EXCEEDED','INTERNAL','UNKNOWN','DATA_LOSS']`. Allowed: names of status codes.
         */
        codes?: readonly string[] | undefined;
      };
  /** Pods are asked whether they serve (gRFC A17). Default: `false`. Allowed: `true`, `false` or an object. */
  health?:
    | boolean
    | {
        /**
         * The service to ask for; empty is the server as a whole. Resembles `healthCheckConfig.serviceName`. Default:
         * `''`. Allowed: a name, or empty.
         */
        service?: string | undefined;
      };
  /**
   * `keep`: NXDOMAIN and NODATA never empty a working set. `drop`: they do. Default: `'keep'`. Allowed: `'keep'`,
   * `'drop'`.
   */
  empty?: EmptyRule | undefined;
  /** What happens to pods that left the set. */
  drain?: {
    /**
     * Milliseconds that a removed pod's idle connection is kept for its return. Sensible: 5000 to 300000. Default:
     * `30000`. Allowed: 0 to 86400000.
     */
    lingerMs?: number | undefined;
    /**
     * Milliseconds until calls still open on a removed pod end with UNAVAILABLE. Sensible: 60000. Default: never ended.
     * Allowed: 0 to 86400000.
     */
    timeoutMs?: number | undefined;
  };
}
