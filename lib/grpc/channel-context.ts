/**
 * What the parts of one channel share across grpc-js: grpc-js itself makes the resolver and the balancer, by name, and
 * gives them no reference to each other or to the channel around them. The context travels in the channel's options.
 */
import type { Address } from '../address.js';
import type { DrainSettings } from '../balancer/drain.js';
import type { SelectionSettings } from '../balancer/selection.js';
import type { AddressFilter, AddressSource, AddressUpdate, Subscription } from '../discovery/address-source.js';
import { type ConnectionError, DnsError, HeadlessError } from '../errors.js';
import type { HealthMonitor } from '../health/health-monitor.js';
import type { Policy } from '../picker/policy.js';
import { keepingProcessAlive, type Runtime } from '../runtime.js';
import type { BalancerCounters, CallCounters } from '../telemetry/counters.js';
import type { Emit } from '../telemetry/events.js';
import { addChannel, type ChannelView } from '../telemetry/open-channels.js';
import { type CountedCalls, tellPodReleased } from '../telemetry/released-pods.js';
import type { DiscoveryStatus, EndpointSnapshot, Snapshot } from '../telemetry/snapshot.js';
import { PRIVATE_KEY_PREFIX } from './experimental.js';
import { BALANCER_NAME, type RetrySettings } from './service-config.js';

/** The channel option that holds the context; grpc-js keeps keys of this prefix away from the subchannels. */
export const CHANNEL_CONTEXT_KEY = `${PRIVATE_KEY_PREFIX}.headless_context`;

/** The parts that `compose.ts` chose for a channel. */
export interface ChannelParts {
  /** As the channel's `getTarget()` returns it. */
  readonly target: string;
  /** `name:port`, for messages. */
  readonly authority: string;
  readonly source: AddressSource;
  /** Applied in this order to every set. */
  readonly filters: readonly AddressFilter[];
  readonly policy: Policy;
  /** Makes of the policy one for calls that may have several attempts: each goes to another endpoint. */
  readonly forRetries: (policy: Policy) => Policy;
  /** The option `retry`; null where it is not set. */
  readonly retry: RetrySettings | null;
  readonly monitors: readonly HealthMonitor[];
  readonly drain: DrainSettings;
  readonly selection: SelectionSettings;
  readonly runtime: Runtime;
  readonly emit: Emit;
  readonly counters: Readonly<BalancerCounters>;
  readonly calls: CallCounters;
}

/** What a snapshot asks of the balancer. */
export interface BalancerView {
  endpoints(): EndpointSnapshot[];
  /** Why calls wait, or fail; null while an endpoint takes calls. */
  waitingReason(): string | null;
  /** The last attempt to connect that failed, or that has had no result for long; null where there is none. */
  connectionError(): ConnectionError | null;
  watchStreams(): void;
}

/** The channel itself, where the context has it. */
export interface ChannelHandle {
  state(): Snapshot['state'];
  /** Leaves the state IDLE. */
  connect(): void;
}

export class ChannelContext {
  readonly parts: ChannelParts;
  readonly view: ChannelView;
  /** The balancer in use; null while the channel is idle. */
  balancer: BalancerView | null = null;
  /** The name of the balancer that the user's service config puts in the place of ours; null: ours is in use. */
  otherBalancer: string | null = null;
  /** null for a channel that grpc-js makes: it gives resolvers and balancers no reference to it. */
  channel: ChannelHandle | null = null;
  /** What the balancer in use reported last; null before its first report. */
  balancerState: Exclude<Snapshot['state'], 'SHUTDOWN'> | null = null;
  /** Some calls are retried or hedged: each attempt should go to another pod. */
  hasSeveralAttempts = false;
  /** grpc-js asks us for the channel's addresses. False where it connects the channel to a proxy. */
  hasResolver = false;
  /** Someone wants to be told which endpoints hold more than their share of streams. */
  streamsWatched = false;
  /** Of the updates under way, from `open` to `close`. */
  #turn: object | null = null;
  /** Its subscription, once the source has given it. */
  #subscription: Subscription | null = null;
  #closed = false;
  #removeFromOpen: (() => void) | null = null;

  /** Of the last set, kept while the channel is idle. */
  #source: DiscoveryStatus['source'] = null;

  constructor(parts: ChannelParts) {
    this.parts = parts;
    this.view = { target: parts.target, snapshot: () => this.snapshot(), refresh: () => this.refresh() };
  }

