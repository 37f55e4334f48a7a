/**
 * A cluster with a real control plane in one network namespace, and a client's pod in another: a firewall, made of the
 * example's NetworkPolicies, lets that one reach port 53 of DNS and the ports of the pods, and nothing else.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Defer } from '../../support/leak-check.js';
import { inside, type Namespaces, openNamespaces } from '../../support/namespaces.js';
import { type RpcClient, RpcProcess } from '../../support/rpc.js';
import { coredns } from '../coredns/program.js';
import { kuberesolver } from '../kuberesolver/program.js';
import { command, NETWORK_NAMESPACES } from '../netns/requirements.js';
import type { ClientProgram } from './client-main.js';
import type { ClusterProgram } from './cluster-main.js';
import { API_PORT } from './control-plane.js';
import { clientRules, serverRules } from './network-policy.js';
import { apiServer, controllerManager } from './programs.js';
import { DNS_IPS, DNS_SERVICE_IP, POD_NETWORKS } from './topology.js';

/** To be handed to `missing`. */
export const REQUIREMENTS = [
  ...NETWORK_NAMESPACES,
  command('setpriv', 'util-linux'),
  command('etcd', 'etcd-server'),
  coredns.missing,
  apiServer.missing,
  controllerManager.missing,
  kuberesolver.missing,
] as const;

/** The ends of the link between the namespaces. */
const CLUSTER_IP = '10.0.0.1';
const CLUSTER_IPV6 = 'fd00::1';
const CLIENT_IPV6 = 'fd00::2';

export class TestCluster {
  readonly cluster: RpcClient<ClusterProgram>;
  readonly client: RpcClient<ClientProgram>;
  readonly #names: Namespaces;
  readonly #folder: string;

  static async start(defer: Defer): Promise<TestCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'grpc-headless-cluster-'));
    defer(() => rmSync(folder, { recursive: true, maxRetries: 5 }));
    const names = await openNamespaces();
    defer(() => names.close());
    await addAddresses(names);
    await raiseFirewall(names);
    const programs = ['cluster-main.ts', 'client-main.ts'].map((file) => new URL(`./${file}`, import.meta.url));
    const cluster = await RpcProcess.start<ClusterProgram>(programs[0] as URL, { namespace: names.cluster });
    defer(() => cluster.end());
    const client = await RpcProcess.start<ClientProgram>(programs[1] as URL, { namespace: names.client });
    defer(() => client.end());
    await cluster.call.start(folder, CLUSTER_IP);
    return new TestCluster(names, folder, cluster.call, client.call);
  }

  private constructor(
    names: Namespaces,
    folder: string,
    cluster: RpcClient<ClusterProgram>,
    client: RpcClient<ClientProgram>,
  ) {
    this.#names = names;
    this.#folder = folder;
    this.cluster = cluster;
    this.client = client;
  }

  /** The path of a resolv.conf as the kubelet writes it, with these servers. */
  resolvConf(...servers: readonly string[]): string {
    const path = join(this.#folder, `resolv-${servers.join('-')}.conf`);
    // Once: a client of another scene may be about to read it, and must not find it empty.
    if (existsSync(path)) return path;
    const lines = servers.map((server) => `nameserver ${server}`);
    lines.push('search default.svc.cluster.local svc.cluster.local cluster.local', 'options ndots:5');
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  }

  /** Files that prove who has this token, for a client that reaches the API server. */
  accessFor(token: string): { kubeConfig: string; url: string; ca: string; token: string } {
    const paths = { ca: join(this.#folder, 'ca.pem'), token: join(this.#folder, 'token') };
    const kubeConfig = join(this.#folder, 'client-kubeconfig');
    const url = `https://${CLUSTER_IP}:${API_PORT}`;
    writeFileSync(paths.token, token);
    // JSON is YAML.
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority': paths.ca } }],
      users: [{ name: 'pod', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'pod' } }],
      'current-context': 'test',
    };
    writeFileSync(kubeConfig, JSON.stringify(config));
    return { kubeConfig, url, ...paths };
  }

  /** Whether the firewall lets the client's namespace reach the API server. */
  allowApi(allowed: boolean): Promise<void> {
    const action = allowed ? '-A' : '-D';
    return this.inClient(`iptables ${action} OUTPUT -d ${CLUSTER_IP} -p tcp --dport ${API_PORT} -j ACCEPT`);
  }

  /** How plain TCP connections from the client's namespace to the API server end, by its address and by its Service. */
  probeApi(): Promise<string[]> {
    const doors: readonly [string, number][] = [
      [CLUSTER_IP, API_PORT],
      [DNS_IPS.first, API_PORT],
      ['10.96.0.1', 443],
    ];
    return Promise.all(doors.map(([ip, port]) => this.client.probe(ip, port, 1_000)));
  }

  /** Runs commands in the client's namespace, where the rules of ClusterIP Services belong. */
  inClient(...commands: readonly string[]): Promise<void> {
    return inside(this.#names.client, ...commands);
  }

  inCluster(...commands: readonly string[]): Promise<void> {
    return inside(this.#names.cluster, ...commands);
  }
}

async function addAddresses({ client, cluster }: Namespaces): Promise<void> {
  for (const ip of Object.values(DNS_IPS)) await inside(cluster, `ip addr add ${ip}/32 dev lo`);
  // Every address of these networks is local: a pod's server can listen on it, whoever has added it.
  await inside(cluster, ...POD_NETWORKS.map((network) => `ip route add local ${network} dev lo`));
  await inside(cluster, `ip addr add ${CLUSTER_IPV6}/64 dev eth0 nodad`);
  await inside(client, `ip addr add ${CLIENT_IPV6}/64 dev eth0 nodad`, `ip route add default via ${CLUSTER_IPV6}`);
}

async function raiseFirewall({ client, cluster }: Namespaces): Promise<void> {
  await inside(client, ...dnsServiceRules(), ...clientRules());
  await inside(cluster, ...serverRules());
}

/** kube-proxy's part for the Service of the DNS servers: each flow goes to one of the two. */
function dnsServiceRules(): string[] {
  return ['udp', 'tcp'].flatMap((protocol) => {
    const rule = `iptables -t nat -A OUTPUT -d ${DNS_SERVICE_IP} -p ${protocol} --dport 53`;
    return [
      `${rule} -m statistic --mode random --probability 0.5 -j DNAT --to-destination ${DNS_IPS.first}`,
      `${rule} -j DNAT --to-destination ${DNS_IPS.second}`,
    ];
  });
}
