/**
 * Options in; source, filters, policy, monitors and telemetry out. The only file that names the implementations, and the
 * home of their registries: a new one is a file of its own and a line here.
 */
import { ipVersion } from './address.js';
import type { AddressFilter, AddressSource, AddressSourceFactory } from './discovery/address-source.js';
import { defaultPort } from './discovery/default-port.js';
import { Poller, type PollerSettings } from './discovery/poller.js';
import { subsetRanking } from './discovery/subset-ranking.js';
import { localLookup } from './dns/local-names.js';
import { type Lookup, LookupResolver, lookupLimitMs } from './dns/lookup-resolver.js';
import type { NameResolver } from './dns/name-resolver.js';
import { parseServiceName } from './dns/service-name.js';
import { ServiceResolver } from './dns/service-resolver.js';
import type { DnsSettings } from './dns/settings.js';
import { StubResolver } from './dns/stub-resolver.js';
import { ZonalResolver } from './dns/zonal-resolver.js';
import { HeadlessError } from './errors.js';
import { ChannelContext } from './grpc/channel-context.js';
import { traceLine } from './grpc/experimental.js';
import { registerScheme } from './grpc/scheme.js';
import { healthCheck } from './health/health-check.js';
import type { HealthMonitor } from './health/health-monitor.js';
import { OutlierEjection } from './health/outlier-ejection.js';
import { subchannelHealth } from './health/subchannel-health.js';
import { type BalancePolicy, type HeadlessSettings, resolveChannelOptions } from './options.js';
import { createLeastRequest } from './picker/least-request.js';
import { otherEndpoint } from './picker/other-endpoint.js';
import { createPeakEwma } from './picker/peak-ewma.js';
import type { Policy, PolicySettings } from './picker/policy.js';
import { preferredZone } from './picker/preferred-zone.js';
import { createRoundRobin } from './picker/round-robin.js';
import { type Runtime, systemRuntime } from './runtime.js';
import { formatAuthority, formatTarget, type Target } from './target.js';
import { BalancerCounter, createCallCounters, DiscoveryCounter } from './telemetry/counters.js';
import { publishTo, type Subject } from './telemetry/diagnostics-channels.js';
import { type Emit, emitToAll } from './telemetry/events.js';
import { logLines } from './telemetry/log-lines.js';

const POLICIES: Readonly<Record<BalancePolicy, (settings: PolicySettings) => Policy>> = {
  least_request: createLeastRequest,
  round_robin: createRoundRobin,
  peak_ewma: createPeakEwma,
};

function monitorsFor({ outlier, health }: HeadlessSettings, { clock, random }: Runtime, emit: Emit): HealthMonitor[] {
  const monitors = [subchannelHealth];
  if (outlier) monitors.push(new OutlierEjection(outlier, { clock, emit }));
  if (health) monitors.push(healthCheck(health, { clock, random, emit }));
  return monitors;
}

function filtersFor({ port }: Target, settings: HeadlessSettings, runtime: Runtime): readonly AddressFilter[] {
  const { zone, balance } = settings;
  const filters = port === null ? [] : [defaultPort(port)];
  // The balancer takes the first ones.
  if (balance.subset) filters.push(subsetRanking(balance.subset.key ?? processKey(runtime), zone?.name ?? null));
  return filters;
}

/** One for the process: channels that prefer the same pods can share the connections to them. */
const processKeys = new WeakMap<Runtime, string>();

function processKey(runtime: Runtime): string {
  const key = processKeys.get(runtime) ?? `${runtime.random()}`;
  processKeys.set(runtime, key);
  return key;
}

function policyFor({ balance, zone }: HeadlessSettings): Policy {
  const policy = POLICIES[balance.policy](balance);
  return zone?.mode === 'prefer' ? preferredZone(zone.name, policy) : policy;
}

/** Told of every event, of channels and of names alike. */
function subscribersFor(subject: Subject): readonly Emit[] {
  const publish = publishTo(subject);
  return traceLine ? [publish, logLines(subject, traceLine)] : [publish];
}

/** @param subscribers told of the channel's events, beside its counters. */
export function createChannelContext(
  target: Target,
  settings: HeadlessSettings,
  runtime: Runtime,
  subscribers: readonly Emit[] = [],
): ChannelContext {
  const counter = new BalancerCounter();
  const text = formatTarget(target);
  const emit = emitToAll([counter.emit, ...subscribersFor({ target: text }), ...subscribers]);
  return new ChannelContext({
    target: text,
    authority: formatAuthority(target),
    source: createSource(target, settings, runtime),
    filters: filtersFor(target, settings, runtime),
    policy: policyFor(settings),
    forRetries: otherEndpoint,
    retry: settings.retry,
    monitors: monitorsFor(settings, runtime, emit),
    drain: settings.drain,
    selection: {
      subsetSize: settings.balance.subset?.size ?? null,
      connections: settings.balance.connections,
    },
    runtime,
    emit,
    counters: counter.counters,
    calls: createCallCounters(),
  });
}

/** `headless:` targets and our balancer become known to grpc-js. Idempotent. */
export function registerHeadless(): void {
  registerScheme((target, options) => createChannelContext(target, resolveChannelOptions(options), systemRuntime));
}

