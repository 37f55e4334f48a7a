/** Reads the open channels when metrics are collected, and adds up those of the same target. */
import type { Attributes } from '@opentelemetry/api';
import { isEjected, isInPanic, isUnhealthy } from '../availability.js';
import { type ChannelView, channels } from '../open-channels.js';
import type { CountedCalls } from '../released-pods.js';
import type { Snapshot } from '../snapshot.js';
import { BoundedValues } from './bounded-values.js';
import { CallTotals, type Counted, sumsOf } from './call-totals.js';
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

/**
 * Of endpoints with series of their own: those that are met first, whether they are still there or not, because an SDK may
 * repeat a series for ever. With the results of calls that stays below the 2,000 series of one metric that the SDK keeps apart.
 */
const MOST_ENDPOINTS = 500;
/** As OpenTelemetry's conventions have it. */
const OTHER_ENDPOINTS = '_OTHER';

/** What the channels of one target have in common. */
interface TargetState {
  readonly channels: Map<string, number>;
  readonly endpoints: Map<string, number>;
  ejected: number;
  unhealthy: number;
  inPanic: number;
  answerAgeMs: number | null;
  failures: number;
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
  /** Calls of pods that were let go, as long as some of them are in flight. */
  readonly #released = new Map<CountedCalls, Omit<Counted, 'sums'>>();
  readonly #endpoints = new BoundedValues(MOST_ENDPOINTS, OTHER_ENDPOINTS);
  /** Targets and keys of calls that were told once are told at every collection: an SDK would repeat their last values. */
  readonly #targets = new Set<string>();
  readonly #inUse = new Set<string>();
  readonly #keys = new Set<string>();

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

  /** A pod is about to leave the snapshots: what it counted since the last collection must not be lost. */
  onPodReleased(view: ChannelView, name: string, calls: CountedCalls): void {
    const { counts } = calls;
    if (!this.#settings.addresses || counts.started === 0) return;
    const key = this.#keyOf(this.#settings.targets.of(view.target), name);
    this.#totals.move(name, view, calls);
    this.#totals.add(calls, [{ name, key, sums: sumsOf(counts) }]);
    if (counts.inFlight > 0) this.#released.set(calls, { name, key });
  }

  collect(observe: Observe): void {
    const states = new Map<string, TargetState>();
    const inFlight = new Map<string, number>();
    for (const view of channels()) {
      const snapshot = view.snapshot();
      const target = this.#settings.targets.of(snapshot.target);
      const state = states.get(target) ?? emptyState();
      states.set(target, state);
      this.#targets.add(target);
      addState(state, snapshot);
      this.#addInFlight(inFlight, target, snapshot);
      this.#count(view, snapshot);
    }
    for (const view of this.#closing) {
      const snapshot = view.snapshot();
      this.#addInFlight(inFlight, this.#settings.targets.of(snapshot.target), snapshot);
      this.#count(view, snapshot);
      if (inFlightOf(snapshot.counters) === 0) this.#closing.delete(view);
    }
    for (const [calls, { name, key }] of this.#released) {
      const { counts } = calls;
      add(inFlight, key, counts.inFlight);
      this.#totals.add(calls, [{ name, key, sums: sumsOf(counts) }]);
      if (counts.inFlight === 0) this.#released.delete(calls);
    }
    for (const target of this.#targets) this.#observeTarget(observe, target, states.get(target) ?? emptyState());
    for (const key of inFlight.keys()) this.#keys.add(key);
    for (const key of this.#keys) observe('callsInFlight', inFlight.get(key) ?? 0, attributesOf(key));
    for (const [key, { picks, ok, error }] of this.#totals.entries()) {
      const attributes = attributesOf(key);
      observe('picks', picks, attributes);
      observe('calls', ok, { ...attributes, [CALL_RESULT]: 'ok' });
      observe('calls', error, { ...attributes, [CALL_RESULT]: 'error' });
    }
  }

  #observeTarget(observe: Observe, target: string, state: TargetState): void {
    const attributes = { [TARGET]: target };
    // States that nothing is in are told as 0, so that alerts can compare with it.
    for (const name of CHANNEL_STATES)
      observe('channels', state.channels.get(name) ?? 0, { ...attributes, [CHANNEL_STATE]: name });
    for (const name of ENDPOINT_STATES)
      observe('endpoints', state.endpoints.get(name) ?? 0, { ...attributes, [ENDPOINT_STATE]: name });
    observe('ejected', state.ejected, attributes);
    observe('unhealthy', state.unhealthy, attributes);
    observe('inPanic', state.inPanic, attributes);
    if (state.answerAgeMs !== null) this.#inUse.add(target);
    if (this.#inUse.has(target)) observe('answerAge', (state.answerAgeMs ?? 0) / 1_000, attributes);
    observe('failures', state.failures, attributes);
  }

  #addInFlight(inFlight: Map<string, number>, target: string, { endpoints, counters }: Snapshot): void {
    if (!this.#settings.addresses) add(inFlight, target, inFlightOf(counters));
    else for (const endpoint of endpoints) add(inFlight, this.#keyOf(target, endpoint.address), endpoint.inFlight);
  }

  #count(view: ChannelView, { target: text, endpoints, counters }: Snapshot): void {
    const target = this.#settings.targets.of(text);
    const { callsStarted: picks, callsSucceeded: ok, callsFailed: error } = counters;
    const counted = this.#settings.addresses
      ? endpoints.map((endpoint) => {
          const { address: name } = endpoint;
          return { name, key: this.#keyOf(target, name), sums: sumsOf(endpoint) };
        })
      : [{ name: target, key: target, sums: { picks, ok, error } }];
    this.#totals.add(view, counted);
  }

  #keyOf(target: string, address: string): string {
    const key = `${target} ${address}`;
    return this.#endpoints.of(key) === key ? key : `${target} ${OTHER_ENDPOINTS}`;
  }
}

function emptyState(): TargetState {
  return {
    channels: new Map(),
    endpoints: new Map(),
    ejected: 0,
    unhealthy: 0,
    inPanic: 0,
    answerAgeMs: null,
    failures: 0,
  };
}

function addState(state: TargetState, snapshot: Snapshot): void {
  const { state: channel, endpoints, dns } = snapshot;
  add(state.channels, channel);
  for (const endpoint of endpoints) {
    add(state.endpoints, endpoint.state);
    if (isEjected(endpoint)) state.ejected += 1;
    if (isUnhealthy(endpoint)) state.unhealthy += 1;
  }
  if (isInPanic(snapshot)) state.inPanic += 1;
  // An idle channel asks nothing, so its answer grows old.
  if (channel === 'IDLE') return;
  if (dns.ageMs !== null) state.answerAgeMs = Math.max(state.answerAgeMs ?? 0, dns.ageMs);
  state.failures = Math.max(state.failures, dns.failures);
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

function inFlightOf({ callsStarted, callsSucceeded, callsFailed }: Snapshot['counters']): number {
  return callsStarted - callsSucceeded - callsFailed;
}
