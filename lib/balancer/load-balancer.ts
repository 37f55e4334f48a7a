/**
 * The LoadBalancer that grpc-js drives: whole sets in, a picker out. It makes a subchannel for an added address only,
 * drains what left, and reports the channel's state as gRPC's round_robin has it: READY if any pod is, else CONNECTING
 * if any still tries for the first time, else TRANSIENT_FAILURE.
 */
import { type ChannelOptions, connectivityState } from '@grpc/grpc-js';
import { type BalancerView, CHANNEL_CONTEXT_KEY, type ChannelContext } from '../grpc/channel-context.js';
import type {
  ChannelControlHelper,
  LoadBalancer,
  StatusOrEndpoints,
  TypedLoadBalancingConfig,
} from '../grpc/experimental.js';
import { BALANCER_NAME } from '../grpc/service-config.js';
import { type PolicyPicker, queuePicker, unavailablePicker } from '../picker/policy.js';
import { Drain } from './drain.js';
import type { ConnectionChange, Endpoint, EndpointOwner, EndpointSnapshot } from './endpoint.js';
import { EndpointSet, without } from './endpoint-set.js';
import { SubchannelQueue } from './subchannel-queue.js';

/** Takes no settings of its own: they come with the link, so that both doors give them in the same place. */
export class HeadlessLoadBalancingConfig implements TypedLoadBalancingConfig {
  getLoadBalancerName(): string {
    return BALANCER_NAME;
  }

  toJsonObject(): object {
    return { [BALANCER_NAME]: {} };
  }

  static createFromJson(): HeadlessLoadBalancingConfig {
    return new HeadlessLoadBalancingConfig();
  }
}

/** Made with the first set, which brings the link and the options. */
interface Parts {
  readonly link: ChannelContext;
  readonly drain: Drain;
  readonly nursery: SubchannelQueue;
}

export class HeadlessLoadBalancer implements LoadBalancer, BalancerView, EndpointOwner {
  readonly #helper: ChannelControlHelper;
  readonly #roster = new EndpointSet();
  #parts: Parts | null = null;
  /** Pods of the set that take calls. Never changed in place: pickers hold it. */
  #ready: readonly Endpoint[] = [];
  /** Pods that left, and serve because nothing else does. */
  #lastResort: readonly Endpoint[] = [];
  /** Pods of the set that still try to connect for the first time. */
  readonly #trying = new Set<Endpoint>();
  #picker: PolicyPicker | null = null;
  /** The last connection attempt that failed, with the pod's address. */
  #lastFailure = 'none was given';
  /** Why there is no set; the note of the last update. */
  #note = '';

  constructor(helper: ChannelControlHelper) {
    this.#helper = helper;
  }

  getTypeName(): string {
    return BALANCER_NAME;
  }

