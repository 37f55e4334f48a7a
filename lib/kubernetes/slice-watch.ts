/**
 * Lists and watches the EndpointSlices of one Service (https://kubernetes.io/docs/reference/using-api/api-concepts/ describes
 * both, bookmarks, and 410 Gone), for everyone in the process who wants them. It runs while it has subscribers, and goes
 * on for ever: whatever fails is tried again.
 */
import { HeadlessError } from '../errors.js';
import type { Clock, Random, Timer } from '../runtime.js';
import type { EndpointSlice } from './endpoint-slice.js';
import type { KubeConfigLike } from './kube-config.js';
import { RequestFailure } from './request-failure.js';
import { RetryDelay } from './retry-delay.js';
import { SliceRequests, type WatchedService } from './slice-requests.js';
import { SliceStore } from './slice-store.js';

/** A watch that ends sooner was no watch: starting the next one at once would be a hot loop. */
const SHORT_WATCH_MS = 1_000;
/** Of a list: the version is too old (410), or of a history that the servers no longer have (504). */
const VERSION_REFUSED: ReadonlySet<number | null> = new Set([410, 504]);
/** After so long the trouble before a watch is over. */
const STABLE_MS = 10_000;
/**
 * Least time from a list to one that `relist` asks for. It is the default of `refresh.minIntervalMs`, and not that option:
 * channels with different options share one watch. A list makes the API server read all slices of the namespace.
 */
const RELIST_FLOOR_MS = 1_000;

export class SliceWatch {
  readonly #requests: SliceRequests;
  readonly #clock: Clock;
  readonly #delay: RetryDelay;
  readonly #listeners = new Set<() => void>();
  readonly #store = new SliceStore();
  /** Of the run; null while there are no subscribers. */
  #abort: AbortController | null = null;
  #usable = false;
  #failure: { readonly failure: Error; readonly error: HeadlessError } | null = null;
  #failures = 0;
  #nextAttemptAt: number | null = null;
  /** On the clock, as all times here: when the watch was established, an event came, a version was refused as expired. */
  #establishedAt = Number.NEGATIVE_INFINITY;
  #heardAt = Number.NEGATIVE_INFINITY;
  #expiredAt = Number.NEGATIVE_INFINITY;
  #listedAt = Number.NEGATIVE_INFINITY;
  /** A list was begun, and no watch from its version is established yet. */
  #listing = false;
  /** Of a list that was asked for too soon after another one. */
  #relist: Timer | null = null;
  #waiters: (() => void)[] = [];

  constructor(
    loadConfig: () => Promise<KubeConfigLike>,
    watched: WatchedService,
    runtime: { readonly clock: Clock; readonly random: Random },
  ) {
    this.#requests = new SliceRequests(loadConfig, watched, runtime);
    this.#clock = runtime.clock;
    this.#delay = new RetryDelay(runtime.random);
  }

  /** `listener` is called after every change of what can be read here. Returns how to end it. Idempotent. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#abort === null) this.#start();
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#stop();
    };
  }

  get slices(): ReadonlyMap<string, EndpointSlice> {
    return this.#store.slices;
  }

  /** The slices are the present ones. */
  get usable(): boolean {
    return this.#usable;
  }

  /** Why they are not; null where they are, and before the first attempt has failed. */
  get error(): HeadlessError | null {
    return this.#failure?.error ?? null;
  }

  /** In a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Of the wall clock; null while an attempt or a watch is under way. */
  get nextAttemptAt(): number | null {
    return this.#nextAttemptAt;
  }

  /** When the server was heard last, of the clock. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** The Service's name with its namespace, for messages. */
  get name(): string {
    const { service, namespace } = this.#requests;
    return namespace === null ? service : `${namespace}/${service}`;
  }

  /**
   * Lists anew, and watches from there, over new connections: at once, or a second after the last list began. Requests share
   * the list that is under way or waits for its time. While the watch is not usable, its next attempt is that list.
   *
   * Resolves when the watch of that list is established, or the attempt has failed, or no subscriber is left. Never rejects.
   */
  relist(): Promise<void> {
    if (this.#abort === null) return Promise.resolve();
    if (this.#usable && !this.#listing) this.#relist ??= this.#planRelist();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #planRelist(): Timer | null {
    const waitMs = this.#listedAt + RELIST_FLOOR_MS - this.#clock.now();
    if (waitMs > 0) return this.#clock.setTimer(waitMs, () => this.#restart());
    this.#restart();
    return null;
  }

  #restart(): void {
    this.#abort?.abort();
    this.#start();
  }

  #start(): void {
    this.#store.requireList();
    this.#nextAttemptAt = null;
    this.#abort = new AbortController();
    void this.#run(this.#abort.signal);
  }

