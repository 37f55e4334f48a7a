/** Which connected endpoints may take calls, as a snapshot tells it: neither ejected nor unhealthy. */
import type { EndpointSnapshot, Snapshot } from './snapshot.js';

type Checked = Pick<EndpointSnapshot, 'health' | 'ejected'> & { readonly state: string };

/** Connected, of the set, and ejected as an outlier (the option `outlier`). */
export function isEjected({ state, ejected }: Checked): boolean {
  return state === 'ready' && ejected !== null;
}

/** Connected, of the set, and its health check does not say that it serves (the option `health`). */
export function isUnhealthy({ state, health }: Checked): boolean {
  return state === 'ready' && !allowsCalls(health);
}

/**
 * No connected endpoint of the set may take calls, so all of them do. Endpoints that left the set and are healthy come
 * before that. A channel that still waits for others to connect is not READY.
 */
export function isInPanic({ state: channel, endpoints }: Pick<Snapshot, 'state' | 'endpoints'>): boolean {
  if (channel !== 'READY') return false;
  const connected = endpoints.filter(({ state }) => state === 'ready');
  return (
    connected.length > 0 &&
    connected.every((endpoint) => isEjected(endpoint) || isUnhealthy(endpoint)) &&
    !endpoints.some(({ state, health, ejected }) => state === 'draining' && ejected === null && allowsCalls(health))
  );
}

/** A server without a health service counts as healthy (gRFC A17). null: the option `health` is not set. */
function allowsCalls(health: EndpointSnapshot['health']): boolean {
  return health === null || health === 'SERVING' || health === 'UNIMPLEMENTED';
}
