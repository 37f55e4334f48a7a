/** The objects of `examples/kubernetes/`, as a user applies them. */
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

/** As far as the tests read it; the rest is kept. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
}

export interface ContainerManifest {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe?: { readonly grpc: { readonly port: number } };
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly resources: { readonly requests: Readonly<Record<string, string>> };
  readonly securityContext: {
    readonly allowPrivilegeEscalation: boolean;
    readonly readOnlyRootFilesystem: boolean;
    readonly capabilities: { readonly add?: readonly string[]; readonly drop: readonly string[] };
  };
}

export interface PodSpecManifest {
  readonly automountServiceAccountToken: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: {
    readonly runAsNonRoot: boolean;
    readonly runAsUser: number;
    readonly runAsGroup: number;
    readonly seccompProfile: { readonly type: string };
  };
  readonly containers: readonly ContainerManifest[];
}

export interface DeploymentManifest extends Manifest {
  readonly spec: {
    readonly replicas?: number;
    readonly minReadySeconds?: number;
    readonly selector: Selector;
    readonly strategy?: {
      readonly rollingUpdate: { readonly maxSurge: number | string; readonly maxUnavailable: number | string };
    };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: PodSpecManifest;
    };
  };
}

export interface ServiceManifest extends Manifest {
  readonly spec: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: number | string }[];
  };
}

export interface PolicyPeer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string };
}

export interface PolicyPort {
  readonly protocol: string;
  readonly port: number;
}

export interface NetworkPolicyManifest extends Manifest {
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly string[];
    readonly ingress?: readonly { readonly from: readonly PolicyPeer[]; readonly ports: readonly PolicyPort[] }[];
    readonly egress?: readonly { readonly to: readonly PolicyPeer[]; readonly ports: readonly PolicyPort[] }[];
  };
}

/** `examples/kubernetes/`. */
export const EXAMPLES = new URL('../../examples/kubernetes/', import.meta.url);

/** Names of the files with objects in them. */
export function manifestFiles(): string[] {
  const files = readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'));
  return files.filter((name) => name !== 'kustomization.yaml').toSorted();
}

/** All objects of a file, anew at each call. Throws for what is no valid YAML. */
export function manifestsIn(file: string): Manifest[] {
  const documents = parseAllDocuments(readFileSync(new URL(file, EXAMPLES), 'utf8'));
  if ('empty' in documents) throw new Error(`examples/kubernetes/${file} holds no object`);
  return documents.map((document) => {
    const [error] = [...document.errors, ...document.warnings];
    if (error !== undefined) throw new Error(`examples/kubernetes/${file}: ${error.message}`, { cause: error });
    return document.toJS() as Manifest;
  });
}

/** All objects of the kind, in all files. */
export function manifestsOf<T extends Manifest>(kind: string): T[] {
  return manifestFiles()
    .flatMap(manifestsIn)
    .filter((object) => object.kind === kind) as T[];
}

/** The one object of this kind and name. */
export function manifest<T extends Manifest>(kind: string, name: string): T {
  const [found, another] = manifestsOf<T>(kind).filter(({ metadata }) => metadata.name === name);
  if (found === undefined || another !== undefined)
    throw new Error(`examples/kubernetes has to hold one ${kind} ${name}`);
  return found;
}
