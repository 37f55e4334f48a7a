/**
 * Whole sets in, pickers out. It makes a subchannel for an added address only, drains what left, and reports the
 * channel's state as gRPC's round_robin has it: READY if any endpoint is, else CONNECTING if any still tries for the
 * first time, else TRANSIENT_FAILURE.
 */
import { connectivityState } from '@grpc/grpc-js';
import type { Address } from '../address.js';
import type { ConnectionError } from '../errors.js';
import type { Subchannel } from '../grpc/experimental.js';
import type { HealthMonitor } from '../health/health-monitor.js';
import type { Picker, Policy } from '../picker/policy.js';
import { queuePicker, unavailablePicker } from '../picker/static-pickers.js';
import type { Runtime } from '../runtime.js';
import type { CallCounters } from '../telemetry/counters.js';
import type { EndpointEvent } from '../telemetry/events.js';
import type { EndpointSnapshot } from '../telemetry/snapshot.js';
import type { DrainSettings } from './drain.js';
import { Endpoint } from './endpoint.js';
import type { EndpointAddress } from './endpoint-address.js';
import type { EndpointContext } from './endpoint-context.js';
import { EndpointSet } from './endpoint-set.js';
import { type EndpointStateKind, isConnected } from './endpoint-state.js';
import type { LoadBalancerContext } from './load-balancer-context.js';
import { Panic } from './panic.js';
import { PodSnapshots } from './pod-snapshots.js';
import { Selection } from './selection.js';
import { StreamBalance, streamCounts } from './stream-balance.js';
import { SubchannelQueue } from './subchannel-queue.js';
import { type UnreadyChannel, UnreadyReason } from './unready-reason.js';

export class LoadBalancer implements EndpointContext {
  readonly clock: Runtime['clock'];
  readonly drain: DrainSettings;
  readonly monitors: readonly HealthMonitor[];
  readonly calls: CallCounters;
  readonly callAuthority: string;
  tracksCalls: boolean;
  readonly #context: LoadBalancerContext;
  readonly #set = new EndpointSet((address) => new Endpoint(address, this));
  readonly #queue: SubchannelQueue;
  readonly #policy: Policy;
  /** null: one connection to every pod of the set. */
  readonly #selection: Selection | null;
  readonly #podSnapshots = new PodSnapshots();
  /** The whole set. */
  #addresses: readonly Address[] = [];
  /** Those that take calls. Never changed in place: pickers hold it. */
  #ready: readonly Endpoint[] = [];
  /** Left the set, and take calls because no endpoint of the set does. */
  #lastResort: readonly Endpoint[] = [];
  /** Try to connect for the first time, or are connected and still to be found healthy. */
  readonly #connecting = new Set<Endpoint>();
  /** Connected, and must not take calls. */
  readonly #unhealthy = new Set<Endpoint>();
  readonly #panic: Panic;
  readonly #draining = new Set<Endpoint>();
  /** Draining endpoints were kept beyond their drain, because no endpoint of the set took calls. */
  #keptDraining = false;
  #picker: Picker | null = null;
  /** null until someone wants to be told of imbalance. */
  #streamBalance: StreamBalance | null = null;
  readonly #unreadyReason = new UnreadyReason();
  /** Why there is no set; the note of the last update. */
  #note = '';
  /** A set is being applied: `update` itself makes the list of ready endpoints and the picker, once. */
  #updating = false;
  #destroyed = false;