  /** Whatever the list is for, it serves the requests that wait. */
  #beginListing(): void {
    this.#endListing();
    this.#listing = true;
    this.#listedAt = this.#clock.now();
  }

  #endListing(): void {
    this.#relist?.cancel();
    this.#relist = null;
    this.#listing = false;
  }

  #stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#endListing();
    this.#usable = false;
    this.#failure = null;
    this.#failures = 0;
    this.#nextAttemptAt = null;
    this.#delay.reset();
    this.#settle();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#store.version === null) await this.#list(signal);
        if (!signal.aborted) await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#onFailure(error instanceof Error ? error : new Error(String(error)), signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    this.#beginListing();
    const listed = await this.#requests.list(this.#store.listQuery, signal).catch((error: unknown) => {
      if (error instanceof RequestFailure && VERSION_REFUSED.has(error.status)) this.#store.requireNewest();
      throw error;
    });
    if (!signal.aborted) this.#store.replace(listed);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    await this.#requests.watch(this.#store.version ?? '', signal, {
      onEstablished: () => this.#onEstablished(),
      onEvents: (events) => {
        this.#heardAt = this.#clock.now();
        const changed = events.filter((event) => this.#store.apply(event)).length > 0;
        if (changed) this.#notify();
      },
    });
    if (this.#clock.now() - this.#establishedAt < SHORT_WATCH_MS)
      throw new RequestFailure('the API server ended the watch as soon as it had begun');
    this.#forgiveIfStable();
  }

  #onEstablished(): void {
    this.#establishedAt = this.#clock.now();
    this.#heardAt = this.#establishedAt;
    this.#usable = true;
    this.#failure = null;
    this.#failures = 0;
    // A watch that goes on from the last version is no answer to a request for a list.
    if (this.#listing) {
      this.#endListing();
      this.#settle();
    }
    this.#notify();
  }

  async #onFailure(failure: Error, signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    const { broken, expired, retryAfterMs } = failure instanceof RequestFailure ? failure : NO_DETAILS;
    this.#forgiveIfStable();
    // An API server that restarts breaks its watches, and another one takes them on from where they were.
    if (broken && this.#usable && now - this.#establishedAt >= SHORT_WATCH_MS) return;
    this.#store.requireList();
    if (expired) {
      this.#store.requireNewest();
      const isFirst = now - this.#expiredAt > STABLE_MS;
      this.#expiredAt = now;
      if (isFirst) return;
    }
    const delayMs = this.#delay.next(retryAfterMs);
    this.#endListing();
    this.#usable = false;
    this.#failures += 1;
    this.#failure = { failure, error: this.#errorOf(failure) };
    this.#nextAttemptAt = Math.round(this.#clock.wallTime() + delayMs);
    this.#settle();
    this.#notify();
    await wait(this.#clock, delayMs, signal);
    if (!signal.aborted) this.#nextAttemptAt = null;
  }

  #forgiveIfStable(): void {
    if (this.#usable && this.#clock.now() - this.#establishedAt >= STABLE_MS) this.#delay.reset();
  }

  #errorOf(failure: Error): HeadlessError {
    const remedy = failure instanceof RequestFailure && failure.status === 403 ? this.#remedyOf403() : '';
    const message = `watching the EndpointSlices of ${this.name} failed: ${failure.message}${remedy}`;
    return new HeadlessError('ERR_HEADLESS_WATCH', message, { cause: failure });
  }

  /** A name of two labels may be no Service at all, and then its second label is no namespace. */
  #remedyOf403(): string {
    const { service, namespace, namesNamespace } = this.#requests;
    const where = namesNamespace ? `the namespace "${namespace}"` : `the kubeConfig's namespace "${namespace}"`;
    const host = namesNamespace ? `${service}.${namespace}` : service;
    return (
      `; the target's host was read as the Service "${service}" in ${where}: bind a Role there that may list and watch ` +
      'endpointslices.discovery.k8s.io, as in examples/kubernetes/rbac.yaml; if another Service is meant, write ' +
      `the host as service.namespace.svc.cluster.local; if none is, end it with a dot ("${host}."), and DNS alone is used`
    );
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #settle(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const done of waiters) done();
  }
}

/** Until the time has passed, or the signal is aborted. */
function wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.setTimer(ms, done);
    signal.addEventListener('abort', done);
  });
}

const NO_DETAILS = { broken: false, expired: false, retryAfterMs: 0 } as const;
