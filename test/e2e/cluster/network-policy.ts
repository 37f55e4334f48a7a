/**
 * Rules of iptables that do what a network plugin does with `examples/kubernetes/network-policy.yaml`: the client's
 * namespace is the pod `hello-client`, and the pods' networks are the pods `hello`.
 */
import {
  manifest,
  manifestsOf,
  type NetworkPolicyManifest,
  type PolicyPeer,
  type PolicyPort,
} from '../../support/example-manifests.js';
import { DNS_IPS, POD_NETWORKS, POD_PORTS } from './topology.js';

/** One scene moves the pods to this port, and would have to allow it in the policies. */
const MOVED: PolicyPort = { protocol: 'TCP', port: POD_PORTS[1] };

/** In the client's namespace: what the policies of its pod allow. */
export function clientRules(): string[] {
  const { egress = [] } = manifest<NetworkPolicyManifest>('NetworkPolicy', 'hello-client').spec;
  const allowed = egress.flatMap(({ to, ports }) =>
    to.flatMap(networksOf).flatMap((network) => accept('OUTPUT -d', network, ports)),
  );
  const established = TABLES.map((tables) => `${tables} -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT`);
  // The neighbours' addresses, which no policy is about.
  const neighbours = ['OUTPUT', 'INPUT'].map((chain) => `ip6tables -A ${chain} -p ipv6-icmp -j ACCEPT`);
  return [...allowed, ...established, ...neighbours, ...TABLES.flatMap((tables) => deny(tables))];
}

/** In the cluster's namespace: what the policies of the servers' pods allow to come in from the client. */
export function serverRules(): string[] {
  const { ingress = [] } = manifest<NetworkPolicyManifest>('NetworkPolicy', 'hello').spec;
  const open = ingress.filter(({ from }) => from.some(isClient));
  return POD_NETWORKS.flatMap((network) => [
    ...open.flatMap(({ ports }) => accept('INPUT -i eth0 -d', network, ports)),
    ...(denied('Ingress') ? [`${tablesFor(network)} -A INPUT -i eth0 -d ${network} -p tcp -j DROP`] : []),
  ]);
}

const TABLES = ['iptables', 'ip6tables'] as const;

function tablesFor(network: string): (typeof TABLES)[number] {
  return network.includes(':') ? 'ip6tables' : 'iptables';
}

function accept(match: string, network: string, ports: readonly PolicyPort[]): string[] {
  const ofPods = POD_NETWORKS.some((pods) => pods === network);
  const all = ofPods ? [...ports, MOVED] : ports;
  return all.map(
    ({ protocol, port }) =>
      `${tablesFor(network)} -A ${match} ${network} -p ${protocol.toLowerCase()} --dport ${port} -j ACCEPT`,
  );
}

function deny(tables: string): string[] {
  const chains = { Egress: 'OUTPUT', Ingress: 'INPUT' } as const;
  return Object.entries(chains).flatMap(([type, chain]) => (denied(type) ? [`${tables} -P ${chain} DROP`] : []));
}

/** Whether a policy that selects all pods allows nothing in this direction. */
function denied(type: string): boolean {
  return manifestsOf<NetworkPolicyManifest>('NetworkPolicy').some(
    ({ spec }) =>
      Object.keys(spec.podSelector).length === 0 &&
      spec.policyTypes.includes(type) &&
      spec.ingress === undefined &&
      spec.egress === undefined,
  );
}

function networksOf(peer: PolicyPeer): readonly string[] {
  if (peer.ipBlock !== undefined) return [peer.ipBlock.cidr];
  const { podSelector, namespaceSelector } = peer;
  const namespace = namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name'];
  const { matchLabels = {} } = podSelector ?? {};
  if (namespace === 'kube-system' && matchLabels['k8s-app'] === 'kube-dns') return [DNS_IPS.first, DNS_IPS.second];
  if (namespaceSelector === undefined && matchLabels['app'] === 'hello') return POD_NETWORKS;
  throw new Error(`no address of the test's cluster is meant by ${JSON.stringify(peer)}`);
}

function isClient({ podSelector, namespaceSelector }: PolicyPeer): boolean {
  return namespaceSelector === undefined && podSelector?.matchLabels?.['app'] === 'hello-client';
}
