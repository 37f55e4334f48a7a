/**
 * Where a channel's addresses come from: the contract between discovery and the balancer. The poller is the
 * implementation that needs DNS alone.
 */
import type { Address } from '../address.js';
import type { DnsError } from '../errors.js';
import type { DiscoveryCounters } from '../telemetry/counters.js';
import type { DnsStatus } from '../telemetry/snapshot.js';

/** What subscribers are told after every answer or failure. */
export interface AddressUpdate {
  /** The whole set, each address once. Empty before the first answer, or under `empty: 'drop'`. */
  readonly addresses: readonly Address[];
  /** Whether the set is another one than in this subscriber's last update. True in the first. Order never counts. */
  readonly changed: boolean;
  /** Why the last query brought no addresses, or not all of them; null where it did. */
  readonly error: DnsError | null;
  /** The zone asked for for which DNS has no name, so that pods of every zone are used alike; null otherwise. */
  readonly zoneFallback?: string | null;
}

export interface Subscription {
  /** A connection was lost, for example: ask at once, but at most once in `minIntervalMs`. */
  requestReresolution(): void;
  /** As `requestReresolution`; resolves when the answer, or its failure, has been reported to everyone. Never rejects. */
  refresh(): Promise<void>;
  /** Whether the subscriber has a pod that takes calls. Until told so, it has none. */
  setReady(ready: boolean): void;
  /** No update comes after this. Idempotent. */
  end(): void;
}

export type SourceStatus = DnsStatus;

export interface AddressSource {
  /** Updates come until the subscription ends; the first one no sooner than in the next microtask. */
  subscribe(listener: (update: AddressUpdate) => void): Subscription;
  readonly status: SourceStatus;
  /** Why the last query brought no addresses; null where it did, or where there was none yet. */
  readonly lastError: DnsError | null;
  readonly counters: Readonly<DiscoveryCounters>;
}

/** What a channel makes of a whole set before its balancer sees it. Pure. */
export type AddressFilter = (addresses: readonly Address[]) => readonly Address[];
