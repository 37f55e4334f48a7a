/**
 * What the doctor may find: a closed list. Each finding has a test, and a section of docs/troubleshooting.md whose heading
 * is its title.
 */

/** `error`: calls fail or all go to one pod. `warning`: they may. `note`: it costs something, or may surprise. */
export type Weight = 'error' | 'warning' | 'note';

export const TITLES = {
  'cluster-ip': 'The Service has a cluster IP: it is not headless',
  'one-address': 'The name has one address, and DNS does not tell whose',
  'wrong-name': 'The name does not exist, and a name near it does',
  'no-such-port': 'The Service has no port of this name',
  'name-not-found': 'The name does not exist: no ready pod, or a wrong name',
  'no-address': 'The name exists, but has no address',
  'dns-silent': 'No nameserver answers',
  'dns-fails': 'The nameservers answer with errors',
  'nameserver-silent': 'A nameserver does not answer',
  'nameserver-fails': 'A nameserver answers with errors',
  'nameservers-differ': 'The nameservers give different answers',
  'udp-blocked': 'DNS answers over TCP, and not over UDP',
  'truncated-without-tcp': 'The answer does not fit a datagram, and TCP is blocked',
  'dns-without-tcp': 'DNS answers over UDP, and not over TCP',
  'dns-cache': 'A DNS cache makes news older than the interval does',
  'ipv6-only': 'The pods have IPv6 addresses only',
  'family-unreachable': 'One address family of the pods cannot be reached',
  'proxy-in-environment': 'The environment names a proxy that bare grpc-js would use',
  namesake: 'Another name down the search list answers too',
  'outside-name': 'The name that answers is not a name of the cluster',
  'search-list-waste': 'The search list costs queries before the name is found',
  'resolv-conf-unreadable': 'The resolv.conf cannot be read',
  'second-grpc-js': 'There is more than one copy of @grpc/grpc-js',
  'literal-address': 'The target is an address: DNS is not asked',
  'pod-refused': 'A pod refuses the connection',
  'pod-timeout': 'A pod does not answer in time',
  'pod-unreachable': 'A pod cannot be reached',
  'pod-tls-name': 'A certificate is for another name',
  'pod-tls-untrusted': 'A certificate is not trusted',
  'pod-tls-failed': 'The TLS handshake fails',
  'pod-plaintext': 'TLS was asked for, and the server speaks plain text',
  'pod-wants-tls': 'Plain text was asked for, and the server speaks TLS',
  'pod-not-http2': 'The port does not speak HTTP/2',
  'pod-not-serving': 'A pod says that it is not serving',
  'idle-close': 'The server closes idle connections',
  'stream-limit': 'A server allows few calls at a time on one connection',
} as const;

export type FindingId = keyof typeof TITLES;

export interface Finding {
  readonly id: FindingId;
  readonly weight: Weight;
  readonly title: string;
  /** What was seen, one sentence or measurement each. At least one. */
  readonly seen: readonly string[];
  /** What to do about it. */
  readonly remedy: string;
  /** What to alter outside the client, such as lines of a manifest; null where there is nothing. */
  readonly manifest: string | null;
  /** What the client needs for it; {} where nothing. */
  readonly client: ClientAdvice;
  /** Where to read about it. */
  readonly docs: string;
}

/** What a finding asks of the client's code. */
export interface ClientAdvice {
  readonly target?: string;
  readonly tls?: boolean;
  /** A file of authorities to trust. */
  readonly ca?: string;
  /** Groups of the option `headless`, their members as source code: `{ dns: { family: "'ipv6'" } }`. */
  readonly headless?: HeadlessAdvice;
  /** Other channel options, as source code. */
  readonly channel?: readonly string[];
}

export type HeadlessAdvice = Readonly<Record<string, Readonly<Record<string, string>>>>;

export type Details = Pick<Finding, 'weight' | 'seen' | 'remedy'> & Partial<Pick<Finding, 'manifest' | 'client'>>;

export function finding(id: FindingId, { manifest = null, client = {}, ...details }: Details): Finding {
  const title = TITLES[id];
  return { id, title, ...details, manifest, client, docs: `docs/troubleshooting.md#${anchorOf(title)}` };
}

/** As GitHub makes it from a heading. */
export function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

const ORDER: readonly Weight[] = ['error', 'warning', 'note'];

/** The heaviest first; among equals the order stays. */
export function byWeight(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((one, other) => ORDER.indexOf(one.weight) - ORDER.indexOf(other.weight));
}
