/** The clients of a simulation: the library's own poller, and the baseline. */
import { Poller } from '../../lib/discovery/poller.js';
import type { RefreshSettings } from '../../lib/discovery/schedule.js';
import type { Exchange } from '../../lib/dns/exchange.js';
import { PLAIN_BITS, type QueryBits } from '../../lib/dns/message.js';
import type { NameResolver } from '../../lib/dns/name-resolver.js';
import { toResolution } from '../../lib/dns/query-result.js';
import { QueryRunner } from '../../lib/dns/query-runner.js';
import type { Resolution } from '../../lib/dns/resolution.js';
import type { ResolutionPlan } from '../../lib/dns/resolution-plan.js';
import type { Clock, Random } from '../../lib/runtime.js';
import { DiscoveryCounter } from '../../lib/telemetry/counters.js';
import type { ClientNews } from './news.js';
import { PlainPoller } from './plain-poller.js';

export interface ClientKind {
  readonly label: string;
  /** `plain`: the baseline, which asks every `intervalMs` and nothing more. */
  readonly refresh: RefreshSettings | { readonly plain: true; readonly intervalMs: number };
}

export interface SimulatedClient {
  start(): void;
  /** A connection to a pod that the client has was closed, or could not be opened again. */
  connectionLost(): void;
}

/** What each client of a simulation shares with the others. */
export interface SimulationContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly exchange: Exchange;
}

const HOSTNAME = 'simulated.fleet.svc.cluster.local';
const QUESTION = { hostname: HOSTNAME, type: 'A' } as const;
/** One address for all replicas, and the library's defaults. */
const PLAN: ResolutionPlan = {
  servers: [{ host: '10.96.0.10', port: 53 }],
  rounds: 2,
  timeoutMs: 1_000,
  names: [HOSTNAME],
  scope: { decisive: new Set([HOSTNAME]), serviceName: HOSTNAME },
  advice: null,
};

export function createClient(kind: ClientKind, context: SimulationContext, news: ClientNews): SimulatedClient {
  const resolver = new NameAsker(context);
  const { refresh } = kind;
  if (!('plain' in refresh)) return new HeadlessClient(refresh, resolver, context, news);
  return new PlainPoller(resolver, refresh.intervalMs, context.clock, (tokens) => {
    news.answered(context.clock.now());
    news.told(context.clock.now(), tokens);
  });
}

/** The name is fully qualified and the servers are fixed; what is asked of them is the query runner's decision. */
class NameAsker implements NameResolver {
  readonly #runner: QueryRunner;

  constructor({ exchange, clock }: SimulationContext) {
    this.#runner = new QueryRunner(exchange, clock, () => {});
  }

  async resolve(signal: AbortSignal, bits: QueryBits = PLAIN_BITS): Promise<Resolution> {
    return toResolution([await this.#runner.run(QUESTION, bits, PLAN, signal)]);
  }
}

/** Its pods are READY as soon as it has addresses. */
class HeadlessClient implements SimulatedClient {
  readonly #poller: Poller;
  readonly #clock: Clock;
  readonly #news: ClientNews;
  #requestReresolution = (): void => {};

  constructor(
    refresh: RefreshSettings,
    resolver: NameResolver,
    { clock, random }: SimulationContext,
    news: ClientNews,
  ) {
    const settings = { hostname: HOSTNAME, refresh, empty: 'keep' } as const;
    this.#poller = new Poller(resolver, settings, { clock, random }, new DiscoveryCounter());
    this.#clock = clock;
    this.#news = news;
  }

  start(): void {
    const subscription = this.#poller.subscribe(({ addresses, changed, error }) => {
      const now = this.#clock.now();
      if (error === null) this.#news.answered(now);
      if (!changed || addresses.length === 0) return;
      subscription.setReady(true);
      this.#news.told(
        now,
        addresses.map(({ host }) => host),
      );
    });
    this.#requestReresolution = () => subscription.requestReresolution();
  }

  connectionLost(): void {
    this.#requestReresolution();
  }
}
