/**
 * Every option with its check, its default and its documentation, in the order in which the README lists them. A new
 * option is one entry here and one line in lib/options/headless-options.ts.
 */
import {
  domains,
  filePath,
  grpcService,
  integer,
  lookupFunction,
  milliseconds,
  number,
  oneOf,
  servers,
  sourceFactory,
  statusCodes,
  subsetKey,
  zoneName,
} from './checks.js';
import type { Schema } from './entry.js';
import type { HeadlessOptions } from './headless-options.js';

const DAY_MS = 86_400_000;

export const SCHEMA = {
  refresh: {
    doc: 'When DNS is asked.',
    example: { intervalMs: 2_000 },
    default: {},
    members: {
      intervalMs: {
        doc: 'Milliseconds between two DNS queries. Sensible: 500 to 30000.',
        check: milliseconds(10, DAY_MS),
        default: 5_000,
      },
      jitter: {
        doc:
          'Each wait is the interval times a random number from 1 to 1 + jitter: clients spread out. Sensible: 0.05 to ' +
          '0.3.',
        check: number(0, 1),
        default: 0.1,
      },
      minIntervalMs: {
        doc:
          'Least milliseconds between two queries that failures, bursts or `refresh()` ask for; at most the interval. ' +
          'Sensible: 200 to 5000. ' +
          'Resembles `grpc.dns_min_time_between_resolutions_ms` of grpc-js.',
        check: milliseconds(10, DAY_MS),
        default: 1_000,
      },
      burstMs: {
        doc:
          'For this many milliseconds after a change of the set, and while no pod is READY, DNS is asked every ' +
          '`minIntervalMs`. 0 turns it off. Sensible: 5000 to 60000.',
        check: milliseconds(0, DAY_MS),
        default: 30_000,
      },
      ttl: {
        doc:
          '`phased`: where a cache answers (TTLs count down from query to query), its four entries (DO and CD bits) are ' +
          'read in turn, each just after it expires. `adaptive`: one entry. `ignore`: only the interval counts.',
        check: oneOf('phased', 'adaptive', 'ignore'),
        default: 'phased',
      },
    },
  },
  dns: {
    doc: 'How DNS is asked.',
    example: { servers: ['10.96.0.10'] },
    default: {},
    members: {
      servers: {
        doc: "Asked in place of resolv.conf's. The target's own server goes first.",
        check: servers,
        default: null,
        unset: "resolv.conf's, read again when the file changes",
      },
      family: {
        doc:
          '`auto`: A records, and AAAA only where A is NODATA. `ipv4`: A only. `ipv6`: AAAA only. `dual`: both at ' +
          'every poll.',
        check: oneOf('auto', 'ipv4', 'ipv6', 'dual'),
        default: 'auto',
      },
      timeoutMs: {
        doc: 'Milliseconds to wait for one server in one attempt. Sensible: 200 to 5000.',
        check: milliseconds(1, 60_000),
        default: null,
        unset: "resolv.conf's `timeout`, or else `1000`",
      },
      attempts: {
        doc: 'Rounds over the servers in one query; the second asks for small datagrams. Sensible: 2 to 4.',
        check: integer(1, 10),
        default: null,
        unset: "resolv.conf's `attempts`, or else `2`",
      },
      search: {
        doc: 'Search list for names that are not absolute.',
        check: domains,
        default: null,
        unset: "resolv.conf's",
      },
      ndots: {
        doc: 'Names with fewer dots go through the search list first.',
        check: integer(0, 15),
        default: null,
        unset: "resolv.conf's, or else `1`",
      },
      resolvConf: {
        doc: 'The resolv.conf to read.',
        check: filePath,
        default: '/etc/resolv.conf',
      },
      lookup: {
        doc:
          'Replaces the DNS client, for instance in tests. It may take `timeoutMs` times `attempts` (2) where `timeoutMs` is set, ' +
          'else 10 s. The other `dns` options have no effect.',
        check: lookupFunction,
        default: null,
        unset: 'the DNS client of this package',
      },
    },
  },
  source: {
    doc: 'Replaces DNS, for instance by `endpointSlices()`. DNS is used while the source has no answer.',
    check: sourceFactory,
    default: null,
    unset: 'DNS',
  },
  zone: {
    doc: "Keep calls in the client's topology zone. Needs zonal names in DNS; without them all pods are used alike.",
    example: { name: 'us-west-2a' },
    default: null,
    members: {
      name: {
        doc: 'The zone, as the label `topology.kubernetes.io/zone` of the nodes has it.',
        check: zoneName,
      },
      mode: {
        doc:
          '`prefer`: pods of the zone get the calls while any of them is READY, and the others stand by. `pin`: only ' +
          'pods of the zone are used, or none.',
        check: oneOf('prefer', 'pin'),
        default: 'prefer',
      },
    },
  },
  balance: {
    doc: 'Which pod gets a call.',
    example: { policy: 'round_robin' },
    default: {},
    members: {
      policy: {
        doc:
          '`least_request`: of two pods, the one with fewer calls in flight. `round_robin`: each in turn. `peak_ewma`: less ' +
          'latency times calls in flight.',
        check: oneOf('least_request', 'round_robin', 'peak_ewma'),
        default: 'least_request',
      },
      choices: {
        doc: "Pods compared for a call: gRFC A48's `choice_count`. Sensible: 2 to 4.",
        check: integer(2, 10),
        default: 2,
      },
      slowStartMs: {
        doc: "Milliseconds until a pod that joins gets its whole share: Envoy's slow start. Sensible: 10000 to 60000.",
        check: milliseconds(0, DAY_MS),
        default: 0,
      },
      subset: {
        doc: 'Connect to some of the pods (compare gRFC A68). Rendezvous hashing chooses them.',
        example: { size: 20 },
        default: null,
        members: {
          size: {
            doc: 'Pods to connect to. One more for each of them that fails, until it is well again. Sensible: 10 to 50.',
            check: integer(1, 10_000),
          },
          key: {
            doc: 'Equal keys choose equal pods. Set it to keep the choice over a restart; clients need different ones.',
            check: subsetKey,
            default: null,
            unset: 'random, one for the process',
          },
        },
      },
      connections: {
        doc:
          'Most connections to one pod. Opened when its calls near MAX_CONCURRENT_STREAMS, and at once where the set is one ' +
          'address. Sensible: 2 to 8.',
        check: integer(1, 16),
        default: 1,
      },
    },
  },
  retry: {
    doc: 'Failed calls are tried again, each time on another pod (gRFC A6).',
    example: { attempts: 2 },
    default: null,
    members: {
      attempts: {
        doc: 'Attempts, the first included. Resembles `maxAttempts`.',
        check: integer(2, 5),
      },
      codes: {
        doc: 'Failures that are tried again. Resembles `retryableStatusCodes`.',
        check: statusCodes,
        default: ['UNAVAILABLE'],
      },
    },
  },
  outlier: {
    doc: 'Pods whose calls fail get no calls for a while.',
    example: { consecutiveFailures: 3 },
    default: false,
    members: {
      consecutiveFailures: {
        doc: "A pod is ejected after so many failures in a row. 0 turns this off. Sensible: 3 to 20. Envoy's `consecutive_5xx`.",
        check: integer(0, 1_000_000),
        default: 5,
      },
      failurePercentage: {
        doc:
          'A pod is ejected where at least so many percent of its calls in one interval failed, of ten calls or more. ' +
          '0 turns this off. Sensible: 20 to 85. Resembles `failurePercentageEjection.threshold`.',
        check: number(0, 100),
        default: 50,
      },
      intervalMs: {
        doc: 'Milliseconds that percentages are taken over. Sensible: 1000 to 60000. Resembles `interval`.',
        check: milliseconds(10, DAY_MS),
        default: 10_000,
      },
      baseEjectionMs: {
        doc:
          'Milliseconds of the first ejection; those that follow are two, three … times as long. Sensible: 5000 to ' +
          '60000. Resembles `baseEjectionTime`.',
        check: milliseconds(1, DAY_MS),
        default: 10_000,
      },
      maxEjectionMs: {
        doc: 'Longest milliseconds of one ejection; at least the base time counts. Resembles `maxEjectionTime`.',
        check: milliseconds(1, DAY_MS),
        default: 300_000,
      },
      maxEjectionPercent: {
        doc:
          'At most so many percent of the set are ejected at a time. One pod always stays. Resembles ' +
          '`maxEjectionPercent`.',
        check: number(0, 100),
        default: 50,
      },
      codes: {
        doc: 'What counts as a failure. The default is what Envoy takes for a 5xx, without UNIMPLEMENTED.',
        check: statusCodes,
        default: ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'INTERNAL', 'UNKNOWN', 'DATA_LOSS'],
      },
    },
  },
  health: {
    doc: 'Pods are asked whether they serve (gRFC A17).',
    example: { service: 'shop.Hello' },
    default: false,
    members: {
      service: {
        doc: 'The service to ask for; empty is the server as a whole. Resembles `healthCheckConfig.serviceName`.',
        check: grpcService,
        default: '',
      },
    },
  },
  empty: {
    doc: '`keep`: NXDOMAIN and NODATA never empty a working set. `drop`: they do.',
    check: oneOf('keep', 'drop'),
    default: 'keep',
  },
  drain: {
    doc: 'What happens to pods that left the set.',
    example: { lingerMs: 60_000 },
    default: {},
    members: {
      lingerMs: {
        doc: "Milliseconds that a removed pod's idle connection is kept for its return. Sensible: 5000 to 300000.",
        check: milliseconds(0, DAY_MS),
        default: 30_000,
      },
      timeoutMs: {
        doc: 'Milliseconds until calls still open on a removed pod end with UNAVAILABLE. Sensible: 60000.',
        check: milliseconds(0, DAY_MS),
        default: null,
        unset: 'never ended',
      },
    },
  },
} satisfies Schema<HeadlessOptions>;
