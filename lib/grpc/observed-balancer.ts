/**
 * A balancer of grpc-js that the user's service config names in the place of ours, made and fed as grpc-js would, and
 * observed: which pods it has, in which state, and the calls that it sends them. It decides everything itself.
 */
import { type ChannelOptions, connectivityState, status } from '@grpc/grpc-js';
import { formatHostPort } from '../address.js';
import { unfinished } from '../balancer/unready-reason.js';
import { ConnectionError } from '../errors.js';
import type { EndpointSnapshot } from '../telemetry/snapshot.js';
import type { BalancerView, ChannelContext } from './channel-context.js';
import {
  type ChannelControlHelper,
  ChildLoadBalancerHandler,
  type GrpcEndpoint,
  type Picker,
  type PickResult,
  PickResultType,
  type StatusOrEndpoints,
  type Subchannel,
  type TypedLoadBalancingConfig,
} from './experimental.js';

const STATES: Readonly<Record<connectivityState, EndpointSnapshot['state']>> = {
  [connectivityState.IDLE]: 'idle',
  [connectivityState.CONNECTING]: 'connecting',
  [connectivityState.READY]: 'ready',
  [connectivityState.TRANSIENT_FAILURE]: 'backoff',
  [connectivityState.SHUTDOWN]: 'idle',
};

export class ObservedBalancer implements BalancerView {
  readonly #context: ChannelContext;
  readonly #child: InstanceType<typeof ChildLoadBalancerHandler>;
  readonly #pods = new Map<string, ObservedPod>();
  #lastFailure: ObservedPod | null = null;
  #state: connectivityState = connectivityState.CONNECTING;
  #message: string | null = null;

