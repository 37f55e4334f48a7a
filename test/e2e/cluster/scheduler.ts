/**
 * The scheduler's part: a pod that names no node goes to the first one. Pods without a port stay pending, as the kubelet of
 * the tests runs servers alone.
 */
import { type Api, ApiError, type KubernetesObject } from './api.js';
import { NODES } from './topology.js';

interface PodObject extends KubernetesObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly ports?: readonly unknown[] }[];
  };
}

/** Until the process ends. @param failed takes what went wrong, for the message of a test that fails. */
export function schedule(api: Api, failed: (message: string) => void): void {
  const place = ({ metadata, spec }: PodObject): void => {
    const ports = spec.containers.flatMap((container) => container.ports ?? []);
    if (spec.nodeName !== undefined || ports.length === 0 || metadata.deletionTimestamp !== undefined) return;
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/binding`;
    const target = { apiVersion: 'v1', kind: 'Node', name: NODES[0]?.name };
    api
      .send('POST', path, { apiVersion: 'v1', kind: 'Binding', metadata: { name: metadata.name }, target })
      .catch((error: unknown) => {
        // The pod is gone, or is bound since. Where the API is away, the pods are listed anew when it is back.
        if (!(error instanceof ApiError && [404, 409].includes(error.status))) failed(`${metadata.name}: ${error}`);
      });
  };
  void api.watch<PodObject>(
    '/api/v1/pods',
    (pods) => pods.forEach(place),
    ({ type, object }) => {
      if (type === 'ADDED') place(object);
    },
  );
}
