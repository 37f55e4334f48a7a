/** The objects that the scenes create. */
import { NODES, POD_PORTS } from './topology.js';

export interface DeploymentPlan {
  readonly replicas: number;
  /** The pods' label `app`. Default: the Deployment's name. */
  readonly app?: string;
  /** Default `25%`, as in Kubernetes. */
  readonly maxSurge?: number | string;
  /** Default 0. */
  readonly maxUnavailable?: number | string;
  readonly pod?: PodPlan;
}

export interface PodPlan {
  /** Default `hello:v1`; the tag `broken` never becomes ready. */
  readonly image?: string;
  readonly nodeName?: string;
  /** Default: the first port of the pods. */
  readonly port?: number;
  /** Pods share a few processes. */
  readonly shared?: boolean;
}

/** More than the interval: the pod serves on until every client has read that it left DNS. */
const PRE_STOP_S = 7;
const GRACE_S = 20;

export function deployment(name: string, plan: DeploymentPlan) {
  const { replicas, app = name, maxSurge = '25%', maxUnavailable = 0, pod } = plan;
  const annotations = pod?.shared ? { 'test/process': 'shared' } : {};
  return {
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { deployment: name } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
      template: { metadata: { labels: { app, deployment: name }, annotations }, spec: podSpec(pod) },
    },
  };
}

export function podSpec({ image = 'hello:v1', nodeName = NODES[0]?.name ?? '', port = POD_PORTS[0] }: PodPlan = {}) {
  return {
    nodeName,
    terminationGracePeriodSeconds: GRACE_S,
    containers: [
      {
        name: 'hello',
        image,
        ports: [{ name: 'grpc', containerPort: port }],
        lifecycle: { preStop: { sleep: { seconds: PRE_STOP_S } } },
      },
    ],
  };
}

export function headlessService(name: string, spec: object) {
  return {
    metadata: { name },
    spec: {
      clusterIP: 'None',
      selector: { app: name },
      ports: [{ name: 'grpc', port: POD_PORTS[0], targetPort: 'grpc' }],
      ...spec,
    },
  };
}