  updateAddressList(
    list: StatusOrEndpoints,
    _config: TypedLoadBalancingConfig,
    options: ChannelOptions,
    note: string,
  ): boolean {
    const link = options[CHANNEL_CONTEXT_KEY] as ChannelContext | undefined;
    // Another resolver's addresses: only ours brings the link.
    if (!link) return false;
    const { drain, nursery } = this.#partsFor(link, options);
    if (!list.ok) {
      this.#note = list.error.details ?? '';
      // A failure never empties a working set; without one it is what calls should hear of.
      if (this.#roster.listed === 0) this.#publish();
      return true;
    }
    this.#note = note;
    const { added, removed, returned, leaving } = this.#roster.call(list.value, link.change);
    if (!removed) nursery.clear();
    nursery.change(added, removed ?? []);

    for (const endpoint of returned) drain.cancel(endpoint);
    // What left keeps its place in the picker until the new one is out, then drains.
    for (const endpoint of leaving) {
      endpoint.draining = true;
      this.#trying.delete(endpoint);
    }
    if (returned.length > 0 || leaving.length > 0 || this.#ready.length === 0) {
      for (const endpoint of leaving) endpoint.inPicker = false;
      const back = returned.filter((endpoint) => endpoint.usable);
      for (const endpoint of back) endpoint.inPicker = true;
      this.#ready = without(this.#ready, leaving).concat(back);
      this.#publish(leaving);
    }
    for (const endpoint of leaving) drain.begin(endpoint);
    return true;
  }

  /** Every pod is kept connected at all times, so there is nothing to wake. */
  exitIdle(): void {}

  /** grpc-js offers balancers no way to reset a subchannel's backoff; round_robin does nothing here either. */
  resetBackoff(): void {}

  destroy(): void {
    const parts = this.#parts;
    if (!parts) return;
    this.#parts = null;
    parts.nursery.clear();
    parts.drain.clear();
    for (const endpoint of this.#roster.endpoints()) this.#release(endpoint);
    this.#roster.clear();
    this.#trying.clear();
    if (parts.link.balancer === this) parts.link.balancer = null;
  }

  endpoints(): EndpointSnapshot[] {
    return Array.from(this.#roster.endpoints(), (endpoint) => endpoint.snapshot());
  }

  wallTime(): number {
    return this.#parts?.link.runtime.clock.wallTime() ?? 0;
  }

  onConnectionChange(endpoint: Endpoint, change: ConnectionChange): void {
    if (!this.#parts) return;
    const { link, drain } = this.#parts;
    if (endpoint.draining) {
      if (endpoint.connection !== 'ready') drain.finish(endpoint);
      else if (this.#lastResort.includes(endpoint) !== endpoint.usable) this.#publish();
      return;
    }
    if (endpoint.connection === 'connecting') this.#trying.add(endpoint);
    else this.#trying.delete(endpoint);
    if (endpoint.connection === 'backoff') this.#lastFailure = `${endpoint.address}: ${endpoint.lastError}`;
    if (endpoint.usable !== endpoint.inPicker) {
      endpoint.inPicker = endpoint.usable;
      this.#ready = endpoint.inPicker ? [...this.#ready, endpoint] : without(this.#ready, [endpoint]);
      this.#publish();
    } else if (this.#ready.length === 0) this.#publish();
    if (change === 'up') link.counters.connected += 1;
    if (change === 'lost') link.counters.connectionsLost += 1;
    if (endpoint.connection !== 'ready') endpoint.connect();
    // A pod that was lost, or cannot be reached, may be gone from DNS already.
    if (change === 'lost' || endpoint.connection === 'backoff') link.requestReresolution();
  }

  onCallsFinished(endpoint: Endpoint): void {
    if (endpoint.draining) this.#parts?.drain.onCallsFinished(endpoint);
  }

  #partsFor(link: ChannelContext, options: ChannelOptions): Parts {
    if (this.#parts) return this.#parts;
    const drain = new Drain({
      lingerMs: link.settings.lingerMs,
      clock: link.runtime.clock,
      counters: link.counters,
      isLastResort: (endpoint) => this.#lastResort.includes(endpoint),
      release: (endpoint) => {
        this.#roster.delete(endpoint);
        this.#release(endpoint);
        if (this.#lastResort.includes(endpoint)) this.#publish();
      },
    });
    const nursery = new SubchannelQueue({
      options,
      helper: this.#helper,
      clock: link.runtime.clock,
      owner: this,
      has: (address) => this.#roster.has(address),
      onCreated: (endpoint) => this.#adopt(endpoint),
    });
    this.#parts = { link, drain, nursery };
    link.balancer = this;
    return this.#parts;
  }

  #adopt(endpoint: Endpoint): void {
    this.#roster.add(endpoint);
    if (endpoint.connection === 'connecting') this.#trying.add(endpoint);
    this.#helper.addChannelzChild(endpoint.channelzRef);
    // Another channel may have it connected already.
    if (endpoint.connection === 'ready') this.onConnectionChange(endpoint, 'up');
    else endpoint.connect();
  }

  #release(endpoint: Endpoint): void {
    this.#helper.removeChannelzChild(endpoint.channelzRef);
    endpoint.release();
  }

  /** Tells grpc-js the channel's state, with the picker that goes with it. `leaving` are about to drain. */
  #publish(leaving: readonly Endpoint[] = []): void {
    if (!this.#parts) return;
    const { link, drain, nursery } = this.#parts;
    const resorted = this.#lastResort.length > 0;
    // An empty set was asked for (`empty: 'drop'`); a set that cannot be reached was not.
    const serves = this.#ready.length > 0 || this.#roster.listed === 0;
    this.#lastResort = serves ? [] : [...drain.endpoints(), ...leaving].filter((endpoint) => endpoint.usable);
    const candidates = this.#ready.length > 0 ? this.#ready : this.#lastResort;
    link.setReady(this.#ready.length > 0);
    if (candidates.length > 0) {
      this.#picker = link.settings.policy(candidates, this.#picker, link.runtime);
      this.#helper.updateState(connectivityState.READY, this.#picker, null);
      // What only stayed because nothing else served may go now.
      if (resorted && this.#lastResort.length === 0) drain.reevaluate();
      return;
    }
    this.#picker = null;
    if (nursery.size > 0 || this.#trying.size > 0)
      this.#helper.updateState(connectivityState.CONNECTING, queuePicker, null);
    else {
      const message = this.#explain(link);
      this.#helper.updateState(connectivityState.TRANSIENT_FAILURE, unavailablePicker(message), message);
    }
  }

  #explain(link: ChannelContext): string {
    const { authority } = link.settings;
    if (this.#roster.listed === 0) return `headless: no address for ${authority}: ${this.#note || 'the set is empty'}`;
    const dns = link.poller.lastError ? `; the last DNS query failed too: ${link.poller.lastError.message}` : '';
    return `headless: no connection to any of the ${this.#roster.listed} pods of ${authority}. Last error: ${this.#lastFailure}${dns}`;
  }
}
