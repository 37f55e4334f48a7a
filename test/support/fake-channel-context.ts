/** A channel's context whose source asks no DNS: the test reports sets itself, and sees what the balancer asks for. */
import type { Address } from '../../lib/address.js';
import type { AddressSource, AddressUpdate, SourceStatus, Subscription } from '../../lib/discovery/address-source.js';
import { defaultPort, NO_PORT } from '../../lib/discovery/default-port.js';
import type { DnsError } from '../../lib/errors.js';
import { ChannelContext, type ChannelParts } from '../../lib/grpc/channel-context.js';
import { subchannelHealth } from '../../lib/health/subchannel-health.js';
import { otherEndpoint } from '../../lib/picker/other-endpoint.js';
import { roundRobin } from '../../lib/picker/round-robin.js';
import { BalancerCounter, createCallCounters, DiscoveryCounter } from '../../lib/telemetry/counters.js';
import type { TelemetryEvent } from '../../lib/telemetry/events.js';
import { FakeClock } from './fake-clock.js';

export class FakeSource implements AddressSource {
  lastError: DnsError | null = null;
  /** Calls of `requestReresolution`. */
  requests = 0;
  /** What `setReady` was told last. */
  ready: boolean | null = null;
  readonly counters = new DiscoveryCounter().counters;
  #hosts: readonly string[] = [];
  readonly #subscribers = new Map<(update: AddressUpdate) => void, { told: string | null }>();

  get subscribers(): number {
    return this.#subscribers.size;
  }

  get status(): SourceStatus {
    return {
      name: 'svc.ns',
      server: null,
      transport: null,
      rcode: null,
      addresses: this.#hosts,
      ttlMs: null,
      answeredAt: null,
      ageMs: null,
      failures: 0,
      error: this.lastError?.message ?? null,
      errorCode: this.lastError?.code ?? null,
      nextQueryAt: null,
      cache: null,
      zone: null,
    };
  }

  subscribe(listener: (update: AddressUpdate) => void): Subscription {
    this.#subscribers.set(listener, { told: null });
    return {
      requestReresolution: () => {
        this.requests += 1;
      },
      refresh: async () => {},
      setReady: (ready) => {
        this.ready = ready;
      },
      end: () => void this.#subscribers.delete(listener),
    };
  }

  /** As the poller does: each subscriber is told whether the set is another than the one it was told last. */
  report(hosts: readonly string[], error: DnsError | null = null): void {
    this.#hosts = hosts;
    const key = [...new Set(hosts)].sort().join();
    const addresses: Address[] = hosts.map((host) => ({ host, port: NO_PORT }));
    for (const [listener, subscriber] of this.#subscribers) {
      const changed = subscriber.told !== key;
      subscriber.told = key;
      listener({ addresses, changed, error });
    }
  }

  tell(update: AddressUpdate): void {
    for (const listener of this.#subscribers.keys()) listener(update);
  }
}

export interface FakeContextSettings {
  readonly policy?: ChannelParts['policy'];
  readonly lingerMs?: number;
  readonly timeoutMs?: number | null;
  readonly retry?: ChannelParts['retry'];
  readonly port?: number;
  /** Beside the health that grpc-js keeps. */
  readonly monitors?: (parts: Pick<ChannelParts, 'emit' | 'runtime'>) => ChannelParts['monitors'];
  readonly selection?: Partial<ChannelParts['selection']>;
  readonly filters?: ChannelParts['filters'];
}

export function fakeContext({
  policy = roundRobin,
  lingerMs = 30_000,
  timeoutMs = null,
  retry = null,
  port = 50_051,
  monitors = () => [],
  selection = {},
  filters = [],
}: FakeContextSettings = {}) {
  const clock = new FakeClock();
  const source = new FakeSource();
  const counter = new BalancerCounter();
  const events: TelemetryEvent[] = [];
  const runtime = { clock, random: () => 0, turns: { current: () => 0 } };
  const emit = (event: TelemetryEvent): void => {
    counter.emit(event);
    events.push(event);
  };
  const context = new ChannelContext({
    target: `headless:///svc.ns:${port}`,
    authority: `svc.ns:${port}`,
    source,
    filters: [defaultPort(port), ...filters],
    policy,
    forRetries: otherEndpoint,
    retry,
    monitors: [subchannelHealth, ...monitors({ emit, runtime })],
    drain: { lingerMs, timeoutMs },
    selection: { subsetSize: null, connections: 1, ...selection },
    runtime,
    emit,
    counters: counter.counters,
    calls: createCallCounters(),
  });
  return { clock, source, context, events };
}
