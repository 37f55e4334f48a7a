/** What came of the connections: each way to fail, health, idle connections, limits of streams. */
import type { Facts, PodFailureReason } from './facts.js';
import { type Details, type Finding, type FindingId, finding } from './findings.js';
import { isIPv6, unreachableFamily } from './judge-families.js';
import { count, duration, list } from './wording.js';

/** RFC 9113 section 6.5.2 recommends no smaller limit. */
const LEAST_STREAMS = 100;

export function judgePods(facts: Facts): readonly Finding[] {
  return [...judgeFailures(facts), ...judgeHealth(facts), ...judgeIdle(facts), ...judgeStreams(facts)];
}

interface Advice extends Partial<Pick<Details, 'manifest' | 'client'>> {
  readonly id: FindingId;
  readonly remedy: (facts: Facts) => string;
}

const ADVICE: Readonly<Record<PodFailureReason, Advice>> = {
  refused: {
    id: 'pod-refused',
    remedy: ({ target }) =>
      `Nothing listens on port ${target.port ?? 'of the SRV record'} there. A headless Service maps no ports: write the port that the container listens on, not the ` +
      'port of the Service. The server must listen on 0.0.0.0 or [::], not on 127.0.0.1. A pod that is starting or ending refuses for a moment.',
  },
  timeout: {
    id: 'pod-timeout',
    remedy: ({ target }) =>
      `Look for a NetworkPolicy (egress of this pod, ingress of the server) that forbids port ${target.port ?? 'of the SRV record'}, for a node that is down, and for a server that is ` +
      'too busy to accept. Keepalive lets the client notice a pod that vanished.',
    manifest: [
      '# In the NetworkPolicy of the client',
      'egress:',
      '  - ports: [{ protocol: TCP, port: <port of the pods> }]',
    ].join('\n'),
    client: { channel: ["'grpc.keepalive_time_ms': 10_000"] },
  },
  unreachable: {
    id: 'pod-unreachable',
    remedy: () =>
      'There is no route from here to the address, or a firewall rejects it. The client has to run inside the network of the cluster.',
  },
  'tls-name': {
    id: 'pod-tls-name',
    remedy: ({ target }) =>
      `The certificate must have the name in the target, ${target.hostname}, as a subject alternative name, whichever pod answers. Issue it for that name, ` +
      'or write the name that it has as the target. Where neither can be: grpc.ssl_target_name_override.',
    client: { tls: true, channel: ["'grpc.ssl_target_name_override': '<a name in the certificate>'"] },
  },
  'tls-untrusted': {
    id: 'pod-tls-untrusted',
    remedy: () =>
      'Give the client the authority that signed the certificate, credentials.createSsl(readFileSync(FILE)), and the doctor by --ca FILE. An expired certificate has to be renewed.',
    client: { tls: true, ca: 'ca.pem' },
  },
  'tls-failed': {
    id: 'pod-tls-failed',
    remedy: () =>
      'The message says which side gave up. "certificate required" means that the server wants a client certificate: credentials.createSsl(ca, key, certificate).',
    client: { tls: true },
  },
  plaintext: {
    id: 'pod-plaintext',
    remedy: () =>
      'Leave --tls out here, and use credentials.createInsecure(), or turn TLS on at the server. The port may also be that of another protocol.',
    client: { tls: false },
  },
  'wants-tls': {
    id: 'pod-wants-tls',
    remedy: () =>
      'Use credentials.createSsl(), with the authority of the certificate, and run the doctor again with --tls [--ca FILE].',
    client: { tls: true },
  },
  'not-http2': {
    id: 'pod-not-http2',
    remedy: () =>
      'The port is that of another protocol, such as HTTP/1.1 for metrics. Write the port of the gRPC server, and see that a proxy in front passes HTTP/2 (h2c) on.',
  },
};

