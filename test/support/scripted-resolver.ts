/** A name resolver whose answers the test decides, and outcomes to make them of. */
import { type Reason, toError } from '../../lib/dns/failure.js';
import type { NameResolver } from '../../lib/dns/name-resolver.js';
import type { Outcome, OutcomeSource, Resolution } from '../../lib/dns/resolution.js';
import type { DnsError } from '../../lib/errors.js';
import type { Clock } from '../../lib/runtime.js';

export function found(addresses: readonly string[], { ttlMs = 5_000, partial = false } = {}): Outcome {
  return { kind: 'addresses', addresses, ttlMs, partial };
}

export function empty(mnemonic: 'NXDOMAIN' | 'NODATA', ttlMs = 5_000): Outcome {
  const reason = mnemonic.toLowerCase() as Lowercase<typeof mnemonic>;
  return { kind: 'empty', reason, error: errorOf(reason), ttlMs };
}

export function failed(mnemonic: 'SERVFAIL' | 'REFUSED' | 'TIMEOUT' | 'MALFORMED' = 'SERVFAIL'): Outcome {
  const reason = mnemonic.toLowerCase() as Lowercase<typeof mnemonic>;
  return { kind: 'failed', reason, error: errorOf(reason) };
}

function errorOf(reason: Reason): DnsError {
  return toError({ reason, message: `scripted ${reason.toUpperCase()}`, hostname: 'svc.ns', server: '10.96.0.10:53' });
}

export function resolution(outcomes: Partial<Record<OutcomeSource, Outcome>>): Resolution {
  return {
    outcomes: new Map(Object.entries(outcomes) as [OutcomeSource, Outcome][]),
    name: 'svc.ns.svc.cluster.local',
    server: '10.96.0.10:53',
    transport: 'udp',
    rcode: null,
    bits: null,
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
  /** Answers the query, however late: the signal is ignored. */
  reply(answer: Resolution | Error): void;
}

export class ScriptedResolver implements NameResolver {
  readonly queries: Query[] = [];
  /** The answer that queries get at once; null: they wait for their `reply`. */
  answer: Resolution | Error | null;
  readonly #clock: Clock;
  readonly #start: number;

  constructor(clock: Clock, answer: Resolution | Error | null) {
    this.#clock = clock;
    this.#start = clock.now();
    this.answer = answer;
  }

  /** The time of each query. */
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
