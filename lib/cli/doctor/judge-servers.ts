/** Nameservers that are silent, fail or differ, and transports that are blocked. */
import type { Answer, Facts } from './facts.js';
import { type Finding, finding, type HeadlessAdvice } from './findings.js';
import { setOf } from './name-probe.js';
import { count, list } from './wording.js';

/** What one server did, over all names. */
interface ServerConduct {
  readonly server: string;
  readonly udp: TransportConduct;
  readonly tcp: TransportConduct;
}

interface TransportConduct {
  /** Anything came back in time. */
  readonly responds: boolean;
  /** An answer that says what the name has, or that it has nothing. */
  readonly answers: boolean;
  /** Of each failure, once. */
  readonly problems: readonly string[];
}

export function judgeServers(facts: Facts): readonly Finding[] {
  const { resolver } = facts;
  if (facts.target.isAddress) return [];
  const conducts = resolver.servers.map((server) => conductOf(facts.answers, server));
  const answering = conducts.filter(answers).map(({ server }) => server);
  const silent = conducts.filter((conduct) => !responds(conduct));
  const failing = conducts.filter((conduct) => responds(conduct) && !answers(conduct));
  return [
    ...judgeResolvConf(facts),
    ...judgeSilence(silent, answering, conducts.length),
    ...judgeFailures(failing, answering),
    ...judgeTransports(facts, conducts),
    ...judgeDifferences(facts, answering),
  ];
}

function judgeResolvConf({ resolver }: Facts): readonly Finding[] {
  if (resolver.problem === null || resolver.serversGiven) return [];
  return [
    finding('resolv-conf-unreadable', {
      weight: 'warning',
      seen: [resolver.problem, `Instead ${list(resolver.servers)} was asked, as glibc does.`],
      remedy: 'Give the container an /etc/resolv.conf (dnsPolicy: ClusterFirst), or name the servers in the client.',
      client: { headless: serversOption(['<IP of the Service kube-dns>']) },
    }),
  ];
}

function judgeSilence(silent: readonly ServerConduct[], answering: readonly string[], all: number): readonly Finding[] {
  if (silent.length === 0) return [];
  const seen = silent.map(
    ({ server, udp, tcp }) => `${server}: UDP: ${list(udp.problems, 1)}; TCP: ${list(tcp.problems, 1)}`,
  );
  if (silent.length === all)
    return [
      finding('dns-silent', {
        weight: 'error',
        seen,
        remedy:
          'Look for a NetworkPolicy that forbids egress to port 53 over UDP and TCP, and for the pods of CoreDNS ' +
          '(kubectl -n kube-system get pods -l k8s-app=kube-dns). Without DNS the client finds no pod.',
        manifest: [
          '# In the NetworkPolicy of the client',
          'egress:',
          '  - to:',
          '      - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: kube-system } }',
          '    ports: [{ protocol: UDP, port: 53 }, { protocol: TCP, port: 53 }]',
        ].join('\n'),
      }),
    ];
  return [
    finding('nameserver-silent', {
      weight: 'warning',
      seen,
      remedy: `Take it out of resolv.conf, or name the servers that answer in the client. Each resolution that begins with it waits for its timeout.`,
      client: { headless: serversOption(answering) },
    }),
  ];
}

function judgeFailures(failing: readonly ServerConduct[], answering: readonly string[]): readonly Finding[] {
  if (failing.length === 0) return [];
  const seen = failing.map(
    ({ server, udp, tcp }) => `${server}: ${list([...new Set([...udp.problems, ...tcp.problems])], 3)}`,
  );
  const none = answering.length === 0;
  return [
    finding(none ? 'dns-fails' : 'nameserver-fails', {
      weight: none ? 'error' : 'warning',
      seen,
      remedy: none
        ? 'SERVFAIL comes from CoreDNS before its first sync with the API server, and where its upstream cannot be reached: read the logs of CoreDNS. REFUSED comes from a server that does not serve this client or this zone: look whether resolv.conf names the DNS of the cluster.'
        : 'Take the server out of resolv.conf, or name the servers that answer in the client.',
      client: none ? {} : { headless: serversOption(answering) },
    }),
  ];
}

