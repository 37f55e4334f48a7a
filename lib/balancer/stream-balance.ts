/**
 * Watches how evenly long calls lie on the endpoints. A stream stays on its endpoint for as long as it is open, so
 * endpoints that join later hold none, however calls are picked. What can be done about it is the application's decision:
 * here it is only told.
 */
import type { Picker } from '../picker/policy.js';
import type { Clock, Timer } from '../runtime.js';
import type { Endpoint } from './endpoint.js';
import { Pod } from './pod.js';

/** A call counts as a stream once it has been open for so long. */
const STREAM_AGE_MS = 1_000;
/** From a change of the endpoints to the check, and between two checks while streams lie unevenly. */
export const CHECK_MS = 10_000;
/** Chance alone makes shares differ: an endpoint may hold so many times the mean before it is told. */
const TOLERANCE = 1.25;

export interface StreamCount {
  readonly address: string;
  readonly streams: number;
}

export interface Imbalance {
  /** The mean of all endpoints that take calls. */
  readonly share: number;
  /** Those that hold more than their share, the fullest first. `excess`: so many streams are too many there. */
  readonly endpoints: readonly (StreamCount & { readonly excess: number })[];
}

/** Of the endpoints that the policy picks from: those that stand by for another zone hold none by intention. */
export function streamCounts(picker: Picker | null, ready: readonly Endpoint[]): readonly StreamCount[] {
  const picked = new Set<unknown>();
  for (const one of picker?.endpoints ?? [])
    for (const endpoint of one instanceof Pod ? one.connections : [one]) picked.add(endpoint);
  const streams = new Map<string, number>();
  for (const endpoint of ready)
    if (picked.has(endpoint))
      streams.set(endpoint.name, (streams.get(endpoint.name) ?? 0) + endpoint.openFor(STREAM_AGE_MS));
  return Array.from(streams, ([address, count]) => ({ address, streams: count }));
}

/** null where no endpoint holds much more than its share. */
export function imbalanceOf(counts: readonly StreamCount[]): Imbalance | null {
  const share = counts.reduce((sum, { streams }) => sum + streams, 0) / counts.length;
  const most = Math.max(Math.ceil(share), Math.floor(share * TOLERANCE));
  const endpoints = counts
    .filter(({ streams }) => streams > most)
    .map((count) => ({ ...count, excess: count.streams - Math.ceil(share) }))
    .sort((one, other) => other.excess - one.excess);
  return endpoints.length > 0 ? { share, endpoints } : null;
}

export class StreamBalance {
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #count: () => readonly StreamCount[];
  readonly #tell: (imbalance: Imbalance) => void;
  #timer: Timer | null = null;

  /** @param count the streams of every endpoint that takes calls. */
  constructor(
    clock: Pick<Clock, 'setTimer'>,
    count: () => readonly StreamCount[],
    tell: (imbalance: Imbalance) => void,
  ) {
    this.#clock = clock;
    this.#count = count;
    this.#tell = tell;
  }

  /** The endpoints that take calls are others than before. */
  endpointsChanged(): void {
    this.#timer ??= this.#clock.setTimer(CHECK_MS, () => this.#check());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #check(): void {
    this.#timer = null;
    const imbalance = imbalanceOf(this.#count());
    if (!imbalance) return;
    this.endpointsChanged();
    this.#tell(imbalance);
  }
}
