/**
 * Accounts for every call of a load generator: started = answered + failed + under way. Answers are counted by pod,
 * failures by status, latencies in a histogram. Listeners get each call when it has ended.
 */
import { status } from '@grpc/grpc-js';
import type { CallEnd, CallKind } from './hello-calls.js';
import { type Latency, LatencyHistogram } from './latency.js';

export interface StartedCall {
  /** Unique in this process. */
  readonly id: number;
  readonly kind: CallKind;
  /** When it should have started; in a closed loop, when it did. Times are of the generator's clock. */
  readonly dueAt: number;
}

export interface EndedCall extends StartedCall, CallEnd {
  readonly endedAt: number;
}

export type CallListener = (call: EndedCall) => void;

export interface CallsReport {
  readonly started: number;
  readonly answered: number;
  readonly failed: number;
  readonly byPod: Readonly<Record<string, number>>;
  /** By the status's name: `UNAVAILABLE` … */
  readonly failedByStatus: Readonly<Record<string, number>>;
  /** Of the calls that were answered. */
  readonly latency: Latency;
}

/** Later failures are counted, but not kept: a long run must not grow. */
const FAILURES_KEPT = 1_000;

let lastId = 0;

export class Recorder {
  started = 0;
  answered = 0;
  failed = 0;
  readonly byPod = new Map<string, number>();
  readonly failedByStatus = new Map<string, number>();
  readonly latency = new LatencyHistogram();
  /** The first ones. */
  readonly failures: EndedCall[] = [];
  readonly #underWay = new Set<StartedCall>();
  readonly #listeners = new Set<CallListener>();

  get ended(): number {
    return this.answered + this.failed;
  }

  get underWay(): ReadonlySet<StartedCall> {
    return this.#underWay;
  }

  /** Returns the function that ends the subscription. */
  subscribe(listener: CallListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  start(kind: CallKind, dueAt: number): StartedCall {
    const call: StartedCall = { id: ++lastId, kind, dueAt };
    this.started += 1;
    this.#underWay.add(call);
    return call;
  }

  end(started: StartedCall, { pod, peer, code, details, committed, mismatch }: CallEnd, endedAt: number): void {
    if (!this.#underWay.delete(started)) throw new Error(`call ${started.id} is not under way`);
    const { id, kind, dueAt } = started;
    const call: EndedCall = { id, kind, dueAt, endedAt, pod, peer, code, details, committed, mismatch };
    if (code === status.OK) {
      this.answered += 1;
      if (pod !== null) addCount(this.byPod, pod);
      this.latency.record(endedAt - dueAt);
    } else {
      this.failed += 1;
      addCount(this.failedByStatus, status[code] ?? 'UNKNOWN');
      if (this.failures.length < FAILURES_KEPT) this.failures.push(call);
    }
    for (const listener of this.#listeners) listener(call);
  }

  /** Resolves when the end of a call makes `condition` true, or at once if it is true already. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const unsubscribe = this.subscribe(() => {
        if (!condition()) return;
        unsubscribe();
        resolve();
      });
    });
  }

  /** Counts the ended calls of another recorder too. */
  add(other: Recorder): void {
    this.started += other.ended;
    this.answered += other.answered;
    this.failed += other.failed;
    addCounts(this.byPod, other.byPod);
    addCounts(this.failedByStatus, other.failedByStatus);
    this.latency.add(other.latency);
    this.failures.push(...other.failures.slice(0, FAILURES_KEPT - this.failures.length));
  }

  /** Begins a new count. Calls under way belong to it. */
  reset(): void {
    this.started = this.#underWay.size;
    this.answered = 0;
    this.failed = 0;
    this.byPod.clear();
    this.failedByStatus.clear();
    this.latency.reset();
    this.failures.length = 0;
  }

  report(): CallsReport {
    return {
      started: this.started,
      answered: this.answered,
      failed: this.failed,
      byPod: Object.fromEntries(this.byPod),
      failedByStatus: Object.fromEntries(this.failedByStatus),
      latency: this.latency.report,
    };
  }
}

function addCount(counts: Map<string, number>, key: string, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function addCounts(counts: Map<string, number>, others: ReadonlyMap<string, number>): void {
  for (const [key, count] of others) addCount(counts, key, count);
}
