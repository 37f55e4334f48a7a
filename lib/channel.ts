/** The channel: a real grpc-js channel with our resolver and balancer, events and a snapshot. */
import { Channel, type ChannelCredentials, type ChannelOptions, connectivityState } from '@grpc/grpc-js';
import { createChannelContext, registerHeadless } from './compose.js';
import { HeadlessError } from './errors.js';
import { CHANNEL_CONTEXT_KEY, type ChannelContext } from './grpc/channel-context.js';
import { checkCredentials } from './grpc/grpc-copies.js';
import { checkEventName } from './options/event-name.js';
import { readyTimeoutMs } from './options/ready-options.js';
import { type HeadlessOptions, resolveChannelOptions } from './options.js';
import { proxyOf } from './proxy.js';
import { keepingProcessAlive, MAX_TIMER_MS, type Runtime, systemRuntime } from './runtime.js';
import { formatTarget, parseTarget } from './target.js';
import { ChannelEvents, type HeadlessEvents, type HeadlessListener } from './telemetry/channel-events.js';
import type { Snapshot } from './telemetry/snapshot.js';

/** grpc-js's channel options, with ours under one key. */
export type HeadlessChannelOptions = ChannelOptions & {
  /** The options of this package. */
  headless?: HeadlessOptions | undefined;
};

/**
 * A drop-in for grpc-js's `Channel`, to hand to any stub that takes one (`channelOverride`, `channelFactoryOverride`,
 * nice-grpc …). It connects at the first call, or at `ready()`, `refresh()` or `getConnectivityState(true)`; after
 * `grpc.client_idle_timeout_ms` (30 min) without calls it lets everything go, as any grpc-js channel does.
 */
export class HeadlessChannel extends Channel {
  readonly #context: ChannelContext;
  readonly #events: ChannelEvents;
  #closed = false;

  /**
   * @param target `host:port`, `headless:///host:port` or `headless://dns-server[:port]/host:port`; with `_name._tcp.host` in
   *   the place of `host:port` SRV records tell the port.
   * @param credentials as for any grpc-js channel; TLS checks the service's name, whichever IP is dialled.
   * @param options grpc-js's channel options, and ours under `headless`.
   * @param runtime time and randomness, for tests.
   * @throws {HeadlessError} `ERR_HEADLESS_TARGET`, `ERR_HEADLESS_OPTION`, or `ERR_HEADLESS_GRPC_VERSION` for credentials
   *   of a second copy of grpc-js; what grpc-js throws for its own arguments.
   */
  constructor(
    target: string,
    credentials: ChannelCredentials,
    options: HeadlessChannelOptions = {},
    runtime: Runtime = systemRuntime,
  ) {
    registerHeadless();
    const parsed = parseTarget(target);
    const settings = resolveChannelOptions(options);
    checkCredentials(credentials);
    const { headless: _ours, ...forGrpc } = options;
    const events = new ChannelEvents();
    const context = createChannelContext(parsed, settings, runtime, [events.emit]);
    super(formatTarget(parsed), credentials, {
      ...forGrpc,
      // With http_proxy in the environment grpc-js would replace our target by the proxy's. To grpc-js, undefined means 1.
      'grpc.enable_http_proxy': forGrpc['grpc.enable_http_proxy'] ?? 0,
      [CHANNEL_CONTEXT_KEY]: context,
    });
    this.#context = context;
    this.#events = events;
    context.channel = {
      state: () => connectivityState[this.getConnectivityState(false)] as Snapshot['state'],
      connect: () => void this.getConnectivityState(true),
    };
    context.onChannelOpened();
  }

  /**
   * Calls `listener` at every `event` from now on.
   *
   * @throws {HeadlessError} `ERR_HEADLESS_OPTION` for an event that does not exist.
   */
  on<E extends keyof HeadlessEvents>(event: E, listener: HeadlessListener<E>): this {
    this.#listenTo(event);
    this.#events.emitter.on(event, listener as never);
    return this;
  }

  /** Calls `listener` at the next `event` only. Throws as `on` does. */
  once<E extends keyof HeadlessEvents>(event: E, listener: HeadlessListener<E>): this {
    this.#listenTo(event);
    this.#events.emitter.once(event, listener as never);
    return this;
  }

  /** Undoes `on` and `once`. */
  off<E extends keyof HeadlessEvents>(event: E, listener: HeadlessListener<E>): this {
    this.#events.emitter.off(event, listener as never);
    return this;
  }

  /** The same as `off`, under the name that `node:events`' helpers (`once`, `on`) call it by. */
  removeListener<E extends keyof HeadlessEvents>(event: E, listener: HeadlessListener<E>): this {
    return this.off(event, listener);
  }