function judgeFailures(facts: Facts): readonly Finding[] {
  const { target, pods: all } = facts;
  // These are told as a family.
  const lost = unreachableFamily(all);
  const pods = all.filter((pod) => lost === null || isIPv6(pod) !== (lost === 'IPv6'));
  const failed = pods.filter(({ failure }) => failure !== null);
  const every = failed.length === pods.length;
  return (Object.keys(ADVICE) as PodFailureReason[]).flatMap((reason) => {
    const group = failed.filter(({ failure }) => failure?.reason === reason);
    if (group.length === 0) return [];
    const { id, remedy, manifest = null, client = {} } = ADVICE[reason];
    return [
      finding(id, {
        weight: every || target.tls || reason === 'wants-tls' ? 'error' : 'warning',
        seen: [
          `${count(group.length, 'pod')} of ${pods.length}.`,
          ...group
            .slice(0, 5)
            .map(({ address, failure, totalMs }) => `${address}: ${failure?.message}, after ${duration(totalMs)}`),
          ...(group.length > 5 ? [`and ${group.length - 5} more`] : []),
        ],
        remedy: remedy(facts),
        manifest,
        client,
      }),
    ];
  });
}

function judgeHealth({ pods }: Facts): readonly Finding[] {
  const ill = pods.filter(({ health }) => health !== null && health !== 'SERVING');
  if (ill.length === 0) return [];
  return [
    finding('pod-not-serving', {
      weight: ill.length === pods.length ? 'error' : 'warning',
      seen: ill.slice(0, 5).map(({ address, health }) => `${address}: grpc.health.v1 says ${health}`),
      remedy:
        'DNS has the pod, so Kubernetes takes it for ready. Let the readiness probe ask the same health service, and such pods leave DNS by themselves.',
      manifest: ['# In the container of the server', 'readinessProbe:', '  grpc: { port: <port of the pods> }'].join(
        '\n',
      ),
    }),
  ];
}

function judgeIdle({ pods, target }: Facts): readonly Finding[] {
  const closed = pods.filter(({ idle }) => idle !== null);
  if (closed.length === 0) return [];
  return [
    finding('idle-close', {
      weight: 'warning',
      seen: closed.slice(0, 5).map(({ address, idle }) => {
        const what = idle?.kind === 'goaway' ? 'sent GOAWAY' : 'closed the connection';
        return `${address}: ${what} after ${duration(idle?.afterMs ?? 0)} without a call (watched for ${duration(target.idleMs)})`;
      }),
      remedy:
        'Each pod is connected again and again, and each loss asks DNS. Raise the limit of idle connections at the server ' +
        '(MAX_CONNECTION_IDLE, grpc.max_connection_idle_ms) above the pause between two calls. Keepalive pings do not count as calls ' +
        'there; they help where a balancer or firewall in between cuts connections that are quiet.',
      client: { channel: ["'grpc.keepalive_time_ms': 10_000", "'grpc.keepalive_permit_without_calls': 1"] },
    }),
  ];
}

function judgeStreams({ pods }: Facts): readonly Finding[] {
  const limits = pods.flatMap(({ maxStreams }) => (maxStreams === null ? [] : [maxStreams]));
  const least = Math.min(Number.POSITIVE_INFINITY, ...limits);
  if (least >= LEAST_STREAMS) return [];
  const few = pods.filter(({ maxStreams }) => maxStreams !== null && maxStreams < LEAST_STREAMS);
  return [
    finding('stream-limit', {
      weight: 'note',
      seen: [
        `SETTINGS_MAX_CONCURRENT_STREAMS is ${least} at ${list(
          few.map(({ address }) => address),
          3,
        )}.`,
        `One client has at most ${count(
          limits.reduce((sum, limit) => sum + limit, 0),
          'call',
        )} in flight over ${count(limits.length, 'pod')}; further ones wait.`,
      ],
      remedy: `Raise the limit at the server (RFC 9113 recommends at least ${LEAST_STREAMS}), or add pods. Long streams count for as long as they are open.`,
    }),
  ];
}
