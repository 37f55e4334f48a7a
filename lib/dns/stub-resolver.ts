/**
 * The stub resolver (RFC 9499): resolves one name when asked, through the search list. Which candidate is the Service's
 * name is remembered in `search.ts`, what is asked for under each name is in `name-query.ts`, how a question is put to the
 * servers in `query-runner.ts`, and when to resolve again is decided by the poller.
 */
import type { Runtime } from '../runtime.js';
import type { Emit } from '../telemetry/events.js';
import { BackgroundWork } from './background-work.js';
import { type Exchange, exchange as realExchange } from './exchange.js';
import { isRcode } from './failure.js';
import { assertHostname } from './hostname.js';
import { PLAIN_BITS, type QueryBits } from './message.js';
import { addressQuery, type NameQuery } from './name-query.js';
import type { NameResolver, ResolveOptions } from './name-resolver.js';
import { type QueryResult, summarise, toResolution } from './query-result.js';
import { QueryRunner } from './query-runner.js';
import type { Resolution } from './resolution.js';
import { type ResolutionPlan, ResolutionPlanner } from './resolution-plan.js';
import { Search } from './search.js';
import type { DnsSettings } from './settings.js';

export interface StubResolverDependencies {
  /** Told of every query. */
  readonly emit?: Emit;
  readonly exchange?: Exchange;
  /** Default: addresses, by the family that is set. */
  readonly query?: NameQuery;
}

export class StubResolver implements NameResolver {
  readonly #hostname: string;
  readonly #query: NameQuery;
  readonly #planner: ResolutionPlanner;
  readonly #runner: QueryRunner;
  /** For nearer candidates: what servers do to these must not change how the Service's name is asked for. */
  readonly #nearerRunner: QueryRunner;
  readonly #search: Search;
  readonly #nearer = new BackgroundWork();

  /**
   * @param hostname without a final dot.
   * @param absolute whether it was written with a final dot: then no search list applies.
   * @throws HeadlessError `ERR_HEADLESS_TARGET` for a name that DNS cannot be asked for.
   */
  constructor(
    hostname: string,
    absolute: boolean,
    settings: DnsSettings,
    { clock, random }: Pick<Runtime, 'clock' | 'random'>,
    { emit = () => {}, exchange = realExchange, query = addressQuery(settings.family) }: StubResolverDependencies = {},
  ) {
    assertHostname(hostname);
    this.#hostname = hostname;
    this.#query = query;
    this.#planner = new ResolutionPlanner(hostname, absolute, settings, random);
    this.#runner = new QueryRunner(exchange, clock, emit);
    this.#nearerRunner = new QueryRunner(exchange, clock, emit);
    this.#search = new Search(clock);
  }

  async resolve(
    signal: AbortSignal,
    bits: QueryBits = PLAIN_BITS,
    { searchNearer = false }: ResolveOptions = {},
  ): Promise<Resolution> {
    signal.throwIfAborted();
    const plan = this.#planner.next();
    if (this.#search.begin(plan.names)) this.#nearer.stop();
    this.#nearer.follow(signal);
    const { name } = this.#search;
    if (name === null) return this.#searchAll(plan, bits, signal);
    const results = await this.#resolveName(this.#runner, name, plan, bits, signal);
    this.#searchNearer(searchNearer, plan, bits, signal);
    return toResolution(results);
  }

  async #searchAll(plan: ResolutionPlan, bits: QueryBits, signal: AbortSignal): Promise<Resolution> {
    const results: QueryResult[] = [];
    for (const name of plan.names) {
      const resultsOfName = await this.#resolveName(this.#runner, name, plan, bits, signal);
      if (hasAddresses(resultsOfName)) {
        this.#search.found(name);
        return toResolution(resultsOfName);
      }
      results.push(...resultsOfName);
      if (resultsOfName.some(endsSearch)) break;
    }
    return toResolution(summarise(results, plan.scope, this.#hostname));
  }

  /**
   * Asks for nearer candidates in the background, once each: a name that is slow or fails must not delay the answer that
   * is there. The one found is the Service's name from the next resolution on.
   */
  #searchNearer(atOnce: boolean, plan: ResolutionPlan, bits: QueryBits, signal: AbortSignal): void {
    if (this.#nearer.busy) return;
    const names = this.#search.takeNearer(atOnce);
    if (names.length === 0) return;
    const once = { ...plan, rounds: 1 };
    this.#nearer.start(signal, async (either) => {
      const ask = async (name: string): Promise<void> => {
        const results = await this.#resolveName(this.#nearerRunner, name, once, bits, either);
        if (hasAddresses(results) && !either.aborted) this.#search.found(name);
      };
      await Promise.all(names.map(ask));
    });
  }

  #resolveName(
    runner: QueryRunner,
    hostname: string,
    plan: ResolutionPlan,
    bits: QueryBits,
    signal: AbortSignal,
  ): Promise<QueryResult[]> {
    return this.#query(hostname, (question) => runner.run(question, bits, plan, signal));
  }
}

function hasAddresses(results: readonly QueryResult[]): boolean {
  return results.some(({ outcome }) => outcome.kind === 'addresses');
}

/**
 * As in glibc: after NXDOMAIN, NODATA or an error RCODE the next candidate is asked for; after a timeout it is not,
 * because it would time out too.
 */
function endsSearch({ outcome }: QueryResult): boolean {
  return outcome.kind === 'failed' && !isRcode(outcome.failure.reason);
}
