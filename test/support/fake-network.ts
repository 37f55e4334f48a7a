/** A stub resolver on a fake network: the test decides each answer, no socket is opened, and every query is recorded. */
import assert from 'node:assert/strict';
import type { ExchangeFailureReason, ExchangeRequest, ExchangeResult } from '../../lib/dns/exchange.js';
import type { QueryBits } from '../../lib/dns/message.js';
import type { NameResolver } from '../../lib/dns/name-resolver.js';
import type { OutcomeSource, Resolution } from '../../lib/dns/resolution.js';
import type { Response } from '../../lib/dns/response.js';
import { parseServiceName } from '../../lib/dns/service-name.js';
import { ServiceResolver } from '../../lib/dns/service-resolver.js';
import type { DnsSettings } from '../../lib/dns/settings.js';
import { StubResolver, type StubResolverDependencies } from '../../lib/dns/stub-resolver.js';
import type { DnsError } from '../../lib/errors.js';
import type { Runtime } from '../../lib/runtime.js';
import { DiscoveryCounter, type DiscoveryCounters } from '../../lib/telemetry/counters.js';
import { FakeClock } from './fake-clock.js';
import { scriptedRandom } from './fake-random.js';

export const NXDOMAIN = { rcode: 'NXDOMAIN', ttlMs: 5_000 };
export const SERVFAIL = { rcode: 'SERVFAIL' };
export const ONE = { host: '10.0.0.1', port: 53 };
const TWO = { host: '10.0.0.2', port: 53 };
export const NAME = 'svc.ns.svc.cluster.local';
const never = new AbortController().signal;

/** The fake network's answer to a query: a failure, addresses, or parts of a response. */
export type FakeAnswer = ExchangeFailureReason | 'truncated' | 'id-mismatch' | string[] | Partial<Response>;
type Answering = (request: ExchangeRequest) => FakeAnswer | Promise<FakeAnswer>;

function toResult(answer: FakeAnswer, { server, question: { hostname } }: ExchangeRequest): ExchangeResult {
  if (answer === 'truncated') return { kind: 'truncated' };
  if (answer === 'id-mismatch') return { kind: 'id-mismatch' };
  if (typeof answer === 'string') {
    const address = `${server.host}:${server.port}`;
    return { kind: 'failed', failure: { reason: answer, message: `${address} ${answer}`, hostname, server: address } };
  }
  const parts = Array.isArray(answer) ? { addresses: answer } : answer;
  const response = {
    rcode: 'NOERROR',
    truncated: false,
    addresses: [],
    services: [],
    refused: 0,
    ttlMs: 30_000,
    ...parts,
  };
  return { kind: 'response', response };
}

export interface ResolverFixture<R extends NameResolver = StubResolver> {
  readonly resolver: R;
  readonly counters: Readonly<DiscoveryCounters>;
  readonly clock: FakeClock;
  /**
   * All queries so far as `"last octet of the server, transport, type, name"`, with `no-edns`, `DO` and `CD` where they
   * apply; cleared by reading.
   */
  takeQueries(): string[];
  /** The timeout of each query, in milliseconds. */
  readonly timeouts: number[];
  resolve(bits?: QueryBits): Promise<Resolution>;
}

export interface ResolverFixtureOptions extends Partial<DnsSettings> {
  hostname?: string;
  absolute?: boolean;
}

export function resolverFixture(answering: Answering, options: ResolverFixtureOptions = {}): ResolverFixture {
  return fixtureOf(
    (hostname, absolute, settings, runtime, dependencies) =>
      new StubResolver(hostname, absolute, settings, runtime, dependencies),
    answering,
    options,
  );
}

/** The same of a named port; `hostname` is `_port._tcp.service`. */
export function serviceFixture(
  answering: Answering,
  options: ResolverFixtureOptions & { hostname: string },
): ResolverFixture<ServiceResolver> {
  const name = parseServiceName(options.hostname);
  assert.ok(name);
  return fixtureOf(
    (hostname, absolute, settings, runtime, dependencies) =>
      new ServiceResolver(hostname, name, absolute, settings, runtime, dependencies),
    answering,
    options,
  );
}

type CreateResolver<R> = (
  hostname: string,
  absolute: boolean,
  settings: DnsSettings,
  runtime: Pick<Runtime, 'clock' | 'random'>,
  dependencies: Pick<StubResolverDependencies, 'emit' | 'exchange'>,
) => R;

function fixtureOf<R extends NameResolver>(
  create: CreateResolver<R>,
  answering: Answering,
  options: ResolverFixtureOptions,
): ResolverFixture<R> {
  const { hostname = NAME, absolute = true, ...settings } = options;
  const clock = new FakeClock();
  const queries: string[] = [];
  const timeouts: number[] = [];
  const { counters, emit } = new DiscoveryCounter();
  const resolver = create(
    hostname,
    absolute,
    {
      servers: [ONE, TWO],
      family: 'ipv4',
      timeoutMs: null,
      attempts: null,
      search: null,
      ndots: null,
      resolvConf: '/nonexistent/resolv.conf',
      ...settings,
    },
    { clock, random: scriptedRandom(0) },
    {
      emit,
      exchange: async (request) => {
        const { server, question, transport, edns, bits } = request;
        request.signal.throwIfAborted();
        const shown = [server.host.split('.')[3], transport, question.type, question.hostname];
        if (!edns) shown.push('no-edns');
        if (bits?.dnssecOk) shown.push('DO');
        if (bits?.checkingDisabled) shown.push('CD');
        timeouts.push(request.timeoutMs);
        queries.push(shown.join(' '));
        return toResult(await answering(request), request);
      },
    },
  );
  return {
    resolver,
    counters,
    clock,
    takeQueries: () => queries.splice(0),
    timeouts,
    resolve: (bits) => resolver.resolve(never, bits),
  };
}

/** `"A 10.1.0.1,10.1.0.2"`, `"A empty nxdomain"`, `"AAAA failed timeout"`. */
export function outcomesOf({ outcomes }: Resolution): string[] {
  return [...outcomes].map(([source, outcome]) => {
    if (outcome.kind === 'addresses')
      return `${source} ${outcome.addresses.join()}${outcome.partial ? ' partial' : ''}`;
    const { kind, reason, error } = outcome;
    assert.equal(error.code, `ERR_HEADLESS_DNS_${reason.toUpperCase()}`);
    assert.equal(error.isEmptyAnswer, kind === 'empty');
    return `${source} ${kind} ${reason}`;
  });
}

export function errorOf({ outcomes }: Resolution, source: OutcomeSource = 'A'): DnsError {
  const outcome = outcomes.get(source);
  assert.ok(outcome !== undefined && outcome.kind !== 'addresses');
  return outcome.error;
}
