/**
 * Asks for a name's addresses again and again, for everyone in the process who wants them, and hands out whole sets.
 * It runs while it has subscribers, remembers its set in between, and never lets a failure empty that set.
 */
import type { Address } from '../address.js';
import { toError } from '../dns/failure.js';
import type { QueryBits } from '../dns/message.js';
import type { NameResolver } from '../dns/name-resolver.js';
import type { OutcomeSource, Resolution, ZoneAnswer } from '../dns/resolution.js';
import type { ZoneSettings } from '../dns/settings.js';
import type { DnsError } from '../errors.js';
import type { Clock, Runtime, Timer } from '../runtime.js';
import type { DiscoveryCounter } from '../telemetry/counters.js';
import type { AddressSource, AddressUpdate, SourceStatus, Subscription } from './address-source.js';
import type { AnswerUse, TimedAnswer } from './answer-age.js';
import { PLAIN_BITS } from './cache-bits.js';
import { CacheReading } from './cache-reading.js';
import { addressesOf, applyResolution, EMPTY_MEMBERSHIP, type EmptyRule, type Membership } from './membership.js';
import { RequestBackoff } from './request-backoff.js';
import { type RefreshSettings, Schedule } from './schedule.js';
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
const NO_LIMITS: ReadonlyMap<OutcomeSource, AnswerUse> = new Map();

export interface PollerSettings {
  /** The name as the user wrote it, shown until a fully qualified one has answered. */
  readonly hostname: string;
  readonly refresh: RefreshSettings;
  readonly empty: EmptyRule;
  /** The zone that the resolver asks for, to be shown. */
  readonly zone?: ZoneSettings | null | undefined;
}

export class Poller implements AddressSource {
  readonly #resolver: NameResolver;
  readonly #settings: PollerSettings;
  readonly #clock: Clock;
  readonly #counter: DiscoveryCounter;
  readonly #schedule: Schedule;
  readonly #requests: RequestBackoff;
  /** Null where TTLs are ignored. */
  readonly #reading: CacheReading | null;
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
  #askedAt = Number.NEGATIVE_INFINITY;
  #settledAt = Number.NEGATIVE_INFINITY;
  /** The schedule's wait after the last query. */
  #regularDelayMs = 0;
  /** When a request wants the next query. */
  #requestedAt = Number.POSITIVE_INFINITY;
  /** The set is kept up to date: a query was settled since polling started. */
  #upToDate = false;
  #waiters: (() => void)[] = [];
  #unready = false;