function createSource(target: Target, settings: HeadlessSettings, runtime: Runtime): AddressSource {
  const { hostname, absolute, server } = target;
  if (target.port === null) {
    if (settings.dns.lookup) throw refuseNamedPort(target, 'headless.dns.lookup, which tells no port');
    if (settings.zone) throw refuseNamedPort(target, 'headless.zone, for which DNS has no names of one port');
  }
  const { lookup: ownLookup, ...dns } = settings.dns;
  // A lookup of the user may know `localhost` as something else. An address is its own answer in any case.
  const local = ipVersion(hostname) || !ownLookup ? localLookup(hostname, dns.family) : null;
  const lookup = local ?? ownLookup;
  // A lookup cannot be asked for another entry of a cache.
  const ttl = lookup && settings.refresh.ttl === 'phased' ? 'adaptive' : settings.refresh.ttl;
  const poller = sharedPoller(
    {
      hostname,
      absolute,
      // The target's own DNS server has precedence over the options'.
      dns: server ? { ...dns, servers: [server] } : dns,
      lookup,
      refresh: { ...settings.refresh, ttl },
      empty: settings.empty,
      // An address is in whatever zone it is in.
      zone: local ? null : settings.zone,
    },
    runtime,
  );
  if (!settings.source || local) return poller;
  return sharedSource(settings.source, poller, settings, target, runtime);
}

/** One for each factory and poller: whatever makes two channels share a poller makes them share the source, too. */
const sources = new WeakMap<AddressSourceFactory, WeakMap<Poller, AddressSource>>();

function sharedSource(
  factory: AddressSourceFactory,
  fallback: Poller,
  { dns, empty, zone }: HeadlessSettings,
  { hostname, absolute }: Target,
  { clock, random }: Runtime,
): AddressSource {
  const byPoller = sources.get(factory) ?? new WeakMap<Poller, AddressSource>();
  sources.set(factory, byPoller);
  const context = { hostname, absolute, fallback, family: dns.family, empty, zone, clock, random };
  const source = byPoller.get(fallback) ?? factory.create(context);
  byPoller.set(fallback, source);
  return source;
}

function refuseNamedPort(target: Target, what: string): HeadlessError {
  const text = JSON.stringify(formatTarget(target));
  const message = `target ${text} cannot be used with ${what}: write the port as a number, or leave the option out`;
  return new HeadlessError('ERR_HEADLESS_TARGET', message);
}

/** All that two channels must have in common to share a poller. */
export interface PollerKey extends PollerSettings {
  /** No search list. */
  readonly absolute: boolean;
  readonly dns: DnsSettings;
  readonly lookup: Lookup | null;
}

/**
 * One poller for each (name, settings) in a process: a hundred channels to one Service ask its DNS as often as one.
 * Held weakly: a poller lives as long as a channel that may want it again (an idle one wakes up with the set that it
 * had), and is collected with the last of them.
 */
const pollers = new WeakMap<Runtime, Map<string, WeakRef<Poller>>>();

export function sharedPoller(key: PollerKey, runtime: Runtime): Poller {
  const registry = pollers.get(runtime) ?? new Map<string, WeakRef<Poller>>();
  pollers.set(runtime, registry);
  const { hostname, absolute, dns, lookup, refresh, empty, zone } = key;
  const text = JSON.stringify([hostname.toLowerCase(), absolute, dns, lookupId(lookup), refresh, empty, zone]);
  const known = registry.get(text)?.deref();
  if (known) return known;
  for (const [other, poller] of registry) if (!poller.deref()) registry.delete(other);
  const counter = new DiscoveryCounter();
  const emit = emitToAll([counter.emit, ...subscribersFor({ name: hostname })]);
  const poller = new Poller(createResolver(key, runtime, emit), { hostname, refresh, empty, zone }, runtime, {
    counters: counter.counters,
    emit,
  });
  registry.set(text, new WeakRef(poller));
  return poller;
}

function createResolver(
  { hostname, absolute, dns, lookup, zone }: PollerKey,
  runtime: Runtime,
  emit: Emit,
): NameResolver {
  const service = parseServiceName(hostname);
  if (service !== null && !lookup) return new ServiceResolver(hostname, service, absolute, dns, runtime, { emit });
  const create = (name: string, withoutSearch: boolean): NameResolver =>
    lookup
      ? new LookupResolver(name, lookup, { clock: runtime.clock, limitMs: lookupLimitMs(dns), emit })
      : new StubResolver(name, withoutSearch, dns, runtime, { emit });
  const plain = create(hostname, absolute);
  if (!zone) return plain;
  return new ZonalResolver(zone, {
    plain,
    fullName: absolute || lookup ? hostname : null,
    createResolver: (fullName) => create(fullName, true),
    clock: runtime.clock,
  });
}

const lookupIds = new WeakMap<Lookup, number>();
let lastLookupId = 0;

/** Two lookups are the same only if they are one function. */
function lookupId(lookup: Lookup | null): number | null {
  if (!lookup) return null;
  const id = lookupIds.get(lookup) ?? ++lastLookupId;
  lookupIds.set(lookup, id);
  return id;
}
