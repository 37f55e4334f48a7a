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

/**
 * Reads `service`, `service.namespace` and `service.namespace.svc[.cluster-domain]`, each also behind `_port-name._tcp.`.
 * null for every other host: no Service has such a name.
 */
export function serviceOf(hostname: string): ServiceReference | null {
  const named = parseServiceName(hostname);
  const [service = '', namespace = null, svc = 'svc'] = (named?.service ?? hostname).toLowerCase().split('.');
  if (!LABEL.test(service) || (namespace !== null && !LABEL.test(namespace)) || svc !== 'svc') return null;
  return { service, namespace, portName: named?.port.toLowerCase() ?? null };
}
