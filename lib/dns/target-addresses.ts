/**
 * The addresses of the targets of one name's SRV records: from the response itself, or from queries of their own. While
 * such a query fails, those of the last poll.
 */
import type { Clock } from '../runtime.js';
import { isRcode } from './failure.js';
import type { AddressType } from './message.js';
import type { Ask } from './name-query.js';
import type { QueryResult } from './query-result.js';
import type { ServiceRecord } from './service-records.js';

/** So many targets are asked for at once. */
const CONCURRENCY = 8;
/** So many are asked for in one poll, whatever their priorities. The others have their turn in the next polls. */
const MAX_TARGETS = 256;
/** A target with addresses of another family only is not asked for again for so long: there may be one for each pod. */
const OTHER_FAMILY_MS = 60_000;

/** What one poll may still ask for, in all its priorities together. */
export interface LookupBudget {
  targets: number;
  /** Targets of the poll were left for the next one. */
  incomplete: boolean;
}

export class TargetAddresses {
  readonly #types: readonly AddressType[];
  readonly #clock: Pick<Clock, 'now'>;
  /** Targets that had queries of their own are in the order of the last ones. */
  readonly #known = new Map<string, readonly string[]>();
  readonly #deniedUntil = new Map<string, number>();
  /**
   * Targets asked for since the last poll that could ask for all that it needed, and the queries for them that failed.
   * A priority without any address asks for each of them once, so that the next priorities have their turn too.
   */
  readonly #round = new Map<string, QueryResult | null>();

  /** @param types the record types that count, the preferred one first. */
  constructor(types: readonly AddressType[], clock: Pick<Clock, 'now'>) {
    this.#types = types;
    this.#clock = clock;
  }

  /** Of one family; empty where no address is known. */
  of(target: string): readonly string[] {
    return this.#known.get(target) ?? [];
  }

  /** Begins a poll with these records; forgets every other target. */
  begin(services: readonly ServiceRecord[]): LookupBudget {
    const targets = new Set(services.map(({ target }) => target));
    for (const map of [this.#known, this.#deniedUntil, this.#round])
      for (const target of map.keys()) if (!targets.has(target)) map.delete(target);
    return { targets: MAX_TARGETS, incomplete: false };
  }

  /** Ends a poll that asked for all priorities that it needed. */
  end(budget: LookupBudget): void {
    if (!budget.incomplete) this.#round.clear();
  }

  /** Learns the addresses of the targets of one priority. Resolves with the first query that failed, if any did. */
  async learn(services: readonly ServiceRecord[], budget: LookupBudget, ask: Ask): Promise<QueryResult | null> {
    const missing = new Map<string, ServiceRecord>();
    for (const service of services) {
      const addresses = this.#inResponse(service);
      if (addresses.length > 0) this.#known.set(service.target, addresses);
      else if (this.#isDenied(service.target)) this.#known.set(service.target, []);
      else missing.set(service.target, service);
    }
    const neverAsked = [...missing.keys()].filter((target) => !this.#known.has(target));
    const askedBefore = [...this.#known.keys()].filter((target) => missing.has(target));
    const hasAddress = services.some(({ target }) => this.of(target).length > 0);
    const all = [...neverAsked, ...askedBefore];
    const queue = hasAddress ? all : all.filter((target) => !this.#round.has(target));
    const earlier = all.map((target) => this.#round.get(target)).find((failure) => failure != null) ?? null;
    const failed = await this.#askFor(queue, missing, budget, ask);
    if (queue.some((target) => !this.#round.has(target))) budget.incomplete = true;
    return failed ?? (hasAddress ? null : earlier);
  }

  #inResponse({ ipv4, ipv6 }: ServiceRecord): readonly string[] {
    const sets = this.#types.map((type) => (type === 'A' ? ipv4 : ipv6));
    return sets.find((addresses) => addresses.length > 0) ?? [];
  }

  #isDenied(target: string): boolean {
    return this.#clock.now() < (this.#deniedUntil.get(target) ?? Number.NEGATIVE_INFINITY);
  }

  async #askFor(
    targets: readonly string[],
    services: ReadonlyMap<string, ServiceRecord>,
    budget: LookupBudget,
    ask: Ask,
  ): Promise<QueryResult | null> {
    const queue = targets.values();
    let failed: QueryResult | null = null;
    const worker = async (): Promise<void> => {
      while (budget.targets > 0) {
        const { value: target } = queue.next();
        if (target === undefined) return;
        budget.targets -= 1;
        const result = await this.#query(target, ask);
        const { outcome } = result;
        const before = this.of(target);
        this.#round.set(target, outcome.kind === 'failed' ? result : null);
        // To the end of the order.
        this.#known.delete(target);
        this.#known.set(
          target,
          outcome.kind === 'addresses' ? outcome.addresses : outcome.kind === 'empty' ? [] : before,
        );
        if (outcome.kind === 'empty') {
          const { ipv4 = [], ipv6 = [] } = services.get(target) ?? {};
          if (ipv4.length + ipv6.length > 0) this.#deniedUntil.set(target, this.#clock.now() + OTHER_FAMILY_MS);
        }
        if (outcome.kind === 'failed') {
          failed ??= result;
          // The servers respond to nothing: asking for more targets, of any priority, would only take more time.
          if (!isRcode(outcome.failure.reason)) budget.targets = 0;
        }
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
    return failed;
  }

  /** The first type that has addresses; the next type is asked for only after NODATA. */
  async #query(hostname: string, ask: Ask): Promise<QueryResult> {
    const [first, ...others] = this.#types as [AddressType, ...AddressType[]];
    let result: QueryResult = await ask({ hostname, type: first });
    for (const type of others) {
      if (result.outcome.kind !== 'empty' || result.outcome.failure.reason !== 'nodata') break;
      result = await ask({ hostname, type });
    }
    return result;
  }
}