  constructor(context: LoadBalancerContext) {
    this.#context = context;
    this.clock = context.runtime.clock;
    this.drain = context.drain;
    this.tracksCalls = context.drain.timeoutMs !== null;
    this.monitors = context.monitors;
    this.calls = context.calls;
    this.callAuthority = context.callAuthority;
    this.#queue = new SubchannelQueue(this.clock);
    this.#panic = new Panic(this.clock, {
      onDue: () => this.#publish(),
      onChange: (active, addresses) => this.emit({ kind: 'panic', active, addresses }),
    });
    this.#selection = Selection.of({
      runtime: context.runtime,
      settings: context.selection,
      streamLimit: ({ subchannel }) => context.streamLimit(subchannel),
      endpointAt: (address) => this.#set.get(address),
      onChange: () => this.#apply(),
      onGivenUp: () => {
        if (!this.#updating && !this.#destroyed) this.#publish();
      },
    });
    this.#policy = this.#selection?.policyOver(context.policy) ?? context.policy;
  }

  /** @param note why the set is empty, where it is. */
  update(addresses: readonly Address[], note: string): void {
    this.#note = note;
    this.#addresses = addresses;
    this.#apply();
  }

  #apply(): void {
    const selected = this.#selection?.select(this.#addresses) ?? this.#addresses;
    const { added, returned, leaving, rezoned } = this.#set.update(selected);
    for (const endpoint of added) endpoint.joinsSetInUse = this.#ready.length > 0;
    this.#queue.add(added);
    this.#updating = true;
    for (const endpoint of returned) endpoint.cancelDrain();
    for (const endpoint of leaving) {
      this.#queue.delete(endpoint);
      this.#connecting.delete(endpoint);
    }
    if (returned.length > 0 || leaving.length > 0) {
      const back = returned.filter(({ state }) => state === 'ready');
      this.#ready = this.#ready.filter((endpoint) => this.#set.has(endpoint)).concat(back);
    }
    // What left keeps its place in the old picker until the new one is out, then drains.
    if (returned.length > 0 || leaving.length > 0 || rezoned || this.#ready.length === 0) this.#publish(leaving);
    // One that drains because it is not needed may leave DNS, too.
    for (const endpoint of this.#selection ? [...this.#draining, ...leaving] : leaving)
      endpoint.drain(this.#selection?.lists(endpoint.address));
    this.#updating = false;
  }

  /** There is no set. A failure never empties a working one; without one, calls should fail with its cause. */
  fail(details: string): void {
    this.#note = details;
    if (this.#set.listed === 0) this.#publish();
  }

  /** Those with a subchannel. */
  endpoints(): EndpointSnapshot[] {
    const snapshots = Array.from(this.#set.endpoints())
      .filter(({ state }) => state !== 'queued')
      .map((endpoint) => endpoint.snapshot());
    return this.#context.selection.connections > 1 ? this.#podSnapshots.merge(snapshots) : snapshots;
  }

  /** Why calls wait, or fail; null while an endpoint takes calls. */
  waitingReason(): string | null {
    return this.#picker === null ? this.#unreadyReason.text(this.#unready) : null;
  }

  /** The last attempt to connect that failed, or else the one that has been without a result for the longest time. */
  connectionError(): ConnectionError | null {
    return this.#unreadyReason.connectionError(this.#unready);
  }

  /** From now on events tell which endpoints hold more than their share of streams. Idempotent. */
  watchStreams(): void {
    if (this.#streamBalance) return;
    const { emit } = this.#context;
    this.tracksCalls = true;
    for (const endpoint of this.#set.endpoints()) endpoint.trackCalls();
    this.#streamBalance = new StreamBalance(
      this.clock,
      () => streamCounts(this.#picker, this.#ready),
      (imbalance) => emit({ kind: 'streams_uneven', ...imbalance }),
    );
  }

  destroy(): void {
    this.#destroyed = true;
    this.#streamBalance?.stop();
    this.#panic.stop();
    this.#selection?.stop();
    this.#queue.clear();
    for (const endpoint of [...this.#set.endpoints()]) endpoint.release();
    this.#set.clear();
  }

  createSubchannel(address: EndpointAddress): Subchannel {
    const subchannel = this.#context.createSubchannel(address);
    this.#context.helper.addChannelzChild(subchannel.getChannelzRef());
    return subchannel;
  }

  onSubchannelReleased(subchannel: Subchannel): void {
    this.#context.helper.removeChannelzChild(subchannel.getChannelzRef());
  }

  emit(event: EndpointEvent): void {
    this.#context.emit(event);
  }

  isLastResort(endpoint: Endpoint): boolean {
    return this.#lastResort.includes(endpoint);
  }

  onStateChange(endpoint: Endpoint, previous: EndpointStateKind): void {
    const { state } = endpoint;
    if (state === 'backoff') this.#unreadyReason.noteFailure(endpoint);
    else if (state === 'released' || isConnected(state)) this.#unreadyReason.forgetFailure(endpoint);
    if (state === 'connecting' || state === 'checking') this.#connecting.add(endpoint);
    else this.#connecting.delete(endpoint);
    if (state === 'unhealthy') this.#unhealthy.add(endpoint);
    else this.#unhealthy.delete(endpoint);
    if (state === 'draining') this.#draining.add(endpoint);
    else this.#draining.delete(endpoint);
    if (state === 'released') this.#onReleased(endpoint);
    if (this.#destroyed || this.#updating) return;
    // A pod that says that it is going may be gone from DNS, and another may have come in its place.
    if (state === 'unhealthy' && previous === 'ready') this.#context.discovery.requestReresolution();
    this.#selection?.onStateChange(endpoint, previous);
    if (state === 'ready') this.#ready = [...this.#ready, endpoint];
    else if (previous === 'ready') this.#ready = without(this.#ready, endpoint);
    else if (this.#ready.length > 0) return;
    else if (state !== 'unhealthy' && previous !== 'unhealthy') {
      if (this.isLastResort(endpoint) === (state === 'draining' && endpoint.usable)) return;
    }
    this.#publish();
  }

  #onReleased(endpoint: Endpoint): void {
    this.#set.delete(endpoint);
    const { connections } = this.#context.selection;
    const { host, port } = endpoint.address;
    let last = this.#set.get({ host, port }) === undefined;
    for (let connection = 1; connection < connections; connection++)
      last &&= this.#set.get({ host, port, connection }) === undefined;
    const calls = connections === 1 ? endpoint : this.#podSnapshots.onReleased(endpoint, last);
    if (last) this.#context.onPodReleased(endpoint.name, calls);
  }

  onSubchannelState(endpoint: Endpoint, previous: EndpointStateKind): void {
    if (this.#destroyed) return;
    const { state } = endpoint;
    if (state === 'backoff') this.#unreadyReason.noteFailure(endpoint);
    if (this.#ready.length === 0) this.#publish();
    if (isConnected(state)) return;
    endpoint.connect();
    // A pod that was lost, or cannot be reached, may be gone from DNS already.
    const lost = isConnected(previous);
    if (lost || state === 'backoff') this.#context.discovery.requestReresolution();
  }

  /** Tells grpc-js the channel's state, with the picker that goes with it. `leaving` are about to drain. */
  #publish(leaving: readonly Endpoint[] = []): void {
    const { runtime, helper, discovery } = this.#context;
    // An empty set was asked for (`empty: 'drop'`); a set that cannot be reached was not.
    const needsLastResort = this.#ready.length === 0 && this.#set.listed > 0;
    this.#keptDraining ||= needsLastResort;
    this.#lastResort = needsLastResort ? [...this.#draining, ...leaving].filter(({ usable }) => usable) : [];
    const unhealthy = needsLastResort && this.#lastResort.length === 0 ? this.#findUnhealthy() : [];
    const panicking = this.#panic.update(unhealthy, this.#queue.size > 0 || this.#connecting.size > 0);
    const candidates = [this.#ready, this.#lastResort].find(({ length }) => length > 0) ?? panicking;
    discovery.setReady(this.#ready.length > 0);
    if (candidates.length > 0) {
      this.#picker = this.#policy.createPicker(candidates, this.#picker, runtime);
      this.#streamBalance?.endpointsChanged();
      helper.updateState(connectivityState.READY, this.#picker, null);
    } else {
      this.#picker = null;
      this.#reportUnready();
    }
    if (needsLastResort || !this.#keptDraining) return;
    this.#keptDraining = false;
    for (const endpoint of [...this.#draining]) endpoint.endLastResort();
  }

  /** Connected endpoints of the set that may not take calls, unless in panic. */
  #findUnhealthy(): Endpoint[] {
    return [...this.#unhealthy].filter((endpoint) => endpoint.usableInPanic && this.#set.has(endpoint));
  }

  #reportUnready(): void {
    const { helper } = this.#context;
    if (this.#queue.size > 0 || this.#connecting.size > 0) {
      helper.updateState(connectivityState.CONNECTING, queuePicker, null);
      return;
    }
    const message = this.#unreadyReason.text(this.#unready);
    helper.updateState(connectivityState.TRANSIENT_FAILURE, unavailablePicker(message), message);
  }

  get #unready(): UnreadyChannel {
    const { authority, discovery } = this.#context;
    const { listed } = this.#set;
    return {
      authority,
      listed,
      pods: this.#selection?.pods ?? listed,
      note: this.#note,
      connecting: this.#connecting,
      dnsError: discovery.lastError,
      now: this.clock.wallTime(),
    };
  }
}

/** A copy without one element. A search by identity and a copy of memory cost far less than `filter`'s calls. */
function without<T>(list: readonly T[], element: T): readonly T[] {
  const copy = list.slice();
  const place = copy.indexOf(element);
  if (place >= 0) copy.splice(place, 1);
  return copy;
}
