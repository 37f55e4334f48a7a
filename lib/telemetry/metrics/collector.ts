/** Reads the open channels when metrics are collected, and adds up those of the same target. */
import type { Attributes } from '@opentelemetry/api';
import { type ChannelView, channels } from '../open-channels.js';
import type { Snapshot } from '../snapshot.js';
import type { BoundedValues } from './bounded-values.js';
import { type CallSums, CallTotals, sumsOf } from './call-totals.js';
import {
  CALL_RESULT,
  CHANNEL_STATE,
  ENDPOINT_STATE,
  type OBSERVED,
  PEER_ADDRESS,
  PEER_PORT,
  TARGET,
} from './definitions.js';

export type Observe = (metric: keyof typeof OBSERVED, value: number, attributes: Attributes) => void;

const CHANNEL_STATES = ['IDLE', 'CONNECTING', 'READY', 'TRANSIENT_FAILURE'] as const;
const ENDPOINT_STATES = ['connecting', 'ready', 'backoff', 'draining'] as const;

/** Endpoints with series of their own, of all targets together. The calls of the others are in one series a target. */
const MOST_ENDPOINTS = 1_000;
/** As OpenTelemetry's conventions have it. */
const OTHER_ENDPOINTS = '_OTHER';

/** What the channels of one target have in common. */
interface TargetState {
  readonly channels: Map<string, number>;
  readonly endpoints: Map<string, number>;
  readonly inFlight: Map<string, number>;
  answerAgeMs: number | null;
  failures: number | null;
}

export interface CollectorSettings {
  /** Calls have the endpoint's address among their attributes. */
  readonly addresses: boolean;
  readonly targets: BoundedValues;
}

export class Collector {
  readonly #settings: CollectorSettings;
  readonly #totals = new CallTotals();
  /** Closed, with calls that have not ended. */
  readonly #closing = new Set<ChannelView>();
  /** Keys of the endpoints that this collection has met. */
  readonly #endpoints = new Set<string>();

  constructor(settings: CollectorSettings) {
    this.#settings = settings;
  }

  /** A channel is about to leave the list: what it counted since the last collection must not be lost. */
  onChannelClosed(target: string): void {
    for (const view of channels()) {
      if (view.target !== target) continue;
      const snapshot = view.snapshot();
      if (snapshot.state !== 'SHUTDOWN') continue;
      this.#count(view, snapshot);
      if (inFlightOf(snapshot.counters) > 0) this.#closing.add(view);
    }
  }

  collect(observe: Observe): void {
    const targets = new Map<string, TargetState>();
    this.#endpoints.clear();
    for (const view of channels()) {
      const snapshot = view.snapshot();
      const target = this.#settings.targets.of(snapshot.target);
      const state = targets.get(target) ?? emptyState();
      targets.set(target, state);
      this.#addState(target, state, snapshot);
      this.#count(view, snapshot);
    }
    for (const view of this.#closing) {
      const snapshot = view.snapshot();
      this.#count(view, snapshot);
      if (inFlightOf(snapshot.counters) === 0) this.#closing.delete(view);
    }
    for (const [target, state] of targets) observeState(observe, target, state);
    if (this.#settings.addresses) this.#totals.keepOnly(this.#endpoints);
    for (const [key, { picks, ok, error }] of this.#totals.entries()) {
      const attributes = attributesOf(key);
      observe('picks', picks, attributes);
      observe('calls', ok, { ...attributes, [CALL_RESULT]: 'ok' });
      observe('calls', error, { ...attributes, [CALL_RESULT]: 'error' });
    }
  }

  #addState(target: string, state: TargetState, { state: channel, endpoints, dns, counters }: Snapshot): void {
    add(state.channels, channel);
    for (const endpoint of endpoints) {
      add(state.endpoints, endpoint.state);
      if (this.#settings.addresses) add(state.inFlight, this.#keyOf(target, endpoint.address), endpoint.inFlight);
    }
    if (!this.#settings.addresses) add(state.inFlight, target, inFlightOf(counters));
    // An idle channel asks nothing, so its answer grows old.
    if (channel === 'IDLE') return;
    if (dns.ageMs !== null) state.answerAgeMs = Math.max(state.answerAgeMs ?? 0, dns.ageMs);
    state.failures = Math.max(state.failures ?? 0, dns.failures);
  }

  #count(view: ChannelView, { target: text, endpoints, counters }: Snapshot): void {
    const target = this.#settings.targets.of(text);
    const counted = new Map<string, CallSums>();
    if (this.#settings.addresses)
      for (const endpoint of endpoints) {
        const key = this.#keyOf(target, endpoint.address);
        const sums = counted.get(key);
        const more = sumsOf(endpoint);
        counted.set(key, sums ? plus(sums, more) : more);
      }
    else {
      const { callsStarted, callsSucceeded, callsFailed } = counters;
      counted.set(target, { picks: callsStarted, ok: callsSucceeded, error: callsFailed });
    }
    this.#totals.add(view, counted);
  }

  /** Of the series of one endpoint. */
  #keyOf(target: string, address: string): string {
    const key = `${target} ${address}`;
    if (this.#endpoints.has(key) || this.#endpoints.size < MOST_ENDPOINTS) {
      this.#endpoints.add(key);
      return key;
    }
    const others = `${target} ${OTHER_ENDPOINTS}`;
    this.#endpoints.add(others);
    return others;
  }
}

function emptyState(): TargetState {
  return { channels: new Map(), endpoints: new Map(), inFlight: new Map(), answerAgeMs: null, failures: null };
}

/** States that no channel or endpoint is in are told as 0, so that alerts can compare with it. */
function observeState(observe: Observe, target: string, state: TargetState): void {
  for (const name of CHANNEL_STATES)
    observe('channels', state.channels.get(name) ?? 0, { [TARGET]: target, [CHANNEL_STATE]: name });
  for (const name of ENDPOINT_STATES)
    observe('endpoints', state.endpoints.get(name) ?? 0, { [TARGET]: target, [ENDPOINT_STATE]: name });
  for (const [key, calls] of state.inFlight) observe('callsInFlight', calls, attributesOf(key));
  if (state.answerAgeMs !== null) observe('answerAge', state.answerAgeMs / 1_000, { [TARGET]: target });
  if (state.failures !== null) observe('failures', state.failures, { [TARGET]: target });
}

/** A key is a target, or a target and an address with a space between them; neither has a space of its own. */
function attributesOf(key: string): Attributes {
  const [target, address] = key.split(' ') as [string, string?];
  if (address === undefined) return { [TARGET]: target };
  if (address === OTHER_ENDPOINTS) return { [TARGET]: target, [PEER_ADDRESS]: address };
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return { [TARGET]: target, [PEER_ADDRESS]: host, [PEER_PORT]: Number(address.slice(colon + 1)) };
}

function add(counts: Map<string, number>, key: string, count = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function plus(one: CallSums, other: CallSums): CallSums {
  return { picks: one.picks + other.picks, ok: one.ok + other.ok, error: one.error + other.error };
}

function inFlightOf({ callsStarted, callsSucceeded, callsFailed }: Snapshot['counters']): number {
  return callsStarted - callsSucceeded - callsFailed;
}