  constructor(context: ChannelContext, helper: ChannelControlHelper) {
    this.#context = context;
    this.#child = new ChildLoadBalancerHandler({
      createSubchannel: (address, args) => {
        const subchannel = helper.createSubchannel(address, args);
        if ('port' in address) this.#podOf(formatHostPort(address.host, address.port)).observe(subchannel);
        return subchannel;
      },
      updateState: (state, picker, message) => {
        this.#state = state;
        this.#message = message;
        context.setReady(state === connectivityState.READY);
        helper.updateState(state, state === connectivityState.READY ? this.#counted(picker) : picker, message);
      },
      requestReresolution: () => helper.requestReresolution(),
      addChannelzChild: (child) => helper.addChannelzChild(child),
      removeChannelzChild: (child) => helper.removeChannelzChild(child),
    });
  }

  update(list: StatusOrEndpoints, config: TypedLoadBalancingConfig, options: ChannelOptions, note: string): boolean {
    if (list.ok) this.#keep(list.value);
    return this.#child.updateAddressList(list, config, options, note);
  }

  /** Only our own balancer keeps account of streams. */
  watchStreams(): void {}

  exitIdle(): void {
    this.#child.exitIdle();
  }

  resetBackoff(): void {
    this.#child.resetBackoff();
  }

  destroy(): void {
    this.#child.destroy();
    for (const pod of this.#pods.values()) pod.observe(null);
    this.#pods.clear();
  }

  endpoints(): EndpointSnapshot[] {
    return Array.from(this.#pods.values(), (pod) => pod.snapshot());
  }

  waitingReason(): string | null {
    if (this.#state === connectivityState.READY) return null;
    const { parts, otherBalancer } = this.#context;
    const cause = this.connectionError()?.message ?? this.#message ?? 'no pod is known';
    return `headless: ${otherBalancer} has no READY pod of ${parts.authority}: ${cause}`;
  }

  connectionError(): ConnectionError | null {
    if (this.#lastFailure) return new ConnectionError(this.#lastFailure.name, this.#lastFailure.lastError);
    for (const { name, state, since } of this.#pods.values())
      if (state === 'connecting')
        return new ConnectionError(name, unfinished(this.#context.parts.runtime.clock.wallTime() - since));
    return null;
  }

  /** Pods that left stay while calls are under way to them. */
  #keep(endpoints: readonly GrpcEndpoint[]): void {
    const listed = new Set<string>();
    for (const { addresses } of endpoints)
      for (const address of addresses) if ('port' in address) listed.add(formatHostPort(address.host, address.port));
    for (const name of listed) this.#podOf(name).listed = true;
    for (const [name, pod] of this.#pods) {
      if (listed.has(name)) continue;
      pod.listed = false;
      this.#forgetIfGone(pod);
    }
  }

  #forgetIfGone(pod: ObservedPod): void {
    if (pod.listed || pod.inFlight > 0) return;
    pod.observe(null);
    this.#pods.delete(pod.name);
    if (this.#lastFailure === pod) this.#lastFailure = null;
  }

  #podOf(name: string): ObservedPod {
    const known = this.#pods.get(name);
    if (known) return known;
    const pod = new ObservedPod(name, this.#context.parts.runtime.clock, () => {
      this.#lastFailure = pod;
    });
    this.#pods.set(name, pod);
    return pod;
  }

  /** Calls are counted as they begin and end; what the balancer itself wants to be told of them, it is told. */
  #counted(picker: Picker): Picker {
    return {
      pick: (args) => {
        const result = picker.pick(args);
        const pod = result.subchannel ? this.#pods.get(result.subchannel.getAddress()) : undefined;
        if (!pod || result.pickResultType !== PickResultType.COMPLETE) return result;
        const counted: PickResult = {
          ...result,
          onCallStarted: () => {
            pod.started += 1;
            pod.inFlight += 1;
            result.onCallStarted?.();
          },
          onCallEnded: (code, details, metadata) => {
            pod.inFlight -= 1;
            if (code === status.OK) pod.succeeded += 1;
            else pod.failed += 1;
            result.onCallEnded?.(code, details, metadata);
            this.#forgetIfGone(pod);
          },
        };
        return counted;
      },
    };
  }
}

/** What has been seen of one pod. */
class ObservedPod {
  /** `"ip:port"`, or `"[v6]:port"`. */
  readonly name: string;
  /** In the last set. */
  listed = false;
  inFlight = 0;
  started = 0;
  succeeded = 0;
  failed = 0;
  since: number;
  lastError: string | null = null;
  readonly #clock: { wallTime(): number };
  readonly #onFailure: () => void;
  /** The last one that the balancer made: round_robin makes a new one at each update. */
  #subchannel: Subchannel | null = null;
  #state: connectivityState = connectivityState.IDLE;

  constructor(name: string, clock: { wallTime(): number }, onFailure: () => void) {
    this.name = name;
    this.since = clock.wallTime();
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  get state(): EndpointSnapshot['state'] {
    return this.listed ? STATES[this.#state] : 'draining';
  }

  /** @param subchannel null: there is no more to see. */
  observe(subchannel: Subchannel | null): void {
    this.#subchannel?.removeConnectivityStateListener(this.#onState);
    this.#subchannel = subchannel;
    if (!subchannel) return;
    subchannel.addConnectivityStateListener(this.#onState);
    this.#become(subchannel.getConnectivityState());
  }

  snapshot(): EndpointSnapshot {
    const { name, state, inFlight, started, succeeded, failed, since, lastError } = this;
    return {
      address: name,
      state,
      inFlight,
      started,
      succeeded,
      failed,
      since,
      zone: null,
      weight: null,
      lastError,
      health: null,
      ejected: null,
    };
  }

  readonly #onState = (
    _subchannel: Subchannel,
    _previous: connectivityState,
    next: connectivityState,
    _keepaliveTime: number,
    message?: string,
  ): void => {
    if (message) {
      this.lastError = message;
      this.#onFailure();
    }
    this.#become(next);
  };

  #become(state: connectivityState): void {
    if (state === connectivityState.READY) this.lastError = null;
    if (state === this.#state) return;
    this.#state = state;
    this.since = this.#clock.wallTime();
  }
}
