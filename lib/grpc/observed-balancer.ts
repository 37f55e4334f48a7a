/**
 * A balancer of grpc-js that the user's service config names in the place of ours, made and fed as grpc-js would, and
 * observed: which pods it has, in which state, and the calls that it sends them. It decides everything itself.
 */
import { type ChannelOptions, connectivityState, status } from '@grpc/grpc-js';
import { formatHostPort } from '../address.js';
import { NO_REASON } from '../balancer/connection-errors.js';
import { unfinished } from '../balancer/unready-reason.js';
import { ConnectionError } from '../errors.js';
import type { Emit } from '../telemetry/events.js';
import type { CallCounts, CountedCalls } from '../telemetry/released-pods.js';
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
    for (const pod of this.#pods.values()) this.#release(pod);
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
    if (pod.listed || pod.inFlight > 0 || this.#pods.get(pod.name) !== pod) return;
    this.#release(pod);
    if (this.#lastFailure === pod) this.#lastFailure = null;
  }

  #release(pod: ObservedPod): void {
    pod.observe(null);
    this.#pods.delete(pod.name);
    this.#context.onPodReleased(pod.name, pod);
  }

  #podOf(name: string): ObservedPod {
    const known = this.#pods.get(name);
    if (known) return known;
    const { runtime, emit } = this.#context.parts;
    const pod = new ObservedPod(name, runtime.clock, emit, () => {
      this.#lastFailure = pod;
    });
    this.#pods.set(name, pod);
    return pod;
  }

  /**
   * Calls are counted as they begin and end; what the balancer itself wants to be told of them, it is told. An old picker may
   * choose a pod that is forgotten already: its calls count for the channel alone.
   */
  #counted(picker: Picker): Picker {
    const { calls } = this.#context.parts;
    return {
      pick: (args) => {
        const result = picker.pick(args);
        if (!result.subchannel || result.pickResultType !== PickResultType.COMPLETE) return result;
        const pod = this.#pods.get(result.subchannel.getAddress());
        const counted: PickResult = {
          ...result,
          onCallStarted: () => {
            calls.callsStarted += 1;
            pod?.onStarted();
            result.onCallStarted?.();
          },
          onCallEnded: (code, details, metadata) => {
            if (code === status.OK) calls.callsSucceeded += 1;
            else calls.callsFailed += 1;
            pod?.onEnded(code);
            result.onCallEnded?.(code, details, metadata);
            if (pod) this.#forgetIfGone(pod);
          },
        };
        return counted;
      },
    };
  }
}

/** What has been seen of one pod. */
class ObservedPod implements CountedCalls {
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
  readonly #emit: Emit;
  readonly #onFailure: () => void;
  /** The last one that the balancer made: round_robin makes a new one at each update. */
  #subchannel: Subchannel | null = null;
  #state: connectivityState = connectivityState.IDLE;

  constructor(name: string, clock: { wallTime(): number }, emit: Emit, onFailure: () => void) {
    this.name = name;
    this.#emit = emit;
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

  onStarted(): void {
    this.started += 1;
    this.inFlight += 1;
  }

  onEnded(code: status): void {
    this.inFlight -= 1;
    if (code === status.OK) this.succeeded += 1;
    else this.failed += 1;
  }

  get counts(): CallCounts {
    const { inFlight, started, succeeded, failed } = this;
    return { inFlight, started, succeeded, failed };
  }

  snapshot(): EndpointSnapshot {
    const { name, state, counts, since, lastError } = this;
    return {
      address: name,
      state,
      ...counts,
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
    if (next === connectivityState.TRANSIENT_FAILURE && next !== this.#state)
      this.#emit({ kind: 'connection_failed', address: this.name, error: message || NO_REASON });
    this.#become(next);
  };

  #become(state: connectivityState): void {
    if (state === connectivityState.READY) this.lastError = null;
    if (state === this.#state) return;
    const wasReady = this.#state === connectivityState.READY;
    this.#state = state;
    this.since = this.#clock.wallTime();
    if (state === connectivityState.READY) this.#emit({ kind: 'connected', address: this.name });
    else if (wasReady && this.listed) this.#emit({ kind: 'connection_lost', address: this.name });
  }
}
