/**
 * What `watch` shows, as plain JSON-able data: the terminal, the plain lines and the page are all made from it. Times are
 * of the wall clock, in milliseconds since the epoch.
 */
import type { DnsStatus, Ejection, SnapshotCounters } from '../../index.js';

/** A time during which a pod was in one state. */
export interface Span {
  /**
   * As `snapshot().endpoints[].state` names it; `ejected` or `unhealthy` in the place of `ready` where the pod is so;
   * `listed` where `--dns-only` opens no connection.
   */
  readonly state: string;
  readonly from: number;
  /** null: the pod is still in this state. */
  readonly to: number | null;
}

export interface PodView {
  /** `"ip:port"`, or `"[v6]:port"`. */
  readonly address: string;
  /** In order; one follows the other without a gap, unless the pod was gone in between. */
  readonly spans: readonly Span[];
  /** When it disappeared: it left DNS and its connection is closed. null while it is there. */
  readonly goneAt: number | null;
  /** Calls that this command makes (`--calls`), under way and so far. */
  readonly inFlight: number;
  readonly started: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly zone: string | null;
  readonly weight: number | null;
  /** Why the last attempt to connect failed; null once it is connected. */
  readonly lastError: string | null;
  /** The last answer to the health check; null without `--health`. */
  readonly health: string | null;
  /** Why and until when; null: not ejected. */
  readonly ejected: Ejection | null;
}

/** One poll of DNS that was answered, or failed. */
export interface QueryView {
  /** Counts up. */
  readonly id: number;
  readonly at: number;
  /** `empty`: NXDOMAIN or NODATA. */
  readonly outcome: 'addresses' | 'empty' | 'failed';
  /** The set in use after it. */
  readonly addresses: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly ttlMs: number | null;
  readonly rcode: string | null;
  readonly server: string | null;
  readonly transport: string | null;
  readonly error: string | null;
  /** Questions sent for it, each name, transport and retry counted. */
  readonly questions: number;
}

export type Tone = 'good' | 'bad' | 'neutral';

/** Something happened: one line for people. */
export interface ChangeView {
  /** Counts up. */
  readonly id: number;
  readonly at: number;
  readonly about: 'channel' | 'dns' | 'pod';
  /** The pod's address; null for the others. */
  readonly address: string | null;
  readonly text: string;
  readonly tone: Tone;
  /** A DNS answer that changed nothing: the one kind of line that comes again and again. */
  readonly routine: boolean;
}

export interface CacheView {
  readonly state: 'unknown' | 'none' | 'present';
  readonly ttlMs: number | null;
  /** When each entry that is read expires. */
  readonly expiresAt: readonly number[];
}

/** The DNS status, with moments in the place of ages, so that it stays true as time passes. */
export type DnsView = Omit<DnsStatus, 'ageMs' | 'cache'> & { readonly cache: CacheView | null };

/** All that there is to show, or what changed since a revision. */
export interface WatchView {
  /** Another one after a restart: whoever has an older one throws that away. */
  readonly session: string;
  /** Counts up. */
  readonly revision: number;
  readonly startedAt: number;
  /** When this was made. */
  readonly now: number;
  /** Nothing from before this moment is kept. */
  readonly keptFrom: number;
  readonly target: string;
  /** gRPC's connectivity state. */
  readonly state: string;
  /** All connected pods are ejected or unhealthy, and get calls all the same. */
  readonly panic: boolean;
  /** Of a difference: those that changed. */
  readonly pods: readonly PodView[];
  /** Of a difference: the new ones. Likewise the changes. */
  readonly queries: readonly QueryView[];
  readonly changes: readonly ChangeView[];
  readonly dns: DnsView;
  readonly counters: SnapshotCounters;
  /** Whether this command makes calls, so that counts of calls mean something. */
  readonly calls: boolean;
  /** Whether pods can be ejected (`--outlier`). */
  readonly outlier: boolean;
}
