/** Which Service of Kubernetes a target's host stands for. Pure. */
import { parseServiceName } from '../dns/service-name.js';

export interface ServiceReference {
  readonly service: string;
  /** null: the namespace of this pod. */
  readonly namespace: string | null;
  /** Of a named port; null where the target has a port of its own. */
  readonly portName: string | null;
}

/** RFC 1123's label, as Kubernetes checks the names of Services and namespaces. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Of a multi-cluster Service (KEP-1645): its pods are in several clusters, and the slices of one Service hold one cluster's. */
const CLUSTER_SET = 'clusterset.local';

/**
 * Reads `service`, `service.namespace` and `service.namespace.svc[.cluster-domain]`, each also behind `_port-name._tcp.`.
 * null for every other host: no Service has such a name. Any domain but `clusterset.local` is taken for the cluster's:
 * nothing tells a pod which one it is.
 *
 * Names that are not absolute go through the search list, which makes `example.com` the Service `example` in the namespace
 * `com` before it is a name of its own. No text tells the two apart.
 *
 * @param absolute written with a final dot. Without a search list, only a name with a cluster's domain is a Service.
 */
export function serviceOf(hostname: string, absolute: boolean): ServiceReference | null {
  const named = parseServiceName(hostname);
  const labels = (named?.service ?? hostname).toLowerCase().split('.');
  const [service = '', namespace = null, svc = 'svc', ...domain] = labels;
  if (!LABEL.test(service) || (namespace !== null && !LABEL.test(namespace)) || svc !== 'svc') return null;
  if (domain.join('.') === CLUSTER_SET || (absolute && domain.length === 0)) return null;
  return { service, namespace, portName: named?.port.toLowerCase() ?? null };
}
