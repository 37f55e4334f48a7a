/**
 * Where a channel's addresses come from: the contract between discovery and the balancer. The poller is the
 * implementation that needs DNS alone. Others are made by a factory, which users give in the option `source`.
 */
import type { Address } from '../address.js';
import type { Family, ZoneSettings } from '../dns/settings.js';
import type { HeadlessError } from '../errors.js';
import type { Clock, Random } from '../runtime.js';
import type { DiscoveryCounters } from '../telemetry/counters.js';
import type { DiscoveryStatus, DnsStatus } from '../telemetry/snapshot.js';
import type { EmptyRule } from './membership.js';

/** What subscribers are told after every answer or failure. */
export interface AddressUpdate {
  /** The whole set, each address once. Empty before the first answer, or under `empty: 'drop'`. */
  readonly addresses: readonly Address[];
  /** Whether the set is another one than in this subscriber's last update. True in the first. Order never counts. */
  readonly changed: boolean;
  /** Why the last query brought no addresses, or not all of them; null where it did. */
  readonly error: HeadlessError | null;
  /** The zone asked for for which DNS has no name, so that pods of every zone are used alike; null otherwise. */
  readonly zoneFallback?: string | null;
  /** Where the set comes from; only of sources that a factory made. */
  readonly origin?: SetOrigin;
}

export interface SetOrigin {
  readonly source: DiscoveryStatus['source'];
  /** Why it does not come from the source that the user chose; null where it does. */
  readonly error: HeadlessError | null;
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
  /** Only of sources that a factory made. */
  readonly discovery?: DiscoveryStatus;
  /** Why the last query brought no addresses; null where it did, or where there was none yet. */
  readonly lastError: HeadlessError | null;
  readonly counters: Readonly<DiscoveryCounters>;
}

/** What a channel makes of a whole set before its balancer sees it. Pure. */
export type AddressFilter = (addresses: readonly Address[]) => readonly Address[];

/** The value of the option `source`. One factory may serve any number of channels. */
export interface AddressSourceFactory {
  /**
   * Makes the source of one name. Channels to the same name with the same settings share it.
   *
   * Its addresses may have port 0: the target's port is used then.
   */
  create(context: AddressSourceContext): AddressSource;
}

export interface AddressSourceContext {
  /** Of the target, as the user wrote it, without a final dot. A named port is part of it: `_grpc._tcp.svc.ns`. */
  readonly hostname: string;
  /** The host was written with a final dot: DNS does not use the search list. */
  readonly absolute: boolean;
  /** The DNS of the same name. It asks nothing while nobody is subscribed to it. */
  readonly fallback: AddressSource;
  readonly family: Family;
  readonly empty: EmptyRule;
  readonly zone: ZoneSettings | null;
  readonly clock: Clock;
  readonly random: Random;
}
