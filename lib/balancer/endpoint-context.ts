/** What all endpoints of one balancer share: the balancer, as they see it. */
import type { Subchannel } from '../grpc/experimental.js';
import type { HealthMonitor } from '../health/health-monitor.js';
import type { Clock } from '../runtime.js';
import type { CallCounters } from '../telemetry/counters.js';
import type { EndpointEvent } from '../telemetry/events.js';
import type { DrainSettings } from './drain.js';
import type { Endpoint } from './endpoint.js';
import type { EndpointAddress } from './endpoint-address.js';
import type { EndpointStateKind } from './endpoint-state.js';

export interface EndpointContext {
  readonly clock: Pick<Clock, 'now' | 'setTimer' | 'wallTime'>;
  readonly drain: DrainSettings;
  /** Endpoints keep account of each of their calls. */
  readonly tracksCalls: boolean;
  readonly monitors: readonly HealthMonitor[];
  /** Counts the calls of all endpoints, those of released ones too. */
  readonly calls: CallCounters;
  /** The `:authority` of the channel's calls. */
  readonly callAuthority: string;
  createSubchannel(address: EndpointAddress): Subchannel;
  /** Undoes what `createSubchannel` did beside making the subchannel. */
  onSubchannelReleased(subchannel: Subchannel): void;
  emit(event: EndpointEvent): void;
  /** The state changed from `previous`. */
  onStateChange(endpoint: Endpoint, previous: EndpointStateKind): void;
  /** grpc-js reported a state of the subchannel; the endpoint's own state has been changed by then, if it had to be. */
  onSubchannelState(endpoint: Endpoint, previous: EndpointStateKind): void;
  /** Still takes calls although it drains, because no endpoint of the set does. */
  isLastResort(endpoint: Endpoint): boolean;
}
