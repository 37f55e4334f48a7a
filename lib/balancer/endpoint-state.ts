/** The states of an endpoint: one closed union. */
import { connectivityState } from '@grpc/grpc-js';
import type { EndpointEvent } from '../telemetry/events.js';
import type { EndpointSnapshot } from '../telemetry/snapshot.js';
import type { Drain } from './drain.js';

/** Entering and leaving a state does what belongs to it; see `Endpoint`. */
export type EndpointState =
  /** In the set; its subchannel is still to be made. */
  | { readonly kind: 'queued' }
  /** The first attempt to connect, or the first one since a connection was lost. */
  | { readonly kind: 'connecting' }
  /** Connected, and a health monitor has not found out yet whether it may take calls. */
  | { readonly kind: 'checking' }
  /** Connected, and every health monitor agrees: takes calls. */
  | { readonly kind: 'ready' }
  /** Connected, and a health monitor says that it must not take calls. */
  | { readonly kind: 'unhealthy' }
  /** From a failed attempt until connected: retries in between are no change (gRFC A61's sticky failure). */
  | { readonly kind: 'backoff' }
  /** Left the set while connected: gets no new call while others can take it. */
  | { readonly kind: 'draining'; readonly drain: Drain }
  /** Holds nothing any more. Final. */
  | { readonly kind: 'released' };

export type EndpointStateKind = EndpointState['kind'];

export function isConnected(kind: EndpointStateKind): boolean {
  return kind === 'checking' || kind === 'ready' || kind === 'unhealthy' || kind === 'draining';
}

/** @param verdict of the health monitors; null: not known yet. */
export function connectedState(verdict: boolean | null): EndpointState {
  if (verdict === null) return { kind: 'checking' };
  return { kind: verdict ? 'ready' : 'unhealthy' };
}

/** That of an endpoint without a connection. */
export function unconnectedState(subchannel: connectivityState, previous: EndpointStateKind): EndpointState {
  const failed = subchannel === connectivityState.TRANSIENT_FAILURE || previous === 'backoff';
  return { kind: failed ? 'backoff' : 'connecting' };
}

/** What is told of a change from one state to another; null: nothing. */
export function changeEvent(
  previous: EndpointStateKind,
  next: EndpointStateKind,
  address: string,
): EndpointEvent | null {
  if (next === 'draining') return { kind: 'drain_started', address };
  if (next === 'released') return null;
  if (previous === 'draining') return { kind: 'drain_cancelled', address };
  if (isConnected(previous) === isConnected(next)) return null;
  return { kind: isConnected(next) ? 'connected' : 'connection_lost', address };
}

/** The state as a snapshot names it. */
export function shownState(kind: EndpointStateKind): EndpointSnapshot['state'] {
  switch (kind) {
    case 'ready':
    case 'unhealthy':
      return 'ready';
    case 'draining':
    case 'backoff':
      return kind;
    default:
      return 'connecting';
  }
}
