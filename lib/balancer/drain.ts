/**
 * Pods that left the set: their calls finish, and their connections linger, since a DNS replica that lags behind, or a
 * flapping readiness probe, brings many of them back within seconds.
 */

import type { BalancerCounters } from '../grpc/channel-context.js';
import type { Clock, Timer } from '../runtime.js';
import type { Endpoint } from './endpoint.js';

export interface DrainContext {
  readonly lingerMs: number;
  readonly clock: Clock;
  readonly counters: BalancerCounters;
  /** It still serves, because nothing else does: leaving DNS does not mean dead. */
  isLastResort(endpoint: Endpoint): boolean;
  release(endpoint: Endpoint): void;
}

export class Drain {
  readonly #context: DrainContext;
  /** A timer while it lingers, null once it has. */
  readonly #draining = new Map<Endpoint, Timer | null>();

  constructor(context: DrainContext) {
    this.#context = context;
  }

  /** Those that drain now. */
  endpoints(): Iterable<Endpoint> {
    return this.#draining.keys();
  }

  /** The endpoint left the set, and the picker without it is out. */
  begin(endpoint: Endpoint): void {
    const { clock, lingerMs, counters } = this.#context;
    // Nothing to finish and nothing to come back to.
    if (endpoint.connection !== 'ready') {
      this.#context.release(endpoint);
      return;
    }
    counters.drained += 1;
    this.#draining.set(
      endpoint,
      clock.setTimer(lingerMs, () => {
        this.#draining.set(endpoint, null);
        this.#settle(endpoint);
      }),
    );
  }

  /** The endpoint is back in the set. */
  cancel(endpoint: Endpoint): void {
    this.#draining.get(endpoint)?.cancel();
    this.#draining.delete(endpoint);
    endpoint.draining = false;
    this.#context.counters.returned += 1;
  }

  /** Its connection is gone: there is nothing left to keep. */
  finish(endpoint: Endpoint): void {
    const timer = this.#draining.get(endpoint);
    if (timer === undefined) return;
    timer?.cancel();
    this.#draining.delete(endpoint);
    this.#context.release(endpoint);
  }

  /** Its last call ended. */
  onCallsFinished(endpoint: Endpoint): void {
    this.#settle(endpoint);
  }

  /** Others serve now: those kept as the last resort may go. */
  reevaluate(): void {
    for (const endpoint of [...this.#draining.keys()]) this.#settle(endpoint);
  }

  clear(): void {
    for (const timer of this.#draining.values()) timer?.cancel();
    this.#draining.clear();
  }

  #settle(endpoint: Endpoint): void {
    const lingered = this.#draining.get(endpoint) === null;
    if (lingered && endpoint.inFlight === 0 && !this.#context.isLastResort(endpoint)) this.finish(endpoint);
  }
}
