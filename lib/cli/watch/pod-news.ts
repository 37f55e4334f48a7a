/** What to say of a pod whose state, ejection or health is another one than before. Pure functions. */
import type { EndpointSnapshot } from '../../index.js';
import { isEjected, isUnhealthy } from '../../telemetry/availability.js';
import { count, duration } from './format.js';
import type { Tone } from './view.js';

/** Another state than the type has: one that a later version of the library reports, or `listed`. */
export type SeenEndpoint = Omit<EndpointSnapshot, 'state'> & { readonly state: string };

export interface PodNews {
  readonly text: string;
  readonly tone: Tone;
  /** When it happened, where that is known. */
  readonly at?: number;
}

/** What panic means for the pods. */
export const PANIC = 'every connected pod is ejected or unhealthy, so all of them get calls';

/** A pod that is both counts as unhealthy: the end of its ejection changes nothing. */
export function shownState(endpoint: SeenEndpoint): string {
  if (isUnhealthy(endpoint)) return 'unhealthy';
  return isEjected(endpoint) ? 'ejected' : endpoint.state;
}

/** null: nothing is new. */
export function ejectionNews(before: SeenEndpoint | null, endpoint: SeenEndpoint): PodNews | null {
  const { ejected } = endpoint;
  const last = before?.ejected ?? null;
  if (ejected !== null) {
    if (ejected.since === last?.since) return null;
    const text = `ejected for ${duration(ejected.untilMs - ejected.since)}: ${ejected.details}`;
    return { text, tone: 'bad', at: ejected.since };
  }
  if (last === null) return null;
  const trial = shownState(endpoint) === 'ready' ? ': one call tries it first' : '';
  return { text: `its ejection has ended${trial}`, tone: 'neutral' };
}

/** Of a pod whose state is the same. */
export function healthNews(before: SeenEndpoint, endpoint: SeenEndpoint): PodNews | null {
  if (!isUnhealthy(endpoint) || before.health === endpoint.health) return null;
  return { text: unhealthy(endpoint), tone: 'bad' };
}

/**
 * The pod's state is another one. null: `ejectionNews` tells it.
 *
 * @param ms how long the last state lasted; null: there was none.
 */
export function stateNews(before: SeenEndpoint | null, endpoint: SeenEndpoint, ms: number | null): PodNews | null {
  const last = before && shownState(before);
  const after = ms === null ? '' : ` after ${duration(ms)}`;
  const error = causeOf(endpoint);
  const cause = error === null ? '' : `: ${error}`;
  const added = before === null ? 'added: ' : '';
  const state = shownState(endpoint);
  switch (state) {
    case 'ready':
      if (last === 'draining') return { text: 'back in DNS, the connection was kept', tone: 'good' };
      if (last === 'unhealthy')
        return { text: `healthy again: its health check says ${endpoint.health}`, tone: 'good' };
      if (last === 'ejected') return null;
      return { text: `${added}ready${after}${withoutHealthService(endpoint)}`, tone: 'good' };
    case 'ejected':
      if (last === 'ready') return null;
      if (last === 'unhealthy') return { text: 'healthy again, and still ejected', tone: 'neutral' };
      return { text: `${added}connected${after}, and still ejected`, tone: 'neutral' };
    case 'unhealthy':
      return { text: `${added}${unhealthy(endpoint)}`, tone: 'bad' };
    case 'connecting':
      if (before?.state === 'ready') return { text: 'connection lost, connecting again', tone: 'bad' };
      return { text: `${added}connecting`, tone: 'neutral' };
    case 'backoff':
      return { text: `${added}cannot be connected to, trying again${cause}`, tone: 'bad' };
    case 'draining':
      return { text: `left DNS, draining${callsLeft(endpoint.inFlight)}`, tone: 'neutral' };
    case 'listed':
      return { text: 'added to DNS', tone: 'good' };
    default:
      return { text: `${added}${state}${after}${cause}`, tone: 'neutral' };
  }
}

/** Without the name of the class that grpc-js puts before most messages. */
export function causeOf({ lastError }: SeenEndpoint): string | null {
  return lastError === null ? null : lastError.replace(/^Error: /, '');
}

function unhealthy({ health }: SeenEndpoint): string {
  return `unhealthy: ${health === 'UNKNOWN' ? 'no answer to its health check' : `its health check says ${health}`}`;
}

function withoutHealthService({ health }: SeenEndpoint): string {
  return health === 'UNIMPLEMENTED' ? ', without a health service' : '';
}

function callsLeft(inFlight: number): string {
  return inFlight === 0 ? '' : ` with ${count(inFlight, 'call', 'calls')} in flight`;
}