  /**
   * Resolves when the first pod is READY, at once if one is. Starts connecting. The process stays alive meanwhile.
   *
   * @param options.timeoutMs default 5000; `Infinity` waits for ever.
   * @throws {HeadlessError} `ERR_HEADLESS_NOT_READY` when time runs out, naming what stood in the way (`cause` is the
   *   last {@link ConnectionError} of the pods, or else the last {@link DnsError}, where there is one);
   *   `ERR_HEADLESS_CLOSED` when the channel is closed before; `ERR_HEADLESS_OPTION` for other options than `timeoutMs`.
   */
  async ready(options: { timeoutMs?: number } = {}): Promise<void> {
    const timeoutMs = readyTimeoutMs(options);
    const deadline =
      timeoutMs > MAX_TIMER_MS ? Number.POSITIVE_INFINITY : this.#context.parts.runtime.clock.wallTime() + timeoutMs;
    for (;;) {
      const state = this.getConnectivityState(true);
      if (this.#closed) throw this.#closedError();
      if (state === connectivityState.READY) return;
      if (!(await keepingProcessAlive(this.#stateChange(state, deadline)))) throw this.#notReadyError(timeoutMs);
    }
  }

  /**
   * Asks DNS now: at once, or as soon as `minIntervalMs` since the last query has passed. Calls made meanwhile share
   * one query. Resolves when the answer or its failure is in; DNS trouble never rejects (see `snapshot().dns`). The process
   * stays alive meanwhile. With `endpointSlices()` the slices are listed anew, no sooner than 1 s after the last list.
   *
   * @throws {HeadlessError} `ERR_HEADLESS_CLOSED` on a closed channel.
   */
  async refresh(): Promise<void> {
    await this.#context.refresh();
  }

  /** The state of this moment, as plain data. Costs time in proportion to the number of pods. */
  snapshot(): Snapshot {
    return this.#context.snapshot();
  }

  /**
   * The state of this moment, as grpc-js has it; SHUTDOWN for ever once the channel is closed.
   *
   * @param tryToConnect leave the state IDLE.
   */
  override getConnectivityState(tryToConnect: boolean): connectivityState {
    const state = super.getConnectivityState(tryToConnect && !this.#closed);
    if (!this.#closed || state === connectivityState.SHUTDOWN) return state;
    // Whoever was told of the first query has closed the channel, and grpc-js went on to CONNECTING after that.
    super.close();
    return connectivityState.SHUTDOWN;
  }

  /** Ends the polling; calls under way finish, as with any grpc-js channel. Idempotent. */
  override close(): void {
    this.#closed = true;
    super.close();
    this.#context.onChannelClosed();
  }

  #listenTo(event: keyof HeadlessEvents): void {
    checkEventName(event);
    if (event === 'imbalance') this.#context.watchStreams();
  }

  /** False when the deadline came first. */
  #stateChange(state: connectivityState, deadline: number): Promise<boolean> {
    return new Promise((resolve) => this.watchConnectivityState(state, deadline, (error) => resolve(!error)));
  }

  #closedError(): HeadlessError {
    return new HeadlessError('ERR_HEADLESS_CLOSED', `the channel to ${this.getTarget()} is closed`);
  }

  #notReadyError(timeoutMs: number): HeadlessError {
    const { lastError } = this.#context.parts.source;
    const endpoints = this.#context.balancer?.endpoints() ?? [];
    const states = endpoints.map(({ address, state }) => `${address} ${state}`).slice(0, 5);
    const more = endpoints.length > states.length ? ` and ${endpoints.length - states.length} more` : '';
    const pods = states.length > 0 ? `pods: ${states.join(', ')}${more}` : 'no pod is known';
    const connectionError = this.#context.balancer?.connectionError() ?? null;
    const connection = connectionError ? `; last connection error: ${connectionError.message}` : '';
    const dns = lastError ? `; ${lastError.message}` : '';
    const proxy = this.#context.hasResolver ? '' : proxyReason();
    const message = `no pod of ${this.getTarget()} was READY within ${timeoutMs} ms: ${pods}${connection}${dns}${proxy}`;
    const cause = connectionError ?? lastError;
    return new HeadlessError('ERR_HEADLESS_NOT_READY', message, cause ? { cause } : undefined);
  }
}

/** grpc-js decided it when the channel was made; the environment may have changed since. */
function proxyReason(): string {
  const variable = proxyOf(process.env)?.variable ?? 'a proxy';
  return (
    `; ${variable} was set and 'grpc.enable_http_proxy' is not 0, so grpc-js connects to the proxy, and not to the pods: ` +
    "leave 'grpc.enable_http_proxy' out, or name the host in no_grpc_proxy"
  );
}
