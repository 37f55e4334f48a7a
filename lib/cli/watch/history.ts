/**
 * Remembers what was seen: compares each snapshot with the one before, and keeps states, DNS answers and changes for half
 * an hour. No timers and no channel here; every method takes the time.
 */
import type { Snapshot } from '../../index.js';
import { isInPanic } from '../../telemetry/availability.js';
import { type DnsNews, dnsNews, toDnsView } from './dns-news.js';
import { PodHistory } from './pod-history.js';
import { PANIC } from './pod-news.js';
import type { ChangeView, DnsView, QueryView, WatchView } from './view.js';

export interface HistoryOptions {
  /** Differs from one run to the next. */
  readonly session: string;
  /** Whether this command makes calls. */
  readonly calls: boolean;
  /** Whether pods can be ejected. Default false. */
  readonly outlier?: boolean;
  /** Default: half an hour. */
  readonly keepMs?: number;
  /** At most so many queries, and as many changes. Default 1000. */
  readonly keepEntries?: number;
}

const KEEP_MS = 30 * 60_000;
const KEEP_ENTRIES = 1_000;

interface Seen {
  readonly snapshot: Snapshot;
  readonly dns: DnsView;
}

export class History {
  readonly #session: string;
  readonly #calls: boolean;
  readonly #outlier: boolean;
  readonly #keepMs: number;
  readonly #keepEntries: number;
  readonly #startedAt: number;
  readonly #pods = new Map<string, PodHistory>();
  /** With the revision at which each was added. */
  #queries: { readonly revision: number; readonly view: QueryView }[] = [];
  #changes: { readonly revision: number; readonly view: ChangeView }[] = [];
  #seen: Seen | null = null;
  #revision = 0;
  #lastId = 0;

  constructor(options: HistoryOptions, startedAt: number) {
    this.#session = options.session;
    this.#calls = options.calls;
    this.#outlier = options.outlier ?? false;
    this.#keepMs = options.keepMs ?? KEEP_MS;
    this.#keepEntries = options.keepEntries ?? KEEP_ENTRIES;
    this.#startedAt = startedAt;
  }

  /** Counts up whenever there is something new to show. */
  get revision(): number {
    return this.#revision;
  }

  /** @returns what changed since the last call, in the order in which it happened. */
  observe(snapshot: Snapshot, now: number): readonly ChangeView[] {
    const before = this.#seen;
    const revision = this.#revision + 1;
    const found: Omit<ChangeView, 'id'>[] = [];
    const news = dnsNews(before?.snapshot ?? null, snapshot, now);
    found.push(...this.#record(news, revision));
    let changed = news.query !== null;

    const present = new Set<string>();
    for (const endpoint of snapshot.endpoints) {
      present.add(endpoint.address);
      const known = this.#pods.get(endpoint.address);
      const pod = known ?? new PodHistory(endpoint.address);
      if (!known) this.#pods.set(endpoint.address, pod);
      const update = pod.see(endpoint, now, revision);
      found.push(...update.changes);
      changed ||= update.changed;
    }
    for (const pod of this.#pods.values()) if (!present.has(pod.address)) found.push(...pod.leave(now, revision));

    if (before?.snapshot.state !== snapshot.state) {
      found.push(channelChange(snapshot.state, now));
    }
    const panic = isInPanic(snapshot);
    if (panic !== (before !== null && isInPanic(before.snapshot))) found.push(panicChange(panic, now));
    const settled = before !== null && sameButTime(before.snapshot, snapshot);
    this.#seen = { snapshot, dns: settled ? before.dns : toDnsView(snapshot.dns, now) };
    if (settled && !changed && found.length === 0) return [];

    this.#revision = revision;
    const views = found
      .toSorted((one, other) => one.at - other.at)
      .map((change): ChangeView => ({ ...change, id: this.#nextId() }));
    for (const view of views) this.#changes.push({ revision, view });
    this.#forget(now);
    return views;
  }

  /**
   * What came after a revision; all of it for revision 0.
   *
   * @throws if nothing was observed yet.
   */
  since(revision: number, now: number): WatchView {
    if (this.#seen === null) throw new Error('nothing was observed yet');
    const { snapshot, dns } = this.#seen;
    return {
      session: this.#session,
      revision: this.#revision,
      startedAt: this.#startedAt,
      now,
      keptFrom: now - this.#keepMs,
      target: snapshot.target,
      state: snapshot.state,
      panic: isInPanic(snapshot),
      pods: [...this.#pods.values()].filter((pod) => pod.revision > revision).map((pod) => pod.view()),
      queries: this.#queries.filter((entry) => entry.revision > revision).map(({ view }) => view),
      changes: this.#changes.filter((entry) => entry.revision > revision).map(({ view }) => view),
      dns,
      counters: snapshot.counters,
      calls: this.#calls,
      outlier: this.#outlier,
    };
  }

  #record({ query, changes }: DnsNews, revision: number): readonly Omit<ChangeView, 'id'>[] {
    if (query !== null) this.#queries.push({ revision, view: { ...query, id: this.#nextId() } });
    return changes;
  }

  #forget(now: number): void {
    const from = now - this.#keepMs;
    this.#queries = this.#queries.filter(({ view }) => view.at >= from).slice(-this.#keepEntries);
    this.#changes = this.#changes.filter(({ view }) => view.at >= from).slice(-this.#keepEntries);
    for (const [address, pod] of this.#pods) if (!pod.forget(from)) this.#pods.delete(address);
    // A Service that is rolled out again and again has ever new addresses.
    const gone = [...this.#pods.values()].filter((pod) => pod.goneAt !== null);
    const surplus = gone.length - this.#keepEntries;
    if (surplus <= 0) return;
    gone.sort((one, other) => (one.goneAt ?? 0) - (other.goneAt ?? 0));
    for (const pod of gone.slice(0, surplus)) this.#pods.delete(pod.address);
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}

function channelChange(state: string, at: number): Omit<ChangeView, 'id'> {
  const tone = state === 'READY' ? 'good' : state === 'TRANSIENT_FAILURE' ? 'bad' : 'neutral';
  return { at, about: 'channel', address: null, text: `is ${state}`, tone, routine: false };
}

function panicChange(active: boolean, at: number): Omit<ChangeView, 'id'> {
  const text = active ? `is in panic: ${PANIC}` : 'is no longer in panic';
  return { at, about: 'channel', address: null, text, tone: active ? 'bad' : 'good', routine: false };
}

/** Ages move on by themselves and are no change. Endpoints are compared one by one, by `PodHistory`. */
function sameButTime(one: Snapshot, other: Snapshot): boolean {
  const part = ({ state, dns, counters }: Snapshot): string => {
    const { ageMs: _age, nextQueryAt: _next, cache, ...rest } = dns;
    return JSON.stringify([state, rest, counters, cache?.state, cache?.ttlMs, cache?.expiresInMs.length]);
  };
  // The next query moves when it is asked for earlier; a jump of the wall clock alone moves it by a few milliseconds.
  const moved = Math.abs((one.dns.nextQueryAt ?? 0) - (other.dns.nextQueryAt ?? 0)) > NOTABLE_MS;
  return !moved && part(one) === part(other);
}

/** Rounding apart, the next query keeps its moment. */
const NOTABLE_MS = 20;
