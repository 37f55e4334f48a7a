/** The addresses of the test's cluster. */

export type DnsName = 'first' | 'second' | 'nodeLocal';

/** Of the DNS servers. `first` and `second` are replicas; `nodeLocal` caches in front of `first`. */
export const DNS_IPS: Readonly<Record<DnsName, string>> = {
  first: '10.96.0.10',
  second: '10.96.0.11',
  nodeLocal: '169.254.20.10',
};

/** The ClusterIP of a Service with both replicas behind it. Rules in the client's namespace do what kube-proxy does. */
export const DNS_SERVICE_IP = '10.96.0.12';

/** The port of the pods; the second one is what a named `targetPort` may change to. */
export const POD_PORTS = [50_051, 50_052] as const;

export interface Node {
  readonly name: string;
  /** Label `topology.kubernetes.io/zone`. */
  readonly zone: string;
  /** The address of the node's pod of this number, from 1. */
  ip(index: number): string;
  ipv6(index: number): string;
}

export const NODES: readonly Node[] = [node('node-a', 'zone-a', 0), node('node-b', 'zone-b', 64)];

/** All addresses of pods. */
export const POD_NETWORKS = ['10.244.0.0/16', 'fd00:244::/64'] as const;

function node(name: string, zone: string, range: number): Node {
  return {
    name,
    zone,
    ip: (index) => `10.244.${range + (index >> 8)}.${index & 255}`,
    ipv6: (index) => `fd00:244::${(range + 1).toString(16)}:${index.toString(16)}`,
  };
}