  /** Starts the updates, with whole sets after the filters. Events are emitted before the listener is called. */
  open(listener: (update: AddressUpdate) => void): void {
    if (this.isOpen) return;
    const { source, filters } = this.parts;
    const turn = {};
    this.#turn = turn;
    // Who is told of an event may close the channel: nothing follows then.
    const emit: Emit = (event) => {
      if (this.#turn === turn) this.parts.emit(event);
    };
    let addresses: readonly Address[] = [];
    let fallback: string | null = null;
    const subscription = source.subscribe(({ addresses: unfiltered, changed, error, zoneFallback = null, origin }) => {
      if (changed) addresses = filters.reduce((set, filter) => filter(set), unfiltered);
      if (origin?.source && origin.source !== this.#source) {
        this.#source = origin.source;
        emit({ kind: 'source_changed', source: origin.source, error: origin.error });
      }
      if (error instanceof DnsError) {
        const { failures } = source.status;
        emit({ kind: 'resolution_failed', error, failures, kept: addresses.length });
      }
      if (zoneFallback !== fallback)
        emit({ kind: 'zone_fallback', zone: zoneFallback ?? fallback ?? '', active: zoneFallback !== null });
      fallback = zoneFallback;
      if (changed) emit({ kind: 'addresses_changed', addresses });
      if (this.#turn === turn) listener({ addresses, changed, error });
    });
    if (this.#turn === turn) this.#subscription = subscription;
    else subscription.end();
  }

  /** Ends the updates: the channel becomes idle, or is closed. */
  close(): void {
    this.#turn = null;
    this.#subscription?.end();
    this.#subscription = null;
  }

  get isOpen(): boolean {
    return this.#turn !== null;
  }

  /** For good, as far as is known: one that grpc-js made may only be idle. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** The channel exists: from now on it is in the list of open channels. Idempotent. */
  onChannelOpened(): void {
    if (this.#removeFromOpen !== null) return;
    this.#closed = false;
    this.#removeFromOpen = addChannel(this.view);
    this.parts.emit({ kind: 'channel_opened' });
  }

  /** The channel is closed for good. Idempotent. */
  onChannelClosed(): void {
    if (this.#removeFromOpen === null) return;
    this.#closed = true;
    this.close();
    // Whoever is told may still find it in the list.
    this.parts.emit({ kind: 'channel_closed' });
    this.#removeFromOpen();
    this.#removeFromOpen = null;
  }

  /** The balancer lets a pod go. */
  onPodReleased(address: string, calls: CountedCalls): void {
    tellPodReleased(this.view, address, calls);
  }

  snapshot(): Snapshot {
    const { target, source, counters, calls } = this.parts;
    return {
      target,
      state: this.#state,
      balancer: this.otherBalancer ?? BALANCER_NAME,
      endpoints: this.balancer?.endpoints() ?? [],
      dns: source.status,
      ...(source.discovery ? { discovery: source.discovery } : {}),
      counters: { ...source.counters, ...counters, ...calls },
    };
  }

  get #state(): Snapshot['state'] {
    if (this.channel) return this.channel.state();
    if (this.#closed) return 'SHUTDOWN';
    return this.isOpen ? (this.balancerState ?? 'CONNECTING') : 'IDLE';
  }

  requestReresolution(): void {
    this.#subscription?.requestReresolution();
  }

  async refresh(): Promise<void> {
    if (this.#closed) throw new HeadlessError('ERR_HEADLESS_CLOSED', `the channel to ${this.parts.target} is closed`);
    // An idle channel has no poller running.
    if (!this.isOpen) this.channel?.connect();
    await keepingProcessAlive(this.#subscription ? this.#subscription.refresh() : this.#refreshIdle());
  }

  /** Only a call wakes a channel that grpc-js made. Its source is asked once; nobody else may be subscribed to it. */
  async #refreshIdle(): Promise<void> {
    const subscription = this.parts.source.subscribe(() => {});
    await subscription.refresh();
    subscription.end();
  }

  /** Why calls wait for a pod, as far as it is known; null where there is nothing that they need wait for. */
  waitingReason(): string | null {
    return this.balancer?.waitingReason() ?? null;
  }

  setReady(ready: boolean): void {
    this.#subscription?.setReady(ready);
  }

  /** Costs a little for each call from now on, so it is done only where it is asked for. */
  watchStreams(): void {
    this.streamsWatched = true;
    this.balancer?.watchStreams();
  }

  /** grpc-js prints channel options when it traces. */
  toJSON(): object {
    return { authority: this.parts.authority };
  }
}
