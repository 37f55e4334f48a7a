/**
 * The cluster's DNS as a simulated client meets it: several replicas behind one address, each with a cache of its own or
 * none, packets that are lost, and outages. It stands in for `exchange`, below the query runner, so that attempts,
 * timeouts, TCP after truncation and queries without EDNS are the library's own.
 */
import type { Exchange, ExchangeRequest, ExchangeResult } from '../../lib/dns/exchange.js';
import { PLAIN_BITS } from '../../lib/dns/message.js';
import type { Random } from '../../lib/runtime.js';
import { Authority, ModelCache, type ModelServer, Replicas } from '../../test/support/cache-model.js';
import type { EventClock } from './event-clock.js';
import type { PodHistory } from './pod-history.js';
import type { QueryRate } from './query-rate.js';

export interface DnsPlan {
  readonly replicas: number;
  /** Seconds; 0 for none. As in CoreDNS, the DO and CD bits are part of a cache's key. */
  readonly cacheTtl: number;
  /** The last replica has each change so much later. */
  readonly lagMs: number;
  /** Probability for each packet. */
  readonly loss: number;
}

/** `refused`: each query fails at once. `silent`: none is answered. */
export type Outage = 'refused' | 'silent';

/** Seconds. kubeadm's Corefile. */
const ZONE_TTL = 30;
/** Header, question and OPT record; then each A record with a compressed name. */
const FIXED_OCTETS = 75;
const RECORD_OCTETS = 16;
const EDNS_OCTETS = 1_232;
const PLAIN_OCTETS = 512;

export class DnsService {
  readonly #history: PodHistory;
  readonly #plan: DnsPlan;
  readonly #clock: EventClock;
  readonly #random: Random;
  readonly #sent: QueryRate;
  /** By token and TTL: answers are shared. */
  readonly #responses = new Map<string, ExchangeResult>();
  #replicas: ModelServer;
  #outage: Outage | null = null;

  constructor(history: PodHistory, plan: DnsPlan, clock: EventClock, random: Random, sent: QueryRate) {
    this.#history = history;
    this.#plan = plan;
    this.#clock = clock;
    this.#random = random;
    this.#sent = sent;
    this.#replicas = this.#start();
  }

  fail(outage: Outage): void {
    this.#outage = outage;
  }

  /** The outage ends: new replicas, with empty caches. */
  restart(): void {
    this.#outage = null;
    this.#replicas = this.#start();
  }

  readonly exchange: Exchange = (request) => {
    this.#sent.count(this.#clock.now());
    if (this.#outage === 'refused') return Promise.resolve(failure(request, 'unreachable'));
    if (this.#outage === 'silent' || this.#lost()) return this.#timeout(request);
    const result = this.#answer(request);
    return this.#lost() ? this.#timeout(request) : Promise.resolve(result);
  };

  #start(): ModelServer {
    const { replicas, cacheTtl, lagMs } = this.#plan;
    const servers = Array.from({ length: replicas }, (_, index) => {
      const authority = new Authority(this.#history.changes(index === replicas - 1 ? lagMs : 0), ZONE_TTL);
      return cacheTtl === 0 ? authority : new ModelCache(authority, { ttl: cacheTtl });
    });
    return new Replicas(servers, this.#random);
  }

  #answer({ bits = PLAIN_BITS, transport, edns }: ExchangeRequest): ExchangeResult {
    const { addresses, ttl } = this.#replicas.answer(this.#clock.now(), bits);
    const [token] = addresses;
    if (token === undefined) throw new RangeError('a simulated Service always has pods');
    const octets = FIXED_OCTETS + RECORD_OCTETS * this.#history.podsOf(token);
    if (transport === 'udp' && octets > (edns ? EDNS_OCTETS : PLAIN_OCTETS)) return { kind: 'truncated' };
    const key = `${token} ${ttl}`;
    let result = this.#responses.get(key);
    if (result === undefined) {
      const response = { rcode: 'NOERROR', truncated: false, addresses, services: [], refused: 0, ttlMs: ttl * 1_000 };
      result = { kind: 'response', response };
      this.#responses.set(key, result);
    }
    return result;
  }

  #lost(): boolean {
    return this.#plan.loss > 0 && this.#random() < this.#plan.loss;
  }

  #timeout(request: ExchangeRequest): Promise<ExchangeResult> {
    return new Promise((resolve) =>
      this.#clock.setTimer(request.timeoutMs, () => resolve(failure(request, 'timeout'))),
    );
  }
}

function failure({ question: { hostname } }: ExchangeRequest, reason: 'timeout' | 'unreachable'): ExchangeResult {
  return { kind: 'failed', failure: { reason, message: `simulated: ${reason}`, hostname } };
}
