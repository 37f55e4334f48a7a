/** One question to one server over one transport, without the fallbacks of the stub resolver: each path shows by itself. */
import { type Exchange, exchange as realExchange, type Transport } from '../../dns/exchange.js';
import { PLAIN_BITS, type QueryBits, type Question } from '../../dns/message.js';
import type { Response } from '../../dns/response.js';
import type { ServiceRecord } from '../../dns/service-records.js';
import { formatServer, type ServerAddress } from '../../dns/settings.js';
import type { Clock } from '../../runtime.js';
import type { Answer, AnswerOutcome } from './facts.js';
import { rounded } from './wording.js';

/** Datagrams get lost; the second one is sent without EDNS, for paths that drop large datagrams. */
const UDP_ATTEMPTS = 2;
/** So many queries are open at the same time: each has a socket of its own. */
const MAX_OPEN = 128;

export interface AnswerWithServices extends Answer {
  /** Of SRV questions; otherwise empty. */
  readonly services: readonly ServiceRecord[];
}

export class DnsAsker {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal;
  readonly #exchange: Exchange;
  #open = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param timeoutMs of one query. */
  constructor(clock: Clock, timeoutMs: number, signal: AbortSignal, exchange: Exchange = realExchange) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
    this.#exchange = exchange;
  }

  /** Rejects only with the signal's reason. */
  async ask(
    server: ServerAddress,
    question: Question,
    transport: Transport = 'udp',
    bits: QueryBits = PLAIN_BITS,
  ): Promise<AnswerWithServices> {
    await this.#enter();
    const startedAt = this.#clock.now();
    try {
      const { outcome, services } = await this.#attempts(server, question, transport, bits);
      const { hostname: name, type } = question;
      const ms = rounded(this.#clock.now() - startedAt);
      return { server: formatServer(server), transport, name, type, outcome, services, ms };
    } finally {
      this.#leave();
    }
  }

  /** Over UDP, and over TCP where the answer does not fit a datagram. */
  async askWhole(server: ServerAddress, question: Question, bits?: QueryBits): Promise<AnswerWithServices> {
    const answer = await this.ask(server, question, 'udp', bits);
    return answer.outcome.kind === 'truncated' ? this.ask(server, question, 'tcp', bits) : answer;
  }

  async #attempts(
    server: ServerAddress,
    question: Question,
    transport: Transport,
    bits: QueryBits,
  ): Promise<{ outcome: AnswerOutcome; services: readonly ServiceRecord[] }> {
    let edns = true;
    for (let attempt = 1; ; attempt++) {
      const result = await this.#exchange({
        server,
        question,
        transport,
        edns,
        bits: { ...bits, dnssecOk: bits.dnssecOk && edns },
        timeoutMs: this.#timeoutMs,
        clock: this.#clock,
        emit: () => {},
        signal: this.#signal,
      });
      const last = attempt >= UDP_ATTEMPTS;
      switch (result.kind) {
        case 'truncated':
          return { outcome: { kind: 'truncated' }, services: [] };
        case 'id-mismatch':
          if (!last) continue;
          return { outcome: failed('malformed', 'sent a response with another id'), services: [] };
        case 'failed': {
          const { reason, message } = result.failure;
          if (transport === 'udp' && reason === 'timeout' && !last) {
            edns = false;
            continue;
          }
          return { outcome: failed(reason, message), services: [] };
        }
        case 'response': {
          const { rcode, services } = result.response;
          if (edns && (rcode === 'FORMERR' || rcode === 'BADVERS')) {
            edns = false;
            continue;
          }
          return { outcome: toOutcome(result.response), services };
        }
      }
    }
  }

  async #enter(): Promise<void> {
    while (this.#open >= MAX_OPEN) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#open += 1;
  }

  #leave(): void {
    this.#open -= 1;
    this.#waiting.shift()?.();
  }
}

function failed(reason: 'timeout' | 'malformed' | 'unreachable', message: string): AnswerOutcome {
  return { kind: 'failed', reason, message };
}

/** Of SRV, the addresses are `target:port`. */
function toOutcome({ rcode, addresses, services, ttlMs }: Response): AnswerOutcome {
  if (rcode === 'NXDOMAIN') return { kind: 'empty', rcode, ttlMs };
  if (rcode !== 'NOERROR') return { kind: 'error', rcode };
  const found = services.length > 0 ? services.map(({ target, port }) => `${target}:${port}`) : addresses;
  return found.length > 0 ? { kind: 'addresses', addresses: found, ttlMs } : { kind: 'empty', rcode: 'NODATA', ttlMs };
}
