/**
 * The stub resolver (RFC 9499): resolves one name when asked, through the search list, by the family that is set. How a
 * question is put to the servers is in `query-runner.ts`, and when to resolve again is decided by the poller.
 */
import type { Runtime } from '../runtime.js';
import type { Emit } from '../telemetry/events.js';
import { type Exchange, exchange as realExchange } from './exchange.js';
import { isRcode } from './failure.js';
import { assertHostname } from './hostname.js';
import type { QueryBits, RecordType } from './message.js';
import type { NameResolver } from './name-resolver.js';
import { type QueryResult, summarise, toResolution } from './query-result.js';
import { QueryRunner } from './query-runner.js';
import type { Resolution } from './resolution.js';
import { type ResolutionPlan, ResolutionPlanner } from './resolution-plan.js';
import type { DnsSettings, Family } from './settings.js';

const NO_BITS: QueryBits = { dnssecOk: false, checkingDisabled: false };

export interface StubResolverDependencies {
  /** Told of every query. */
  readonly emit?: Emit;
  readonly exchange?: Exchange;
}

export class StubResolver implements NameResolver {
  readonly #hostname: string;
  readonly #family: Family;
  readonly #planner: ResolutionPlanner;
  readonly #runner: QueryRunner;
  /** The candidate that had addresses last. With `ndots:5` it would often be the fourth name to be asked for. */
  #knownName: string | undefined;

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
    { emit = () => {}, exchange = realExchange }: StubResolverDependencies = {},
  ) {
    assertHostname(hostname);
    this.#hostname = hostname;
    this.#family = settings.family;
    this.#planner = new ResolutionPlanner(hostname, absolute, settings, random);
    this.#runner = new QueryRunner(exchange, clock, emit);
  }

  async resolve(signal: AbortSignal, bits: QueryBits = NO_BITS): Promise<Resolution> {
    signal.throwIfAborted();
    const plan = this.#planner.next(this.#knownName);
    const results: QueryResult[] = [];
    for (const name of plan.names) {
      const resultsOfName = await this.#resolveName(name, plan, bits, signal);
      if (resultsOfName.some(({ outcome }) => outcome.kind === 'addresses')) {
        this.#knownName = name;
        return toResolution(resultsOfName);
      }
      results.push(...resultsOfName);
      if (resultsOfName.some((result) => this.#endsSearch(result))) break;
    }
    return toResolution(summarise(results, this.#knownName ?? this.#hostname));
  }

  /**
   * As in glibc: after NXDOMAIN, NODATA or an error RCODE the next candidate is asked for; after a timeout it is not,
   * because it would time out too. A failure of the known name also ends the search: its addresses are still in use,
   * and those of another name in the search list must not replace them.
   */
  #endsSearch({ question, outcome }: QueryResult): boolean {
    return outcome.kind === 'failed' && (question.hostname === this.#knownName || !isRcode(outcome.failure.reason));
  }

  async #resolveName(
    hostname: string,
    plan: ResolutionPlan,
    bits: QueryBits,
    signal: AbortSignal,
  ): Promise<QueryResult[]> {
    const query = (type: RecordType): Promise<QueryResult> => this.#runner.run({ hostname, type }, bits, plan, signal);
    switch (this.#family) {
      case 'ipv4':
        return [await query('A')];
      case 'ipv6':
        return [await query('AAAA')];
      case 'dual':
        return Promise.all([query('A'), query('AAAA')]);
      case 'auto': {
        const a = await query('A');
        const isNoData = a.outcome.kind === 'empty' && a.outcome.failure.reason === 'nodata';
        return isNoData ? [a, await query('AAAA')] : [a];
      }
    }
  }
}
