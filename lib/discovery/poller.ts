/**
 * Asks for a name's addresses again and again, for everyone in the process who wants them, and hands out whole sets.
 * It runs while it has subscribers, remembers its set in between, and never lets a failure empty that set.
 */
import type { DnsCounters, NameResolver, Resolution } from '../dns/resolution.js';
import { DnsError } from '../errors.js';
import type { Runtime, Timer } from '../runtime.js';
import { applyResolution, type Change, EMPTY_MEMBERSHIP, type EmptyRule, type Membership } from './membership.js';
import { type RefreshSettings, Schedule } from './schedule.js';

/** What subscribers are told after every answer or failure. */
export interface AddressUpdate {
  /** The whole set. The same array for as long as the set is the same; empty only before the first answer, or under `empty: 'drop'`. */
  readonly addresses: readonly string[];
  /** The last change of the set. Of use to whoever has the set that it starts from. */
  readonly change: Change;
  /** Why the last query brought no addresses, or not all of them; null where it did. */
  readonly error: DnsError | null;
}

export type AddressListener = (report: AddressUpdate) => void;

export interface Subscription {
  /** Something is amiss (a connection was lost, say): ask at once, but at most once in `minIntervalMs`. */
  requestReresolution(): void;
  /** As `hint`; resolves when the answer, or its failure, has been reported to everyone. Never rejects. */
  refresh(): Promise<void>;
  /** Whether the subscriber has a pod that takes calls. Until told so, it has none. */
  setReady(ready: boolean): void;
  /** No report comes after this. Idempotent. */
  end(): void;
}

/** The last answer, for people and metrics. Times are of the wall clock, in ms since the epoch. */
export interface DnsStatus {
  /** The fully qualified name that was asked for last. */
  readonly name: string;
  readonly server: string | null;
  readonly transport: 'udp' | 'tcp' | 'lookup' | null;
  readonly rcode: string | null;
  readonly addresses: readonly string[];
  /** Of the last answer that had addresses. */
  readonly ttlMs: number | null;
  readonly answeredAt: number | null;
  readonly ageMs: number | null;
  /** In a row. */
  readonly failures: number;
  readonly error: string | null;
  readonly nextQueryAt: number | null;
}

export interface PollerCounters {
  polls: number;
  /** Polls that somebody asked for, by a lost connection or `refresh()`, and that were not already due. */
  hinted: number;
  /** Polls that changed the set. */
  changes: number;
  /** Polls that got no valid answer. */
  failures: number;
  /** NXDOMAIN and NODATA. */
  emptyAnswers: number;
}

type State =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'waiting'; readonly timer: Timer; readonly at: number }
  | { readonly kind: 'asking'; readonly abort: AbortController };

interface Subscriber {
  readonly listener: AddressListener;
  ready: boolean;
}

const STOPPED: State = { kind: 'stopped' };

export interface PollerSettings {
  /** The name as the user wrote it, shown until a fully qualified one has answered. */
  readonly hostname: string;
  readonly refresh: RefreshSettings;
  readonly empty: EmptyRule;
}

export class Poller {
  readonly #book: NameResolver;
  readonly #settings: PollerSettings;
  readonly #clock: Runtime['clock'];
  readonly #schedule: Schedule;
  readonly #subscribers = new Set<Subscriber>();
  readonly #counters: PollerCounters = { polls: 0, hinted: 0, changes: 0, failures: 0, emptyAnswers: 0 };
  #state: State = STOPPED;
  #membership: Membership = EMPTY_MEMBERSHIP;
  #last: { readonly resolution: Resolution; readonly error: DnsError | null } | null = null;
  #answer: { readonly at: number; readonly wallTime: number; readonly ttlMs: number } | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** The set is kept up to date: a query was settled since polling started. */
  #upToDate = false;
  #waiters: (() => void)[] = [];
  #hungry = false;

  constructor(book: NameResolver, settings: PollerSettings, runtime: Pick<Runtime, 'clock' | 'random'>) {
    this.#book = book;
    this.#settings = settings;
    this.#clock = runtime.clock;
    this.#schedule = new Schedule(settings.refresh, runtime.random);
  }

