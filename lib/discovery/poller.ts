/**
 * Asks for a name's addresses again and again, for everyone in the process who wants them, and hands out whole sets.
 * It runs while it has subscribers, remembers its set in between, and never lets a failure empty that set.
 */
import type { Address } from '../address.js';
import { toError } from '../dns/failure.js';
import { PLAIN_BITS, type QueryBits } from '../dns/message.js';
import type { NameResolver } from '../dns/name-resolver.js';
import type { Resolution, ZoneAnswer } from '../dns/resolution.js';
import type { ZoneSettings } from '../dns/settings.js';
import type { DnsError } from '../errors.js';
import type { Clock, Runtime, Timer } from '../runtime.js';
import type { DiscoveryCounter } from '../telemetry/counters.js';
import type { AddressSource, AddressUpdate, SourceStatus, Subscription } from './address-source.js';
import { addressesOf, applyResolution, EMPTY_MEMBERSHIP, type EmptyRule, type Membership } from './membership.js';
import { PollPlan } from './poll-plan.js';
import type { RefreshSettings } from './schedule.js';
import { sameZones, toAddresses } from './zone-labels.js';

type State =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'waiting'; readonly timer: Timer; readonly at: number }
  | { readonly kind: 'asking' };

interface Subscriber {
  readonly listener: (update: AddressUpdate) => void;
  ready: boolean;
  /** Of the set that it was told last. */
  version: number | null;
}

const STOPPED: State = { kind: 'stopped' };

export interface PollerSettings {
  /** The name as the user wrote it, shown until a fully qualified one has answered. */
  readonly hostname: string;
  readonly refresh: RefreshSettings;
  readonly empty: EmptyRule;
  /** The zone that the resolver asks for, to be shown. */
  readonly zone?: ZoneSettings | null | undefined;
}

export type PollerTelemetry = Pick<DiscoveryCounter, 'counters' | 'emit'>;

export class Poller implements AddressSource {
  readonly #resolver: NameResolver;
  readonly #settings: PollerSettings;
  readonly #clock: Clock;
  readonly #telemetry: PollerTelemetry;
  readonly #plan: PollPlan;
  readonly #subscribers = new Set<Subscriber>();
  #state: State = STOPPED;
  /** Of the last query. The resolver may still be at work after its answer. */
  #abort = new AbortController();
  #membership: Membership = EMPTY_MEMBERSHIP;
  #zone: ZoneAnswer | null = null;
  /** The same set with its zones, as subscribers are told it. */
  #addresses: readonly Address[] = [];
  /** Counts the changes of the set and of its zones. */
  #version = 0;
  #last: { readonly resolution: Resolution; readonly error: DnsError | null } | null = null;
  #answer: { readonly at: number; readonly wallTime: number; readonly ttlMs: number } | null = null;
  /** The set is kept up to date: a query was settled since polling started. */
  #upToDate = false;
  #waiters: (() => void)[] = [];
  #unready = false;

  /** @param telemetry is told of the polls; the resolver should emit its queries to the same one. */
  constructor(
    resolver: NameResolver,
    settings: PollerSettings,
    runtime: Pick<Runtime, 'clock' | 'random'>,
    telemetry: PollerTelemetry,
  ) {
    this.#resolver = resolver;
    this.#settings = settings;
    this.#telemetry = telemetry;
    this.#clock = runtime.clock;
    this.#plan = new PollPlan(settings.refresh, runtime.random);
  }

