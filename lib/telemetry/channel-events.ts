/** What a channel tells its listeners, and when: a subscriber that makes the public events out of telemetry events. */
import { EventEmitter } from 'node:events';
import { type Address, formatHostPort } from '../address.js';
import type { DnsError, HeadlessError } from '../errors.js';
import type { TelemetryEvent } from './events.js';
import type { DiscoveryStatus, Ejection, EndpointSnapshot } from './snapshot.js';

/** The set of pods changed. Addresses are `"ip:port"`, or `"[v6]:port"`. */
export interface UpdateEvent {
  /** In the new set, and not in the one before. */
  readonly added: readonly string[];
  /** In the set before, and not in the new one. */
  readonly removed: readonly string[];
  /** In both sets. */
  readonly kept: readonly string[];
}

/** A DNS query brought no addresses. */
export interface DnsFailureEvent {
  /** NXDOMAIN and NODATA included; see its `code`. */
  readonly error: DnsError;
  /** In a row, this one counted. Empty answers count as answers, not as failures. */
  readonly failures: number;
  /** Addresses that stay in use all the same. */
  readonly kept: number;
}

/** DNS has no name for the zone of the option `zone`, or has one again. */
export interface ZoneFallbackEvent {
  /** The name of the zone, as the option has it. */
  readonly zone: string;
  /** Pods of every zone are used alike from now on; false: those of the zone are known again. */
  readonly active: boolean;
}

/** The addresses come from another source than before. */
export interface SourceEvent {
  /** Where the addresses come from now. */
  readonly source: NonNullable<DiscoveryStatus['source']>;
  /** Why DNS is used; null for any other source. */
  readonly error: HeadlessError | null;
}

/** Pods hold more than their share of streams: calls that have been open for a second or longer. */
export interface ImbalanceEvent {
  /** Streams of this channel over the pods that take calls: the mean. */
  readonly share: number;
  /** The fullest pod comes first. */
  readonly endpoints: readonly {
    /** `"ip:port"`, or `"[v6]:port"`. */
    readonly address: string;
    /** Streams that the pod holds. */
    readonly streams: number;
    /** So many of them are too many. */
    readonly excess: number;
  }[];
}

/** A pod was ejected as an outlier, or takes calls again. */
export interface EjectionEvent {
  /** `"ip:port"`, or `"[v6]:port"`. */
  readonly address: string;
  /** Why, and until when; null: it takes calls again. */
  readonly ejected: Ejection | null;
}

/** The pod's answer to its health check changed. */
export interface HealthEvent {
  /** `"ip:port"`, or `"[v6]:port"`. */
  readonly address: string;
  /** The new answer. */
  readonly health: NonNullable<EndpointSnapshot['health']>;
}

/** Every pod is ejected or unhealthy, and all that are connected take calls all the same; or that has ended. */
export interface PanicEvent {
  /** false: it has ended. */
  readonly active: boolean;
  /** Those that take calls; empty when it ends. */
  readonly addresses: readonly string[];
}

/** The events of a channel: for each its name, and what its listeners get. */
export interface HeadlessEvents {
  /** After the first answer, and after every one that changed the set. */
  update: [UpdateEvent];
  /** After every query that failed or found nothing. Listening is optional: DNS trouble is never an `error` event. */
  dnsFailure: [DnsFailureEvent];
  /** When the fallback of the option `zone` begins, and when it ends. */
  zoneFallback: [ZoneFallbackEvent];
  /** With the option `source`: after the first set, and whenever DNS takes over from the source, or the source from DNS. */
  source: [SourceEvent];
  /**
   * Ten seconds after a change of the pods that take calls, and every ten seconds from then on, while any of them holds over
   * 1.25 times its share of streams. Calls that began before the first listener was added are not counted.
   */
  imbalance: [ImbalanceEvent];
  /** With the option `outlier`: when a pod is ejected, and when its ejection ends. */
  ejection: [EjectionEvent];
  /** With the option `health`: after the first answer of each connection, and after each that is another one. */
  health: [HealthEvent];
  /** When it begins, and when it ends. */
  panic: [PanicEvent];
}

/** A listener of the event `E`. */
export type HeadlessListener<E extends keyof HeadlessEvents> = (...args: HeadlessEvents[E]) => void;

export class ChannelEvents {
  readonly emitter = new EventEmitter<HeadlessEvents>();
  /** Of the last `addresses_changed`; kept while the channel is idle, so that waking up with the same set tells nothing. */
  #addresses: readonly Address[] = [];

  readonly emit = (event: TelemetryEvent): void => {
    switch (event.kind) {
      case 'addresses_changed': {
        const before = this.#addresses;
        this.#addresses = event.addresses;
        if (this.emitter.listenerCount('update') > 0) this.#tellUpdate(before, event.addresses);
        return;
      }
      case 'resolution_failed': {
        const { error, failures, kept } = event;
        this.#tell('dnsFailure', { error, failures, kept });
        return;
      }
      case 'zone_fallback':
        this.#tell('zoneFallback', { zone: event.zone, active: event.active });
        return;
      case 'source_changed':
        this.#tell('source', { source: event.source, error: event.error });
        return;
      case 'streams_uneven':
        this.#tell('imbalance', { share: event.share, endpoints: event.endpoints });
        return;
      case 'ejected':
        this.#tell('ejection', { address: event.address, ejected: event.ejection });
        return;
      case 'ejection_ended':
        this.#tell('ejection', { address: event.address, ejected: null });
        return;
      case 'health_changed':
        this.#tell('health', { address: event.address, health: event.health });
        return;
      case 'panic':
        this.#tell('panic', { active: event.active, addresses: event.addresses });
    }
  };

  /** Compared here, as text, because only listeners need it; what acts on a change is the balancer's endpoint set. */
  #tellUpdate(before: readonly Address[], after: readonly Address[]): void {
    const old = new Set(before.map(textOf));
    const next = new Set(after.map(textOf));
    const added = [...next].filter((address) => !old.has(address));
    const removed = [...old].filter((address) => !next.has(address));
    if (added.length === 0 && removed.length === 0) return;
    const kept = [...next].filter((address) => old.has(address));
    this.#tell('update', { added, removed, kept });
  }

  /** A listener that throws must not stop the answer on its way to the balancer; its error surfaces all the same. */
  #tell<E extends keyof HeadlessEvents>(event: E, payload: HeadlessEvents[E][0]): void {
    try {
      (this.emitter as EventEmitter).emit(event, payload);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

function textOf({ host, port }: Address): string {
  return formatHostPort(host, port);
}
