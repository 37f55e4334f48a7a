/** What a balancer depends on: the channel that it serves, as it sees it. */
import type { ChannelControlHelper, Subchannel } from '../grpc/experimental.js';
import type { HealthMonitor } from '../health/health-monitor.js';
import type { Policy } from '../picker/policy.js';
import type { Runtime } from '../runtime.js';
import type { CallCounters } from '../telemetry/counters.js';
import type { Emit } from '../telemetry/events.js';
import type { CountedCalls } from '../telemetry/released-pods.js';
import type { DrainSettings } from './drain.js';
import type { EndpointAddress } from './endpoint-address.js';
import type { SelectionSettings } from './selection.js';

/** Where the sets come from, as far as the balancer answers back. */
export interface Discovery {
  /** Why the last query brought no addresses; null where it did. */
  readonly lastError: Error | null;
  setReady(ready: boolean): void;
  requestReresolution(): void;
}

export interface LoadBalancerContext {
  /** `name:port`, for messages. */
  readonly authority: string;
  /** The `:authority` of the channel's calls. */
  readonly callAuthority: string;
  readonly policy: Policy;
  readonly monitors: readonly HealthMonitor[];
  readonly drain: DrainSettings;
  readonly selection: SelectionSettings;
  readonly runtime: Runtime;
  readonly emit: Emit;
  /** Counts the channel's calls. */
  readonly calls: CallCounters;
  readonly discovery: Discovery;
  createSubchannel(address: EndpointAddress): Subchannel;
  /** No connection to the pod is held any more; calls to it may still be in flight. */
  onPodReleased(address: string, calls: CountedCalls): void;
  /** Streams that the peer allows at the same time; null where that is unknown. */
  streamLimit(subchannel: Subchannel): number | null;
  /** Receives states and channelz children. */
  readonly helper: Pick<ChannelControlHelper, 'updateState' | 'addChannelzChild' | 'removeChannelzChild'>;
}
