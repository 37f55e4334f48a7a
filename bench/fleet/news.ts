/** What the clients of a simulation were told, and how long after DNS had it. */
import { AgeHistogram } from './age-histogram.js';
import type { PodHistory } from './pod-history.js';

export interface NewsSummary {
  /** Mean time from a change in DNS until a client is told of it, over all changes and clients. */
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** From the last change until the last client has the final set and keeps it; null where some client never has it. */
  readonly lastKnowsMs: number | null;
  /** Clients that do not have the final set in the end. */
  readonly unaware: number;
  /** How often a client was told a change and then the contrary, on average for each change. */
  readonly takenBack: number;
}

export class FleetNews {
  readonly history: PodHistory;
  readonly clients: ClientNews[] = [];
  readonly #ages = new AgeHistogram();
  /** News that clients were told the contrary of. */
  reversals = 0;

  constructor(history: PodHistory) {
    this.history = history;
  }

  client(): ClientNews {
    const client = new ClientNews(this);
    this.clients.push(client);
    return client;
  }

  record(version: number, now: number): void {
    this.#ages.add(now - (this.history.sets[version]?.at ?? 0));
  }

  /** From `fromMs` until the last client has got the answer that it awaits; null where one gets none. */
  lastAnswerAfter(fromMs: number): number | null {
    const lastMs = Math.max(...this.clients.map(({ answeredAt }) => answeredAt - fromMs));
    return Number.isFinite(lastMs) ? Math.round(lastMs) : null;
  }

  /** Null where the set never changed. */
  summarise(): NewsSummary | null {
    const { sets } = this.history;
    const final = sets.length - 1;
    if (final === 0) return null;
    const ages = this.#ages;
    const unaware = this.clients.filter((client) => client.newest !== final || client.oldest !== final).length;
    const settledAt = Math.max(...this.clients.map((client) => client.settledAt));
    return {
      meanMs: Math.round(ages.meanMs),
      p99Ms: Math.round(ages.quantileMs(0.99)),
      maxMs: Math.round(ages.maxMs),
      lastKnowsMs: unaware > 0 ? null : Math.round(settledAt - (sets[final]?.at ?? 0)),
      unaware,
      takenBack: this.reversals / (2 * final * this.clients.length),
    };
  }
}

export class ClientNews {
  /** The newest set whose additions the client has, and the oldest whose removals it lacks. */
  newest = -1;
  oldest = -1;
  /** When it was last told another set. */
  settledAt = Number.NEGATIVE_INFINITY;
  /** Of its first answer since `awaitAnswer`. */
  answeredAt = Number.NEGATIVE_INFINITY;
  readonly #fleet: FleetNews;
  #toldNewest = 0;
  #toldOldest = 0;

  constructor(fleet: FleetNews) {
    this.#fleet = fleet;
  }

  awaitAnswer(): void {
    this.answeredAt = Number.POSITIVE_INFINITY;
  }

  answered(now: number): void {
    if (this.answeredAt === Number.POSITIVE_INFINITY) this.answeredAt = now;
  }

  /** @param tokens at least one. */
  told(now: number, tokens: readonly string[]): void {
    const versions = tokens.map((token) => this.#fleet.history.versionOf(token));
    const newest = Math.max(...versions);
    const oldest = Math.min(...versions);
    if (newest === this.newest && oldest === this.oldest) return;
    if (this.newest === -1) {
      // What it finds at its start is no news.
      this.#toldNewest = newest;
      this.#toldOldest = oldest;
    }
    this.#fleet.reversals += Math.max(0, this.newest - newest) + Math.max(0, this.oldest - oldest);
    for (; this.#toldNewest < newest; this.#toldNewest++) this.#fleet.record(this.#toldNewest + 1, now);
    for (; this.#toldOldest < oldest; this.#toldOldest++) this.#fleet.record(this.#toldOldest + 1, now);
    this.newest = newest;
    this.oldest = oldest;
    this.settledAt = now;
  }
}