  /**
   * Starts polling, if nobody else had. A set that is being kept up to date is reported in the next microtask; one
   * remembered from before a stop only with the next answer, or its failure.
   */
  subscribe(listener: AddressListener): Subscription {
    const subscriber: Subscriber = { listener, ready: false };
    this.#subscribers.add(subscriber);
    this.#feed();
    if (this.#state.kind === 'stopped') this.#ask();
    else if (this.#upToDate) queueMicrotask(() => this.#report(subscriber));
    return {
      requestReresolution: () => this.#hint(subscriber),
      refresh: () => this.#refresh(subscriber),
      setReady: (ready) => this.#setReady(subscriber, ready),
      end: () => this.#end(subscriber),
    };
  }

  /** Polls so far, and why. */
  get counters(): Readonly<PollerCounters & DnsCounters> {
    return { ...this.#counters, ...this.#book.counters };
  }

  get status(): DnsStatus {
    const clock = this.#clock;
    const resolution = this.#last?.resolution;
    const answer = this.#answer;
    return {
      name: resolution?.name ?? this.#settings.hostname,
      server: resolution?.server ?? null,
      transport: resolution?.transport ?? null,
      rcode: resolution?.rcode ?? null,
      addresses: this.#membership.addresses,
      ttlMs: answer?.ttlMs ?? null,
      answeredAt: answer?.wallTime ?? null,
      ageMs: answer ? Math.round(clock.now() - answer.at) : null,
      failures: this.#schedule.failures,
      error: this.#last?.error?.message ?? null,
      nextQueryAt: this.#state.kind === 'waiting' ? Math.round(clock.wallTime() + this.#state.at - clock.now()) : null,
    };
  }

  /** Why the last query brought no addresses; null where it did, or where there was none yet. */
  get lastError(): DnsError | null {
    return this.#last?.error ?? null;
  }

  #ask(): void {
    if (this.#state.kind === 'waiting') this.#state.timer.cancel();
    const abort = new AbortController();
    this.#state = { kind: 'asking', abort };
    this.#askedAt = this.#clock.now();
    this.#counters.polls += 1;
    this.#book.resolve(abort.signal).then(
      (resolution) => {
        if (!abort.signal.aborted) this.#settle(resolution);
      },
      (cause: unknown) => {
        if (!abort.signal.aborted) this.#settle(brokenBook(this.#settings.hostname, cause));
      },
    );
  }

  #settle(resolution: Resolution): void {
    const now = this.#clock.now();
    const verdict = applyResolution(this.#membership, resolution, this.#settings.empty);
    const first = this.#membership === EMPTY_MEMBERSHIP;
    this.#membership = verdict.membership;
    this.#last = { resolution, error: verdict.error };
    this.#upToDate = true;
    if (verdict.ttlMs !== null) this.#answer = { at: now, wallTime: this.#clock.wallTime(), ttlMs: verdict.ttlMs };
    if (verdict.failed) {
      this.#counters.failures += 1;
      this.#schedule.failed();
    } else {
      if (verdict.ttlMs === null) this.#counters.emptyAnswers += 1;
      this.#schedule.answered(now, verdict.ttlMs);
    }
    if (verdict.changed) {
      this.#counters.changes += 1;
      // The first set is no change: a start is not followed by more pods than any other moment.
      if (!first) this.#schedule.changed(now);
    }
    // Waiting before reporting: a subscriber may hint, refresh or end in its report.
    this.#wait(this.#schedule.nextDelay(now));
    // Who waits from within a report waits for the next answer.
    const waiters = this.#takeWaiters();
    for (const subscriber of [...this.#subscribers]) this.#report(subscriber);
    for (const done of waiters) done();
  }

  #wait(delayMs: number): void {
    if (this.#state.kind === 'waiting') this.#state.timer.cancel();
    const timer = this.#clock.setTimer(delayMs, () => this.#ask());
    this.#state = { kind: 'waiting', timer, at: this.#clock.now() + delayMs };
  }

  #report(subscriber: Subscriber): void {
    if (!this.#subscribers.has(subscriber)) return;
    try {
      const { addresses, change } = this.#membership;
      subscriber.listener({ addresses, change, error: this.#last?.error ?? null });
    } catch (error) {
      // A listener's own mistake must surface, and must not stop the polling for everyone.
      process.nextTick(() => {
        throw error;
      });
    }
  }

  #hint(subscriber: Subscriber): void {
    // While a query is under way, its answer will do for everyone who asks meanwhile.
    if (!this.#subscribers.has(subscriber) || this.#state.kind !== 'waiting') return;
    const now = this.#clock.now();
    const due = Math.max(now, this.#askedAt + this.#schedule.floorMs);
    if (this.#state.at <= due) return;
    this.#counters.hinted += 1;
    this.#wait(due - now);
  }

  #refresh(subscriber: Subscriber): Promise<void> {
    if (!this.#subscribers.has(subscriber)) return Promise.resolve();
    this.#hint(subscriber);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #setReady(subscriber: Subscriber, ready: boolean): void {
    if (subscriber.ready === ready) return;
    subscriber.ready = ready;
    this.#feed();
    if (!ready) this.#hint(subscriber);
  }

  #end(subscriber: Subscriber): void {
    if (!this.#subscribers.delete(subscriber)) return;
    this.#feed();
    if (this.#subscribers.size > 0) return;
    if (this.#state.kind === 'waiting') this.#state.timer.cancel();
    if (this.#state.kind === 'asking') this.#state.abort.abort();
    this.#state = STOPPED;
    this.#upToDate = false;
    for (const done of this.#takeWaiters()) done();
  }

  #takeWaiters(): (() => void)[] {
    const waiters = this.#waiters;
    this.#waiters = [];
    return waiters;
  }

  /** Hunger begins when the first subscriber has nothing READY, not anew with each. */
  #feed(): void {
    const hungry = [...this.#subscribers].some((subscriber) => !subscriber.ready);
    if (hungry === this.#hungry) return;
    this.#hungry = hungry;
    this.#schedule.setUnready(this.#clock.now(), hungry);
  }
}

/** An address book never rejects but on abort; should one do so, polling goes on. */
function brokenBook(hostname: string, cause: unknown): Resolution {
  const message = `looking up "${hostname}" failed: ${cause instanceof Error ? cause.message : String(cause)}`;
  const error = new DnsError('ERR_HEADLESS_DNS_LOOKUP', message, { hostname, cause });
  return {
    outcomes: new Map([['lookup', { kind: 'failed', error }]]),
    name: hostname,
    server: null,
    transport: null,
    rcode: null,
  };
}
