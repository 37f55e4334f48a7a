/**
 * Clients that poll the servers of cache-model.ts in virtual time, and what they saw: how old news was, how many
 * queries it took, and how often a pod was taken back. Answers take no time; connections are READY at once.
 */
import { CacheReading } from '../../lib/discovery/cache-reading.js';
import { Schedule, type ScheduleSettings } from '../../lib/discovery/schedule.js';
import { PLAIN_BITS, type QueryBits } from '../../lib/dns/message.js';
import type { Random } from '../../lib/runtime.js';
import type { ModelServer, SetChange } from './cache-model.js';

/** `plain`: the interval and bursts alone. */
export type ClientRule = 'phased' | 'adaptive' | 'plain';

export type ClientSettings = ScheduleSettings;

export const DEFAULT_SETTINGS: ClientSettings = {
  intervalMs: 5_000,
  jitter: 0.1,
  minIntervalMs: 1_000,
  burstMs: 30_000,
};

export interface Sighting {
  readonly at: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export interface QueryRecord {
  readonly at: number;
  readonly bits: QueryBits;
}

export class SimulatedClient {
  readonly queries: QueryRecord[] = [];
  readonly sightings: Sighting[] = [];
  readonly reading: CacheReading;
  nextAt: number;
  readonly #schedule: Schedule;
  readonly #rule: ClientRule;
  readonly #server: ModelServer;
  #bits: QueryBits = PLAIN_BITS;
  #addresses: ReadonlySet<string> = new Set();

  constructor(rule: ClientRule, server: ModelServer, startAt: number, settings: ClientSettings, random: Random) {
    this.#rule = rule;
    this.#server = server;
    this.nextAt = startAt;
    this.#schedule = new Schedule(settings, random);
    this.#schedule.setUnready(startAt, true);
    const { intervalMs, jitter } = settings;
    const ttl = rule === 'phased' ? 'phased' : 'adaptive';
    this.reading = new CacheReading({ intervalMs, jitter, floorMs: this.#schedule.floorMs, ttl }, random);
  }

  get addresses(): ReadonlySet<string> {
    return this.#addresses;
  }

  ask(now: number): void {
    this.queries.push({ at: now, bits: this.#bits });
    const { addresses, ttl } = this.#server.answer(now, this.#bits);
    const denied = addresses.length === 0;
    const ttlMs = ttl * 1000;
    this.#schedule.answered();
    const answer = { denied, ttlMs, addresses };
    const use =
      this.#rule !== 'plain'
        ? this.reading.answered(now, this.#bits, new Map([['A', answer]])).get('A')
        : ('replace' as const);
    if (use === 'add') this.#apply(now, new Set([...this.#addresses, ...addresses]));
    // An empty answer keeps the set: the rule `keep`.
    else if (use === 'replace' && !denied) this.#apply(now, new Set(addresses));
    const unreadyDelayMs = (this.#schedule.unreadyAt(now) ?? Number.POSITIVE_INFINITY) - now;
    const regularDelayMs = Math.min(this.#schedule.nextDelay(now, this.#addresses.size > 0), unreadyDelayMs);
    if (this.#rule === 'plain') {
      this.nextAt = now + regularDelayMs;
      return;
    }
    const ready = this.#addresses.size > 0;
    const { delayMs, bits } = this.reading.next(now, { regularDelayMs, ready, failing: false });
    this.nextAt = now + delayMs;
    this.#bits = bits;
  }

  #apply(now: number, after: ReadonlySet<string>): void {
    const before = this.#addresses;
    const added = [...after].filter((address) => !before.has(address));
    const removed = [...before].filter((address) => !after.has(address));
    if (added.length === 0 && removed.length === 0) return;
    this.#addresses = after;
    this.sightings.push({ at: now, added, removed });
    if (before.size === 0) this.#schedule.setUnready(now, false);
    else this.#schedule.changed(now);
  }
}

/** Lets the clients poll until `endMs`. */
export function runClients(clients: readonly SimulatedClient[], endMs: number): void {
  for (;;) {
    let next = clients[0];
    for (const client of clients) if (next === undefined || client.nextAt < next.nextAt) next = client;
    if (next === undefined || next.nextAt > endMs) return;
    next.ask(next.nextAt);
  }
}

/** A pod comes or goes every `gapMs` to twice that; each address comes once and goes once. */
export function scaleChanges(count: number, gapMs: number, random: Random): SetChange[] {
  let next = 0;
  let addresses = Array.from({ length: 5 }, () => `pod-${next++}`);
  const changes: SetChange[] = [{ at: Number.NEGATIVE_INFINITY, addresses }];
  let at = 120_000;
  for (let event = 0; event < count; event++) {
    at += gapMs * (1 + random());
    addresses = event % 2 === 0 ? [...addresses, `pod-${next++}`] : addresses.slice(1);
    changes.push({ at, addresses });
  }
  return changes;
}

export interface News {
  readonly meanMs: number;
  readonly maxMs: number;
  /** As `meanMs`, until the change was shown for good: a client that takes news back does not know it yet. */
  readonly settledMeanMs: number;
  readonly queriesPerMinute: number;
  /** Additions and removals of a pod beyond the one of each that the authority made. */
  readonly reversals: number;
  /** Changes that the client never saw. */
  readonly missed: number;
}

/** How old each change was when the client showed it for the first time. */
export function newsOf(client: SimulatedClient, changes: readonly SetChange[]): News {
  const seen = new Map<string, { readonly at: number; readonly present: boolean }[]>();
  const record = (at: number, present: boolean) => (address: string) => {
    const history = seen.get(address) ?? [];
    history.push({ at, present });
    seen.set(address, history);
  };
  for (const { at, added, removed } of client.sightings) {
    added.forEach(record(at, true));
    removed.forEach(record(at, false));
  }
  const timeline = changes.flatMap(({ at, addresses }, index) => {
    const before = changes[index - 1]?.addresses;
    if (before === undefined) return [];
    return [
      ...addresses.filter((address) => !before.includes(address)).map((address) => ({ at, address, present: true })),
      ...before.filter((address) => !addresses.includes(address)).map((address) => ({ at, address, present: false })),
    ];
  });
  const ages: number[] = [];
  const settledAges: number[] = [];
  let missed = 0;
  for (const { at, address, present } of timeline) {
    const endsAt = timeline.find((other) => other.at > at && other.address === address)?.at ?? Number.POSITIVE_INFINITY;
    const history = seen.get(address) ?? [];
    const known = history.findLast((sighting) => sighting.at < at)?.present ?? false;
    const later = history.filter((sighting) => sighting.at >= at && sighting.at < endsAt);
    const first = known === present ? at : later.find((sighting) => sighting.present === present)?.at;
    if (first === undefined) missed += 1;
    else {
      ages.push(first - at);
      settledAges.push((later.findLast((sighting) => sighting.present === present)?.at ?? first) - at);
    }
  }
  const told = [...seen.values()].reduce((sum, history) => sum + history.length, 0);
  const made = changes.length - 1 + (changes[0]?.addresses.length ?? 0);
  const first = client.queries[0]?.at ?? 0;
  const last = client.queries.at(-1)?.at ?? 0;
  return {
    meanMs: mean(ages),
    maxMs: Math.max(...ages),
    settledMeanMs: mean(settledAges),
    queriesPerMinute: ((client.queries.length - 1) / (last - first)) * 60_000,
    reversals: told - made + missed,
    missed,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