  /**
   * Starts polling, unless another subscriber had. A set that is being kept up to date is reported in the next microtask; one
   * remembered from before a stop only with the next answer, or its failure.
   */
  subscribe(listener: (update: AddressUpdate) => void): Subscription {
    const subscriber: Subscriber = { listener, ready: false, version: null };
    this.#subscribers.add(subscriber);
    this.#updateUnready();
    if (this.#state.kind === 'stopped') this.#ask(PLAIN_BITS);
    else if (this.#upToDate) queueMicrotask(() => this.#report(subscriber));
    return {
      requestReresolution: () => this.#requestReresolution(subscriber),
      refresh: () => this.#refresh(subscriber),
      setReady: (ready) => this.#setReady(subscriber, ready),
      end: () => this.#end(subscriber),
    };
  }

  get counters(): AddressSource['counters'] {
    return this.#telemetry.counters;
  }

  get status(): SourceStatus {
    const clock = this.#clock;
    const resolution = this.#last?.resolution;
    const answer = this.#answer;
    return {
      name: resolution?.name ?? this.#settings.hostname,
      server: resolution?.server ?? null,
      transport: resolution?.transport ?? null,
      rcode: resolution?.rcode ?? null,
      addresses: [...this.#membership.hosts],
      ttlMs: answer?.ttlMs ?? null,
      answeredAt: answer?.wallTime ?? null,
      ageMs: answer ? Math.round(clock.now() - answer.at) : null,
      failures: this.#plan.failures,
      error: this.#last?.error?.message ?? null,
      errorCode: this.#last?.error?.code ?? null,
      nextQueryAt: this.#state.kind === 'waiting' ? Math.round(clock.wallTime() + this.#state.at - clock.now()) : null,
      cache: this.#plan.cacheStatus(clock.now()),
      zone: this.#settings.zone ? { ...this.#settings.zone, fallback: this.#zone?.fallback ?? false } : null,
    };
  }

  /** Why the last query brought no addresses; null where it did, or where there was none yet. */
  get lastError(): DnsError | null {
    return this.#last?.error ?? null;
  }

  #ask(bits: QueryBits): void {
    if (this.#state.kind === 'waiting') this.#state.timer.cancel();
    const abort = new AbortController();
    this.#abort = abort;
    this.#state = { kind: 'asking' };
    const now = this.#clock.now();
    this.#plan.asked(now);
    this.#telemetry.emit({ kind: 'poll_started' });
    const searchNearer = this.#plan.expectsChange(now);
    this.#resolver.resolve(abort.signal, bits, { searchNearer }).then(
      (resolution) => {
        if (!abort.signal.aborted) this.#settle(resolution, bits, now);
      },
      (cause: unknown) => {
        if (!abort.signal.aborted) this.#settle(brokenResolver(this.#settings.hostname, cause), bits, now);
      },
    );
  }

  #settle(resolution: Resolution, bits: QueryBits, askedAt: number): void {
    const now = this.#clock.now();
    const uses = this.#plan.read(now, resolution, bits);
    const update = applyResolution(this.#membership, resolution, this.#settings.empty, uses);
    const first = this.#membership === EMPTY_MEMBERSHIP;
    this.#membership = update.membership;
    this.#last = { resolution, error: update.error };
    this.#upToDate = true;
    if (update.ttlMs !== null) this.#answer = { at: now, wallTime: this.#clock.wallTime(), ttlMs: update.ttlMs };
    const zone = resolution.zone ?? this.#zone;
    const rezoned = !sameZones(update.membership.hosts, this.#zone, zone);
    this.#zone = zone;
    if (update.changed || rezoned) {
      this.#addresses = zone === null ? addressesOf(update.membership) : toAddresses(update.membership.hosts, zone);
      this.#version += 1;
    }
    this.#plan.settled(now, { failed: update.failed, changed: update.changed, first });
    const result = update.failed ? 'failed' : update.ttlMs === null ? 'empty' : 'addresses';
    this.#telemetry.emit({ kind: 'poll_settled', result, changed: update.changed, durationMs: now - askedAt });
    // Waiting before reporting: a subscriber may ask again or end in its report.
    this.#wait();
    // A refresh() made in a report waits for the next answer.
    const waiters = this.#takeWaiters();
    for (const subscriber of [...this.#subscribers]) this.#report(subscriber);
    for (const done of waiters) done();
  }

  /** Sets the timer for the next poll, unless the last subscriber has gone: who is told of a poll may end its subscription. */
  #wait(): void {
    if (this.#subscribers.size === 0) return;
    const { at, requested, bits } = this.#plan.next();
    if (this.#state.kind === 'waiting') {
      if (this.#state.at === at) return;
      this.#state.timer.cancel();
    }
    const timer = this.#clock.setTimer(Math.max(0, at - this.#clock.now()), () =>
      this.#ask(requested ? this.#plan.bitsNow(this.#clock.now()) : bits),
    );
    this.#state = { kind: 'waiting', timer, at };
  }

  #report(subscriber: Subscriber): void {
    if (!this.#subscribers.has(subscriber)) return;
    try {
      const changed = subscriber.version !== this.#version;
      subscriber.version = this.#version;
      const zoneFallback = this.#zone?.fallback ? (this.#settings.zone?.name ?? null) : null;
      subscriber.listener({ addresses: this.#addresses, changed, error: this.lastError, zoneFallback });
    } catch (error) {
      // A listener's own error must surface, and must not stop the polling for everyone.
      process.nextTick(() => {
        throw error;
      });
    }
  }

  #requestReresolution(subscriber: Subscriber): void {
    if (!this.#subscribers.has(subscriber) || this.#state.kind !== 'waiting') return;
    if (this.#plan.request(this.#clock.now(), this.#state.at)) this.#moveForward();
  }

  /** A poll under way serves the refreshes made meanwhile too. */
  #refresh(subscriber: Subscriber): Promise<void> {
    if (!this.#subscribers.has(subscriber)) return Promise.resolve();
    if (this.#state.kind === 'waiting' && this.#plan.refresh(this.#clock.now(), this.#state.at)) this.#moveForward();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #moveForward(): void {
    this.#telemetry.emit({ kind: 'poll_moved_forward' });
    this.#wait();
  }

  #setReady(subscriber: Subscriber, ready: boolean): void {
    if (subscriber.ready === ready) return;
    subscriber.ready = ready;
    this.#updateUnready();
    if (!ready) this.#requestReresolution(subscriber);
  }

  #end(subscriber: Subscriber): void {
    if (!this.#subscribers.delete(subscriber)) return;
    this.#updateUnready();
    if (this.#subscribers.size > 0) return;
    if (this.#state.kind === 'waiting') this.#state.timer.cancel();
    this.#abort.abort();
    this.#state = STOPPED;
    this.#upToDate = false;
    for (const done of this.#takeWaiters()) done();
  }

  #takeWaiters(): (() => void)[] {
    const waiters = this.#waiters;
    this.#waiters = [];
    return waiters;
  }

  /** The burst starts when the first subscriber becomes unready, not anew with each. */
  #updateUnready(): void {
    const unready = [...this.#subscribers].some((subscriber) => !subscriber.ready);
    if (unready === this.#unready) return;
    this.#unready = unready;
    this.#plan.setUnready(this.#clock.now(), unready);
    if (this.#state.kind === 'waiting') this.#wait();
  }
}

/** A resolver rejects on abort only; should one do otherwise, polling goes on. */
function brokenResolver(hostname: string, cause: unknown): Resolution {
  const message = `looking up "${hostname}" failed: ${cause instanceof Error ? cause.message : String(cause)}`;
  const error = toError({ reason: 'lookup', message, hostname, cause });
  return {
    outcomes: new Map([['lookup', { kind: 'failed', reason: 'lookup', error }]]),
    name: hostname,
    server: null,
    transport: null,
    rcode: null,
    bits: null,
  };
}
