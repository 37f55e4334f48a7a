/**
 * Lists and watches the EndpointSlices of one Service (https://kubernetes.io/docs/reference/using-api/api-concepts/ describes
 * both, bookmarks, and 410 Gone), for everyone in the process who wants them. It runs while it has subscribers, and goes
 * on for ever: whatever fails is tried again.
 */
import type { IncomingMessage } from 'node:http';
import { HeadlessError } from '../errors.js';
import type { Clock, Random } from '../runtime.js';
import { getFromApi } from './api-request.js';
import { Deadline } from './deadline.js';
import type { EndpointSlice } from './endpoint-slice.js';
import { readJsonLines } from './json-lines.js';
import { type KubeConfigLike, namespaceOf } from './kube-config.js';
import { RequestFailure } from './request-failure.js';
import { RetryDelay } from './retry-delay.js';
import { SliceStore } from './slice-store.js';

export interface WatchedService {
  readonly service: string;
  /** null: that of the kubeConfig, which is the pod's own. */
  readonly namespace: string | null;
}

/** For the whole list, and for the first octet of a watch. */
const ANSWER_MS = 5_000;
/** The API server sends a bookmark about every minute. A watch that is silent for longer hangs. */
const MOST_SILENCE_MS = 90_000;
/** The server ends each watch after a time of this range, so that clients spread over the API servers again. */
const LEAST_WATCH_S = 300;
const MOST_WATCH_S = 600;
/** A watch that ends sooner was no watch: starting the next one at once would be a hot loop. */
const SHORT_WATCH_MS = 1_000;
/** Of a list: the version is too old (410), or of a history that the servers no longer have (504). */
const VERSION_REFUSED: ReadonlySet<number | null> = new Set([410, 504]);
/** After so long the trouble before a watch is over. */
const STABLE_MS = 10_000;

export class SliceWatch {
  readonly #loadConfig: () => Promise<KubeConfigLike>;
  readonly #watched: WatchedService;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #delay: RetryDelay;
  readonly #listeners = new Set<() => void>();
  readonly #store = new SliceStore();
  #config: KubeConfigLike | null = null;
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
  #waiters: (() => void)[] = [];

  constructor(
    loadConfig: () => Promise<KubeConfigLike>,
    watched: WatchedService,
    runtime: { readonly clock: Clock; readonly random: Random },
  ) {
    this.#loadConfig = loadConfig;
    this.#watched = watched;
    this.#clock = runtime.clock;
    this.#random = runtime.random;
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
    const { service, namespace } = this.#watched;
    const known = namespace ?? (this.#config ? namespaceOf(this.#config) : null);
    return known === null ? service : `${known}/${service}`;
  }

  /** Lists now, and watches from there, over new connections. Resolves as `settled`. */
  relist(): Promise<void> {
    if (this.#abort === null) return Promise.resolve();
    this.#abort.abort();
    this.#start();
    return this.settled();
  }

  /** Resolves when the watch is established next, or the attempt fails, or no subscriber is left. Never rejects. */
  settled(): Promise<void> {
    if (this.#abort === null) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #start(): void {
    this.#store.requireList();
    this.#nextAttemptAt = null;
    this.#abort = new AbortController();
    void this.#run(this.#abort.signal);
  }

  #stop(): void {
    this.#abort?.abort();
    this.#abort = null;
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
        const config = this.#config ?? (await this.#loadConfig());
        this.#config = config;
        if (signal.aborted) return;
        if (this.#store.version === null) await this.#list(config, signal);
        await this.#watch(config, signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#onFailure(error instanceof Error ? error : new Error(String(error)), signal);
      }
    }
  }

  async #list(config: KubeConfigLike, signal: AbortSignal): Promise<void> {
    const listed = await this.#request(config, signal, this.#store.listQuery, readJson).catch((error: unknown) => {
      if (error instanceof RequestFailure && VERSION_REFUSED.has(error.status)) this.#store.requireNewest();
      throw error;
    });
    this.#store.replace(listed);
  }

  async #watch(config: KubeConfigLike, signal: AbortSignal): Promise<void> {
    const seconds = Math.round(LEAST_WATCH_S + (MOST_WATCH_S - LEAST_WATCH_S) * this.#random());
    const query = new Map([
      ['watch', 'true'],
      ['resourceVersion', this.#store.version ?? ''],
      ['allowWatchBookmarks', 'true'],
      ['timeoutSeconds', String(seconds)],
    ]);
    await this.#request(config, signal, query, async (response, deadline) => {
      this.#onEstablished();
      deadline.restart(MOST_SILENCE_MS);
      await readJsonLines(response, (events) => {
        if (signal.aborted) return;
        deadline.restart(MOST_SILENCE_MS);
        this.#heardAt = this.#clock.now();
        const changed = events.filter((event) => this.#store.apply(event)).length > 0;
        if (changed) this.#notify();
      });
    });
    if (this.#clock.now() - this.#establishedAt < SHORT_WATCH_MS)
      throw new RequestFailure('the API server ended the watch as soon as it had begun');
    this.#forgiveIfStable();
  }

  /** One request, from its headers to the end of its body. The deadline is for all of it, unless `read` restarts it. */
  async #request<T>(
    config: KubeConfigLike,
    signal: AbortSignal,
    query: ReadonlyMap<string, string>,
    read: (response: IncomingMessage, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const { service, namespace } = this.#watched;
    const parameters = new URLSearchParams([['labelSelector', `kubernetes.io/service-name=${service}`], ...query]);
    const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace ?? namespaceOf(config)}/endpointslices?${parameters}`;
    const deadline = new Deadline(this.#clock, signal);
    deadline.restart(ANSWER_MS);
    try {
      return await read(await getFromApi(config, path, deadline.signal), deadline);
    } catch (error) {
      if (!deadline.passed) throw error;
      throw new RequestFailure('the API server was silent for too long', { cause: error });
    } finally {
      deadline.end();
    }
  }

  #onEstablished(): void {
    this.#establishedAt = this.#clock.now();
    this.#heardAt = this.#establishedAt;
    this.#usable = true;
    this.#failure = null;
    this.#failures = 0;
    this.#settle();
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
    const denied = failure instanceof RequestFailure && failure.status === 403;
    const remedy = denied
      ? '; bind a Role that may list and watch endpointslices.discovery.k8s.io, as in examples/kubernetes/rbac.yaml'
      : '';
    const message = `watching the EndpointSlices of ${this.name} failed: ${failure.message}${remedy}`;
    return new HeadlessError('ERR_HEADLESS_WATCH', message, { cause: failure });
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

async function readJson(response: IncomingMessage): Promise<unknown> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += chunk;
  return JSON.parse(text);
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