function judgeTransports(
  { answers: all, name, addresses }: Facts,
  conducts: readonly ServerConduct[],
): readonly Finding[] {
  const findings: Finding[] = [];
  const udpBlocked = conducts.filter(({ udp, tcp }) => !udp.responds && tcp.responds);
  if (udpBlocked.length > 0)
    findings.push(
      finding('udp-blocked', {
        weight: 'error',
        seen: udpBlocked.map(({ server, udp }) => `${server}: UDP: ${list(udp.problems, 1)}; TCP answers`),
        remedy: 'Allow egress to port 53 over UDP in the NetworkPolicy. The client asks over UDP first.',
        manifest: 'ports: [{ protocol: UDP, port: 53 }, { protocol: TCP, port: 53 }]',
      }),
    );
  const tcpBlocked = conducts.filter(({ udp, tcp }) => udp.responds && !tcp.responds);
  const truncating = new Set(
    all
      .filter(({ outcome, name: asked }) => asked === name && outcome.kind === 'truncated')
      .map(({ server }) => server),
  );
  const cut = tcpBlocked.filter(({ server }) => truncating.has(server));
  const uncut = tcpBlocked.filter(({ server }) => !truncating.has(server));
  const manifest = 'ports: [{ protocol: UDP, port: 53 }, { protocol: TCP, port: 53 }]';
  const seen = ({ server, tcp }: ServerConduct): string => `${server}: TCP: ${list(tcp.problems, 1)}`;
  if (cut.length > 0)
    findings.push(
      finding('truncated-without-tcp', {
        weight: 'error',
        seen: [`The answer for ${name} came truncated over UDP.`, ...cut.map(seen)],
        remedy:
          'Allow egress to port 53 over TCP in the NetworkPolicy: a truncated answer has to be asked for again over TCP ' +
          '(RFC 7766). Until then the client gets no answer and keeps the pods that it had.',
        manifest,
      }),
    );
  if (uncut.length > 0)
    findings.push(
      finding('dns-without-tcp', {
        weight: 'warning',
        seen: uncut.map(seen),
        remedy:
          `The answer fits a datagram now (${count(addresses.length, 'address', 'addresses')}). Above some 70 pods it does not, and then ` +
          'the client needs TCP. Allow egress to port 53 over TCP in the NetworkPolicy.',
        manifest,
      }),
    );
  return findings;
}

/** Only what differs twice, two seconds apart: replicas learn of a change at different moments. */
function judgeDifferences(
  { answers: all, readings, resolver, name }: Facts,
  answering: readonly string[],
): readonly Finding[] {
  if (name === null || answering.length < 2) return [];
  const type = all.some((answer) => answer.type === 'SRV') ? 'SRV' : 'A';
  const first = answering.map((server) => text(setOf(all, server, name, type) ?? setOf(all, server, name, 'AAAA')));
  const second = answering.map((server) =>
    text(readings.find((reading) => reading.server === server)?.addresses ?? null),
  );
  if (new Set(first).size === 1 || new Set(second).size === 1) return [];
  const [nearest] = resolver.servers;
  const firstHasNone = readings.find(({ server }) => server === nearest)?.addresses == null;
  const good = answering.filter((_, index) => second[index] !== text(null));
  return [
    finding('nameservers-differ', {
      weight: firstHasNone ? 'error' : 'warning',
      seen: answering.map((server, index) => `${server}: ${second[index]}`),
      remedy:
        'All nameservers in resolv.conf must serve the zone of the cluster and agree on it: the client takes the first answer that ' +
        'it gets, and NXDOMAIN is an answer. Name only the right ones in the client, or mend resolv.conf.',
      client: good.length < answering.length ? { headless: serversOption(good) } : {},
    }),
  ];
}

function text(addresses: readonly string[] | null): string {
  return addresses === null ? 'no address' : list(addresses, 8);
}

function serversOption(servers: readonly string[]): HeadlessAdvice {
  return { dns: { servers: `[${servers.map((server) => `'${server}'`).join(', ')}]` } };
}

function conductOf(all: readonly Answer[], server: string): ServerConduct {
  const of = (transport: Answer['transport']): TransportConduct => {
    const answers = all.filter((answer) => answer.server === server && answer.transport === transport);
    const isSilent = ({ outcome }: Answer): boolean => outcome.kind === 'failed' && outcome.reason !== 'malformed';
    return {
      responds: answers.some((answer) => !isSilent(answer)),
      answers: answers.some(({ outcome }) => outcome.kind !== 'failed' && outcome.kind !== 'error'),
      problems: [...new Set(answers.flatMap(({ outcome }) => problemOf(outcome)))],
    };
  };
  return { server, udp: of('udp'), tcp: of('tcp') };
}

function problemOf(outcome: Answer['outcome']): string[] {
  if (outcome.kind === 'error') return [outcome.rcode];
  if (outcome.kind !== 'failed') return [];
  // The messages of lib/dns begin with the question and the server.
  return [outcome.message.replace(/^.*\((?:udp|tcp)\) /, '')];
}

function responds({ udp, tcp }: ServerConduct): boolean {
  return udp.responds || tcp.responds;
}

function answers({ udp, tcp }: ServerConduct): boolean {
  return udp.answers || tcp.answers;
}
