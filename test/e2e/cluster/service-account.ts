/** A ServiceAccount with the rights of `examples/kubernetes/rbac.yaml`, and a token of its own. */
import { readFileSync } from 'node:fs';
import { loadAllYaml } from '@kubernetes/client-node';
import type { KubernetesObject } from './api.js';
import type { TestCluster } from './test-cluster.js';

const MANIFEST = new URL('../../../examples/kubernetes/rbac.yaml', import.meta.url);

interface Manifest extends KubernetesObject {
  readonly apiVersion: string;
  readonly subjects?: readonly object[];
}

const PATHS: Readonly<Record<string, string>> = {
  ServiceAccount: 'serviceaccounts',
  Role: 'roles',
  RoleBinding: 'rolebindings',
};

export class ServiceAccount {
  readonly #net: TestCluster;
  readonly #namespace: string;
  readonly #manifests: readonly Manifest[];

  /** The manifest is applied to this namespace in the place of its own. */
  constructor(net: TestCluster, namespace: string) {
    this.#net = net;
    this.#namespace = namespace;
    this.#manifests = (loadAllYaml(readFileSync(MANIFEST, 'utf8')) as Manifest[]).map((object) => ({
      ...object,
      metadata: { ...object.metadata, namespace },
      ...(object.subjects ? { subjects: object.subjects.map((subject) => ({ ...subject, namespace })) } : {}),
    }));
  }

  /** Applies the objects of this kind, and of this one alone. */
  async apply(kind: 'ServiceAccount' | 'Role' | 'RoleBinding'): Promise<void> {
    for (const object of this.#manifests.filter((one) => one.kind === kind)) {
      const group = object.apiVersion === 'v1' ? '/api/v1' : `/apis/${object.apiVersion}`;
      const path = `${group}/namespaces/${this.#namespace}/${PATHS[kind]}`;
      await this.#net.cluster.api('POST', path, object);
    }
  }

  /** Of the ServiceAccount itself, bound to it by the API server (TokenRequest). */
  async token(): Promise<string> {
    const name = this.#manifests.find(({ kind }) => kind === 'ServiceAccount')?.metadata.name;
    const path = `/api/v1/namespaces/${this.#namespace}/serviceaccounts/${name}/token`;
    const answer = await this.#net.cluster.api('POST', path, { spec: { expirationSeconds: 3_600 } });
    return (answer as { status: { token: string } }).status.token;
  }
}
