/** A resolver that answers as the test tells it to, and the outcomes to answer with. */
import type { NameResolver, Outcome, OutcomeSource, Resolution } from '../../lib/dns/resolution.js';
import { zeroDnsCounters } from '../../lib/dns/resolution.js';
import { DnsError, type DnsErrorCode } from '../../lib/errors.js';
import type { Clock } from '../../lib/runtime.js';

export function found(addresses: readonly string[], { ttlMs = 5_000, partial = false } = {}): Outcome {
  return { kind: 'addresses', addresses, ttlMs, partial };
}

export function empty(kind: 'NXDOMAIN' | 'NODATA'): Outcome {
  return { kind: 'empty', error: trouble(`ERR_HEADLESS_DNS_${kind}`), ttlMs: 5_000 };
}

export function failed(kind: 'SERVFAIL' | 'REFUSED' | 'TIMEOUT' | 'MALFORMED' = 'SERVFAIL'): Outcome {
  return { kind: 'failed', error: trouble(`ERR_HEADLESS_DNS_${kind}`) };
}

function trouble(code: DnsErrorCode): DnsError {
  return new DnsError(code, `scripted ${code}`, { hostname: 'svc.ns', server: '10.96.0.10:53' });
}

export function resolution(outcomes: Partial<Record<OutcomeSource, Outcome>>): Resolution {
  return {
    outcomes: new Map(Object.entries(outcomes) as [OutcomeSource, Outcome][]),
    name: 'svc.ns.svc.cluster.local',
    server: '10.96.0.10:53',
    transport: 'udp',
    rcode: null,
  };
}

/** An answer of A records alone. */
export function pods(...addresses: string[]): Resolution {
  return resolution({ A: found(addresses) });
}

interface Query {
  /** Milliseconds since the resolver was made. */
  readonly at: number;
  readonly signal: AbortSignal;
  /** Answers it, however late: the resolver ignores the signal. */
  reply(answer: Resolution | Error): void;
}

export class ScriptedResolver implements NameResolver {
  readonly counters = zeroDnsCounters();
  readonly queries: Query[] = [];
  /** What queries get at once; null leaves them open for their `reply`. */
  answer: Resolution | Error | null;
  readonly #clock: Clock;
  readonly #start: number;

  constructor(clock: Clock, answer: Resolution | Error | null) {
    this.#clock = clock;
    this.#start = clock.now();
    this.answer = answer;
  }

  /** When each query was made. */
  get times(): number[] {
    return this.queries.map(({ at }) => Math.round(at));
  }

  resolve(signal: AbortSignal): Promise<Resolution> {
    return new Promise((resolve, reject) => {
      const reply = (answer: Resolution | Error): void => (answer instanceof Error ? reject(answer) : resolve(answer));
      this.queries.push({ at: this.#clock.now() - this.#start, signal, reply });
      if (this.answer) reply(this.answer);
    });
  }
}
