/**
 * Tells of pods that a channel has let go, with their calls: no snapshot has them any more. For those that add up calls by
 * address. It is no event: whoever listens has to tell channels of the same target apart, and the calls may go on.
 */
import type { ChannelView } from './open-channels.js';
import type { EndpointSnapshot } from './snapshot.js';

export type CallCounts = Pick<EndpointSnapshot, 'inFlight' | 'started' | 'succeeded' | 'failed'>;

/** The calls of one pod. */
export interface CountedCalls {
  /** Of this moment. */
  readonly counts: CallCounts;
}

/** @param calls may still end. Another one of the same address, should the pod return, counts from 0. */
export type ReleaseListener = (view: ChannelView, address: string, calls: CountedCalls) => void;

const listeners = new Set<ReleaseListener>();

/** Returns how to undo it. */
export function onPodReleased(listener: ReleaseListener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function tellPodReleased(...released: Parameters<ReleaseListener>): void {
  for (const listener of listeners) listener(...released);
}
