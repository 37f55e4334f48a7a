/**
 * The objects that the scenes create: those of `examples/kubernetes/`, changed where a scene asks for it. Several
 * Deployments may stand behind one Service, so that each has a label of its own beside `app`.
 */
import {
  type ContainerManifest,
  type DeploymentManifest,
  type Manifest,
  manifest,
  type PodSpecManifest,
  type ServiceManifest,
} from '../../support/example-manifests.js';

export interface DeploymentPlan {
  readonly replicas: number;
  /** The pods' label `app`. Default: the Deployment's name. */
  readonly app?: string;
  /** Default: the example's. */
  readonly maxSurge?: number | string;
  /** Default: the example's. */
  readonly maxUnavailable?: number | string;
  readonly pod?: PodPlan;
}

export interface PodPlan {
  /** Default: the example's; one with the tag `broken` never becomes ready. */
  readonly image?: string;
  /** Default: the scheduler's choice, the first node. */
  readonly nodeName?: string;
  /** Default: the example's. */
  readonly port?: number;
  /** Pods share a few processes. */
  readonly shared?: boolean;
}

const server = manifest<DeploymentManifest>('Deployment', 'hello');

export function namespace(name: string): object {
  const example = manifest<Manifest>('Namespace', 'shop');
  return { ...example, metadata: { ...example.metadata, name } };
}

export function deployment(name: string, { replicas, app = name, maxSurge, maxUnavailable, pod }: DeploymentPlan) {
  const { template, strategy, ...spec } = server.spec;
  const labels = { app, deployment: name };
  const annotations = pod?.shared ? { 'test/process': 'shared' } : {};
  const rollingUpdate = {
    ...strategy?.rollingUpdate,
    ...(maxSurge === undefined ? {} : { maxSurge }),
    ...(maxUnavailable === undefined ? {} : { maxUnavailable }),
  };
  return {
    ...server,
    metadata: { name },
    spec: {
      ...spec,
      replicas,
      selector: { matchLabels: labels },
      strategy: { ...strategy, rollingUpdate },
      template: {
        metadata: { labels: { ...template.metadata.labels, ...labels }, annotations },
        spec: podSpec(pod),
      },
    },
  };
}

export function podSpec({ image, nodeName, port }: PodPlan = {}): PodSpecManifest & { nodeName?: string } {
  const { spec } = server.spec.template;
  const containers = spec.containers.map((container) => {
    const moved = port === undefined ? container : atPort(container, port);
    return image === undefined ? moved : { ...moved, image };
  });
  return { ...spec, containers, ...(nodeName === undefined ? {} : { nodeName }) };
}

function atPort(container: ContainerManifest, port: number): ContainerManifest {
  return {
    ...container,
    env: container.env.map((entry) => (entry.name === 'PORT' ? { ...entry, value: String(port) } : entry)),
    ports: (container.ports ?? []).map((entry) => ({ ...entry, containerPort: port })),
    readinessProbe: { ...container.readinessProbe, grpc: { port } },
  };
}

/** @param spec beside the example's. */
export function headlessService(spec: object): object {
  return serviceAs('hello', spec);
}

/** The example's Service that shows the fault, under the name of the headless one. */
export function clusterIpService(): object {
  return serviceAs('hello-cluster-ip', {});
}

function serviceAs(example: string, spec: object): object {
  const service = manifest<ServiceManifest>('Service', example);
  return { ...service, metadata: { name: 'hello' }, spec: { ...service.spec, ...spec } };
}
