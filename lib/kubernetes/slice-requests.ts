/** The requests for the EndpointSlices of one Service: how they are written, and how long their answers may take. */
import type { IncomingMessage } from 'node:http';
import type { Clock, Random } from '../runtime.js';
import { getFromApi } from './api-request.js';
import { Deadline } from './deadline.js';
import { readJsonLines } from './json-lines.js';
import { type KubeConfigLike, namespaceOf } from './kube-config.js';
import { RequestFailure } from './request-failure.js';

export interface WatchedService {
  readonly service: string;
  /** null: that of the kubeConfig, which is the pod's own. */
  readonly namespace: string | null;
}

export interface WatchListener {
  /** The server has accepted the watch. */
  onEstablished(): void;
  /** Those of one chunk. An error that it throws ends the watch. */
  onEvents(events: readonly unknown[]): void;
}

/** For the credentials and the whole list, and for the credentials and the first octet of a watch. */
const ANSWER_MS = 5_000;
/** The API server sends a bookmark about every minute. A watch that is silent for longer hangs. */
const MOST_SILENCE_MS = 90_000;
/** The server ends each watch after a time of this range, so that clients spread over the API servers again. */
const LEAST_WATCH_S = 300;
const MOST_WATCH_S = 600;

export class SliceRequests {
  readonly #loadConfig: () => Promise<KubeConfigLike>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #watched: WatchedService;
  #config: KubeConfigLike | null = null;

  constructor(
    loadConfig: () => Promise<KubeConfigLike>,
    watched: WatchedService,
    { clock, random }: { readonly clock: Clock; readonly random: Random },
  ) {
    this.#loadConfig = loadConfig;
    this.#watched = watched;
    this.#clock = clock;
    this.#random = random;
  }

  get service(): string {
    return this.#watched.service;
  }

  /** null: that of the kubeConfig, which is not loaded yet. */
  get namespace(): string | null {
    return this.#watched.namespace ?? (this.#config ? namespaceOf(this.#config) : null);
  }

  /** The target names the namespace; otherwise it is that of the kubeConfig. */
  get namesNamespace(): boolean {
    return this.#watched.namespace !== null;
  }

  /**
   * Resolves with what the server sent.
   *
   * @throws {RequestFailure} for example.
   */
  list(query: ReadonlyMap<string, string>, signal: AbortSignal): Promise<unknown> {
    return this.#request(query, signal, readJson);
  }

  /**
   * Watches from a version on. Resolves when the server ends the watch.
   *
   * @throws {RequestFailure} for example.
   */
  async watch(version: string, signal: AbortSignal, listener: WatchListener): Promise<void> {
    const seconds = Math.round(LEAST_WATCH_S + (MOST_WATCH_S - LEAST_WATCH_S) * this.#random());
    const query = new Map([
      ['watch', 'true'],
      ['resourceVersion', version],
      ['allowWatchBookmarks', 'true'],
      ['timeoutSeconds', String(seconds)],
    ]);
    await this.#request(query, signal, async (response, deadline) => {
      listener.onEstablished();
      deadline.restart(MOST_SILENCE_MS);
      await readJsonLines(response, (events) => {
        if (signal.aborted) return;
        deadline.restart(MOST_SILENCE_MS);
        listener.onEvents(events);
      });
    });
  }

  /** One request, from its credentials to the end of its body. The deadline is for all of it, unless `read` restarts it. */
  async #request<T>(
    query: ReadonlyMap<string, string>,
    signal: AbortSignal,
    read: (response: IncomingMessage, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const deadline = new Deadline(this.#clock, signal);
    deadline.restart(ANSWER_MS);
    try {
      this.#config ??= await deadline.race(this.#loadConfig(), 'the kubeConfig was not loaded in time');
      const { service, namespace } = this.#watched;
      const parameters = new URLSearchParams([['labelSelector', `kubernetes.io/service-name=${service}`], ...query]);
      const slices = `namespaces/${namespace ?? namespaceOf(this.#config)}/endpointslices`;
      const path = `/apis/discovery.k8s.io/v1/${slices}?${parameters}`;
      const response = await getFromApi(this.#config, path, deadline, this.#clock);
      deadline.signal.throwIfAborted();
      return await read(response, deadline);
    } catch (error) {
      if (!deadline.passed) throw error;
      throw new RequestFailure(deadline.message, { cause: error });
    } finally {
      deadline.end();
    }
  }
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += chunk;
  return JSON.parse(text);
}