  /** @param counter counts the polls; the resolver should emit its queries to the same one. */
  constructor(
    resolver: NameResolver,
    settings: PollerSettings,
    runtime: Pick<Runtime, 'clock' | 'random'>,
    counter: DiscoveryCounter,
  ) {
    this.#resolver = resolver;
    this.#settings = settings;
    this.#counter = counter;
    this.#clock = runtime.clock;
    this.#schedule = new Schedule(settings.refresh, runtime.random);
    const { intervalMs, jitter, ttl } = settings.refresh;
    const { floorMs } = this.#schedule;
    this.#requests = new RequestBackoff(floorMs, intervalMs);
    this.#reading = ttl === 'ignore' ? null : new CacheReading({ intervalMs, floorMs, jitter, ttl }, runtime.random);
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
    return this.#counter.counters;
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
      failures: this.#schedule.failures,
      error: this.#last?.error?.message ?? null,
      nextQueryAt: this.#state.kind === 'waiting' ? Math.round(clock.wallTime() + this.#state.at - clock.now()) : null,
      cache: this.#reading?.status(clock.now()) ?? null,
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
    this.#askedAt = this.#clock.now();
    this.#requestedAt = Number.POSITIVE_INFINITY;
    this.#counter.emit({ kind: 'poll_started' });
    const searchNearer = this.#unready || this.#schedule.bursting(this.#askedAt);
    this.#resolver.resolve(abort.signal, bits, { searchNearer }).then(
      (resolution) => {
        if (!abort.signal.aborted) this.#settle(resolution, bits);
      },
      (cause: unknown) => {
        if (!abort.signal.aborted) this.#settle(brokenResolver(this.#settings.hostname, cause), bits);
      },
    );
  }

  #settle(resolution: Resolution, bits: QueryBits): void {
    const now = this.#clock.now();
    const uses = this.#read(now, resolution, bits);
    const update = applyResolution(this.#membership, resolution, this.#settings.empty, uses);
    const first = this.#membership === EMPTY_MEMBERSHIP;
    this.#membership = update.membership;
    this.#last = { resolution, error: update.error };
    this.#upToDate = true;
    if (update.ttlMs !== null) this.#answer = { at: now, wallTime: this.#clock.wallTime(), ttlMs: update.ttlMs };
    if (update.failed) this.#schedule.failed();
    else this.#schedule.answered();
    const zone = resolution.zone ?? this.#zone;
    const rezoned = !sameZones(update.membership.hosts, this.#zone, zone);
    this.#zone = zone;
    if (update.changed || rezoned) {
      this.#addresses = zone === null ? addressesOf(update.membership) : toAddresses(update.membership.hosts, zone);
      this.#version += 1;
    }
    if (update.changed) {
      // The first set is no change: a start is not followed by more pods than any other moment.
      if (!first) this.#schedule.changed(now);
    }
    this.#requests.settled(update.changed);
    const result = update.failed ? 'failed' : update.ttlMs === null ? 'empty' : 'addresses';
    this.#counter.emit({ kind: 'poll_settled', result, changed: update.changed });
    // Waiting before reporting: a subscriber may ask again or end in its report.
    this.#settledAt = now;
    this.#regularDelayMs = this.#schedule.nextDelay(now, !this.#unready);
    this.#wait();
    // A refresh() made in a report waits for the next answer.
    const waiters = this.#takeWaiters();
    for (const subscriber of [...this.#subscribers]) this.#report(subscriber);
    for (const done of waiters) done();
  }

  /** What the answers may change, by how old they are. */
  #read(now: number, { outcomes }: Resolution, bits: QueryBits): ReadonlyMap<OutcomeSource, AnswerUse> {
    const answers = new Map<OutcomeSource, TimedAnswer>();
    for (const [source, outcome] of outcomes) {
      if (outcome.kind === 'failed') continue;
      const addresses = outcome.kind === 'addresses' ? outcome.addresses : [];
      answers.set(source, { denied: outcome.kind === 'empty', ttlMs: outcome.ttlMs, addresses });
    }
    if (answers.size > 0) return this.#reading?.answered(now, bits, answers) ?? NO_LIMITS;
    this.#reading?.failed(now, bits);
    return NO_LIMITS;
  }

  /** Sets the timer for whatever wants the next query first: the schedule, an unready channel, a cache, a request. */
  #wait(): void {
    const now = this.#clock.now();
    const { at: scheduledAt, bits } = this.#planned();
    const requested = this.#requestedAt < scheduledAt;
    const at = requested ? this.#requestedAt : scheduledAt;
    if (this.#state.kind === 'waiting') {
      if (this.#state.at === at) return;
      this.#state.timer.cancel();
    }
    const timer = this.#clock.setTimer(Math.max(0, at - now), () =>
      this.#ask(requested ? (this.#reading?.bitsNow(this.#clock.now()) ?? PLAIN_BITS) : bits),
    );
    this.#state = { kind: 'waiting', timer, at };
  }

  /** Counted from the last query, however often it is computed: a channel whose readiness flaps must not postpone it. */
  #planned(): { readonly at: number; readonly bits: QueryBits } {
    const from = this.#settledAt;
    const unreadyDelayMs = (this.#schedule.unreadyAt(from) ?? Number.POSITIVE_INFINITY) - from;
    const regularDelayMs = Math.min(this.#regularDelayMs, unreadyDelayMs);
    if (!this.#reading) return { at: from + regularDelayMs, bits: PLAIN_BITS };
    const failing = this.#schedule.failures > 0;
    const { delayMs, bits } = this.#reading.next(from, { regularDelayMs, ready: !this.#unready, failing });
    return { at: from + delayMs, bits };
  }

  #report(subscriber: Subscriber): void {
    if (!this.#subscribers.has(subscriber)) return;
    try {
      const changed = subscriber.version !== this.#version;
      subscriber.version = this.#version;
      subscriber.listener({ addresses: this.#addresses, changed, error: this.lastError });
    } catch (error) {
      // A listener's own error must surface, and must not stop the polling for everyone.
      process.nextTick(() => {
        throw error;
      });
    }
  }

  #requestReresolution(subscriber: Subscriber): void {
    if (!this.#subscribers.has(subscriber) || this.#state.kind !== 'waiting') return;
    this.#requests.request();
    this.#moveForward(this.#requests.waitMs);
  }

  /** Asks as soon as so many milliseconds have passed since the last query. One under way serves later requests too. */
  #moveForward(waitMs: number): void {
    if (this.#state.kind !== 'waiting') return;
    const due = Math.max(this.#clock.now(), this.#askedAt + waitMs);
    if (this.#state.at <= due) return;
    this.#counter.emit({ kind: 'poll_moved_forward' });
    this.#requestedAt = due;
    this.#wait();
  }

  #refresh(subscriber: Subscriber): Promise<void> {
    if (!this.#subscribers.has(subscriber)) return Promise.resolve();
    this.#moveForward(this.#schedule.floorMs);
    return new Promise((resolve) => this.#waiters.push(resolve));
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
    this.#schedule.setUnready(this.#clock.now(), unready);
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
