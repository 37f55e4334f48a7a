/**
 * The Kubernetes control plane in this process's network namespace: etcd, the API server with its usual admission (Pod
 * Security too), and the controllers of the objects in `examples/kubernetes/`. The scheduler is the tests' own.
 */
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '../../support/certificates.js';
import { Api, type ApiAccess } from './api.js';
import { apiServer, controllerManager } from './programs.js';
import { ServerProcess } from './server-process.js';

/** The API server listens on every address of the namespace. A second one lets a test cut off one of its clients alone. */
export const API_ADDRESSES = ['127.0.0.1', '127.0.0.2'] as const;
export const API_PORT = 6443;
const ETCD = 'http://127.0.0.1:2379';
const TOKEN = 'test-administrator';
/** Of starting one server, on a machine that is busy. */
const START_MS = 120_000;

const CONTROLLERS = [
  'deployment-controller',
  'replicaset-controller',
  'endpointslice-controller',
  'disruption-controller',
  'horizontal-pod-autoscaler-controller',
  'garbage-collector-controller',
  'namespace-controller',
];

export class ControlPlane {
  readonly access: ApiAccess;
  readonly api: Api;
  readonly #folder: string;
  readonly #advertised: string;
  #etcd: ServerProcess | undefined;
  #apiServer: ServerProcess | undefined;
  #controllers: ServerProcess | undefined;

  /**
   * @param folder for data, keys and certificates; its owner removes it.
   * @param advertised an address of this namespace that is not a loopback one.
   */
  constructor(folder: string, advertised: string) {
    this.#folder = folder;
    this.#advertised = advertised;
    const authority = createAuthority();
    this.access = { host: API_ADDRESSES[0], port: API_PORT, token: TOKEN, ca: authority.certificate };
    this.api = new Api(this.access);
    const { certificate, key } = authority.issue({ names: [...API_ADDRESSES, advertised] });
    const accounts = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#write('ca.pem', authority.certificate);
    this.#write('api.pem', certificate);
    this.#write('api-key.pem', key);
    this.#write('accounts.pem', accounts.publicKey.export({ type: 'spki', format: 'pem' }));
    this.#write('accounts-key.pem', accounts.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    this.#write('tokens.csv', `${TOKEN},administrator,administrator,system:masters\n`);
  }

  /** Resolves when the API answers and the controllers run. */
  async start(): Promise<void> {
    const data = join(this.#folder, 'etcd');
    this.#etcd = new ServerProcess('etcd', 'etcd', ['--data-dir', data, '--logger', 'zap', '--log-level', 'warn']);
    await this.startApi();
  }

  /** Resolves when the API answers; the controllers start then. */
  async startApi(): Promise<void> {
    await this.#startApiServer();
    this.#controllers = new ServerProcess('kube-controller-manager', controllerManager.binary, [
      `--kubeconfig=${this.kubeconfig(API_ADDRESSES[0])}`,
      `--controllers=${CONTROLLERS.join()}`,
      '--leader-elect=false',
      '--secure-port=0',
      '--kube-api-qps=500',
      '--kube-api-burst=1000',
    ]);
  }

  async #startApiServer(): Promise<void> {
    this.#apiServer = new ServerProcess('kube-apiserver', apiServer.binary, [
      `--etcd-servers=${ETCD}`,
      `--secure-port=${API_PORT}`,
      `--advertise-address=${this.#advertised}`,
      '--authorization-mode=RBAC',
      `--token-auth-file=${this.#path('tokens.csv')}`,
      `--tls-cert-file=${this.#path('api.pem')}`,
      `--tls-private-key-file=${this.#path('api-key.pem')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${this.#path('accounts.pem')}`,
      `--service-account-signing-key-file=${this.#path('accounts-key.pem')}`,
      // Nothing here gives pods the tokens that this plugin asks for.
      '--disable-admission-plugins=ServiceAccount',
      '--service-cluster-ip-range=10.96.0.0/16,fd00:96::/108',
      `--cert-dir=${this.#folder}`,
    ]);
    await this.#apiServer.until(() => this.api.isReady(), START_MS);
  }

  /** At once, as when its machine is lost. The controllers end too, as those that cannot renew their lease do. */
  async killApi(): Promise<void> {
    await Promise.all([this.#apiServer?.end('SIGKILL'), this.#controllers?.end('SIGKILL')]);
  }

  /** The path of a kubeconfig for the API at this address of the namespace. */
  kubeconfig(host: string): string {
    const name = `kubeconfig-${host}`;
    // JSON is YAML.
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'test',
          cluster: { server: `https://${host}:${API_PORT}`, 'certificate-authority': this.#path('ca.pem') },
        },
      ],
      users: [{ name: 'administrator', user: { token: TOKEN } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'administrator' } }],
      'current-context': 'test',
    };
    this.#write(name, JSON.stringify(config));
    return this.#path(name);
  }

  /** The ends of the servers' logs. */
  get log(): string {
    const servers = [this.#etcd, this.#apiServer, this.#controllers];
    return servers.map((server) => `--- ${server?.name}\n${server?.log}`).join('\n');
  }

  #path(file: string): string {
    return join(this.#folder, file);
  }

  #write(file: string, content: string | Buffer): void {
    writeFileSync(this.#path(file), content);
  }
}
