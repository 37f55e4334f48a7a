/**
 * Asks DNS at an interval and opens no connection, for `--dns-only`. It shows itself as a channel does, so that all else is
 * the same. Caches are not read in phases: each query asks with the plain bits, as most clients do.
 */
import { EventEmitter } from 'node:events';
import { formatHostPort } from '../../address.js';
import type { NameResolver } from '../../dns/name-resolver.js';
import type { Resolution } from '../../dns/resolution.js';
import { parseServiceName } from '../../dns/service-name.js';
import { ServiceResolver } from '../../dns/service-resolver.js';
import type { DnsSettings } from '../../dns/settings.js';
import { StubResolver } from '../../dns/stub-resolver.js';
import type { DnsError, EndpointSnapshot, HeadlessEvents, HeadlessListener, Snapshot } from '../../index.js';
import type { Runtime, Timer } from '../../runtime.js';
import { formatTarget, type Target } from '../../target.js';
import { BalancerCounter, createCallCounters, DiscoveryCounter } from '../../telemetry/counters.js';
import type { Watched } from './watcher.js';

interface Answer {
  readonly at: number;
  readonly ttlMs: number;
}

/** In the place of gRPC's connectivity state and of an endpoint's: there is no channel and no connection. */
export const DNS_ONLY = 'DNS ONLY';
const LISTED = 'listed';

export class DnsOnly implements Watched {
  readonly #target: Target;
  readonly #runtime: Runtime;
  readonly #intervalMs: number;
  readonly #resolver: NameResolver;
  readonly #counter = new DiscoveryCounter();
  readonly #emitter = new EventEmitter();
  readonly #abort = new AbortController();
  /** By address, with the time at which DNS first had it. */
  #listed = new Map<string, number>();
  #resolution: Resolution | null = null;
  #error: DnsError | null = null;
  #answer: Answer | null = null;
  #failures = 0;
  #timer: Timer | null = null;
  #nextAt: number | null = null;

  constructor(target: Target, dns: DnsSettings, intervalMs: number, runtime: Runtime) {
    this.#target = target;
    this.#runtime = runtime;
    this.#intervalMs = intervalMs;
    const service = parseServiceName(target.hostname);
    const settings = target.server ? { ...dns, servers: [target.server] } : dns;
    const { emit } = this.#counter;
    this.#resolver =
      target.port === null && service !== null
        ? new ServiceResolver(target.hostname, service, target.absolute, settings, runtime, { emit })
        : new StubResolver(target.hostname, target.absolute, settings, runtime, { emit });
  }

  snapshot(): Snapshot {
    const now = this.#runtime.clock.wallTime();
    const resolution = this.#resolution;
    return {
      target: formatTarget(this.#target),
      state: DNS_ONLY as Snapshot['state'],
      balancer: 'none',
      endpoints: [...this.#listed].map(([address, since]) => endpoint(address, since)),
      dns: {
        name: resolution?.name ?? this.#target.hostname,
        server: resolution?.server ?? null,
        transport: resolution?.transport ?? null,
        rcode: resolution?.rcode ?? null,
        addresses: [...this.#listed.keys()],
        ttlMs: this.#answer?.ttlMs ?? null,
        answeredAt: this.#answer?.at ?? null,
        ageMs: this.#answer && now - this.#answer.at,
        failures: this.#failures,
        error: this.#error?.message ?? null,
        errorCode: this.#error?.code ?? null,
        cache: null,
        nextQueryAt: this.#nextAt,
        zone: null,
      },
      counters: { ...this.#counter.counters, ...new BalancerCounter().counters, ...createCallCounters() },
    };
  }

  on<E extends keyof HeadlessEvents>(event: E, listener: HeadlessListener<E>): this {
    this.#emitter.on(event, listener as never);
    return this;
  }

  off<E extends keyof HeadlessEvents>(event: E, listener: HeadlessListener<E>): this {
    this.#emitter.off(event, listener as never);
    return this;
  }

  async refresh(): Promise<void> {
    this.#timer?.cancel();
    this.#nextAt = null;
    this.#counter.emit({ kind: 'poll_started' });
    const askedAt = this.#runtime.clock.now();
    try {
      const resolution = await this.#resolver.resolve(this.#abort.signal);
      this.#settle(resolution, this.#runtime.clock.now() - askedAt);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      throw error;
    }
    if (this.#abort.signal.aborted) return;
    this.#nextAt = this.#runtime.clock.wallTime() + this.#intervalMs;
    this.#timer = this.#runtime.clock.setTimer(this.#intervalMs, () => void this.refresh());
  }

  close(): void {
    this.#abort.abort();
    this.#timer?.cancel();
    this.#nextAt = null;
  }

  /** DNS's last word counts as it stands: NXDOMAIN means no pod here, and a failure changes nothing. */
  #settle(resolution: Resolution, durationMs: number): void {
    const outcomes = [...resolution.outcomes.values()];
    const addresses = outcomes.flatMap((outcome) => (outcome.kind === 'addresses' ? this.#textsOf(outcome) : []));
    const ttls = outcomes.flatMap((outcome) => (outcome.kind === 'addresses' ? [outcome.ttlMs] : []));
    const failed = outcomes.some(({ kind }) => kind === 'failed');
    const now = this.#runtime.clock.wallTime();
    const before = this.#listed;
    // What a failure leaves unsaid stays.
    const texts = failed ? [...new Set([...before.keys(), ...addresses])] : addresses;
    this.#listed = new Map(texts.map((address) => [address, before.get(address) ?? now]));
    const changed = before.size !== this.#listed.size || texts.some((address) => !before.has(address));
    this.#resolution = resolution;
    this.#error = ttls.length > 0 ? null : (outcomes.find((outcome) => 'error' in outcome)?.error ?? null);
    this.#failures = failed && ttls.length === 0 ? this.#failures + 1 : 0;
    if (ttls.length > 0) this.#answer = { at: now, ttlMs: Math.min(...ttls) };
    const result = ttls.length > 0 ? 'addresses' : failed ? 'failed' : 'empty';
    this.#counter.emit({ kind: 'poll_settled', result, changed, durationMs });
    // Whoever listens takes a snapshot, whatever the event.
    this.#emitter.emit('update');
  }

  #textsOf({ addresses, services }: { addresses: readonly string[]; services?: readonly unknown[] }): string[] {
    const { port } = this.#target;
    return services || port === null ? [...addresses] : addresses.map((address) => formatHostPort(address, port));
  }
}

function endpoint(address: string, since: number): EndpointSnapshot {
  const calls = { inFlight: 0, started: 0, succeeded: 0, failed: 0 };
  return {
    address,
    state: LISTED as EndpointSnapshot['state'],
    ...calls,
    since,
    zone: null,
    weight: null,
    lastError: null,
    health: null,
    ejected: null,
  };
}
