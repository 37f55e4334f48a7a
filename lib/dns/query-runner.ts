/**
 * One question to the servers in turn, until one of them answers it. It remembers, from question to question, which
 * servers did not respond and which questions need TCP. How one message is exchanged is in `exchange.ts`.
 */
import pRetry from 'p-retry';
import type { Clock } from '../runtime.js';
import type { Emit } from '../telemetry/events.js';
import type { Exchange, ExchangeRequest, Transport } from './exchange.js';
import type { Failure, FailureReason } from './failure.js';
import type { QueryBits, Question, RecordType } from './message.js';
import {
  type QueryOutcome,
  type QueryResult,
  type ResponseOutcome,
  type ServerResponse,
  toOutcome,
  withHistory,
} from './query-result.js';
import type { ResolutionPlan } from './resolution-plan.js';
import { ServerOrder, TransportMemory } from './servers.js';
import type { ServerAddress } from './settings.js';

interface AttemptRequest<T extends RecordType> extends Pick<ExchangeRequest, 'server' | 'signal'> {
  readonly question: Question<T>;
  readonly bits: QueryBits;
  /** For all queries of the attempt. */
  readonly timeoutMs: number;
}

/** What failed in earlier attempts at the same question. */
interface FailedTransports {
  /** Servers that did not respond over UDP. */
  readonly udp: Set<ServerAddress>;
  /** TCP failed when it was asked first: the following attempts begin with UDP. */
  tcpFirst: boolean;
}

/** What one attempt at one server came to; `response` is null where no valid one came. */
interface Attempt<T extends RecordType> {
  readonly outcome: QueryOutcome | ResponseOutcome<T>;
  readonly response: ServerResponse | null;
}

/** Tells p-retry to make the next attempt; what failed is kept as data beside it. */
class FailedAttempt extends Error {}

export class QueryRunner {
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #order: ServerOrder;
  readonly #transports: TransportMemory;

  constructor(exchange: Exchange, clock: Clock, emit: Emit) {
    this.#exchange = exchange;
    this.#clock = clock;
    this.#emit = emit;
    this.#order = new ServerOrder(clock);
    this.#transports = new TransportMemory(clock);
  }

  /** Rejects only with the signal's reason. */
  async run<T extends RecordType>(
    question: Question<T>,
    bits: QueryBits,
    plan: ResolutionPlan,
    signal: AbortSignal,
  ): Promise<QueryResult<QueryOutcome | ResponseOutcome<T>>> {
    // Sorted for each question, so that a server that has just timed out does not delay the next candidate too.
    const servers = this.#order.sort(plan.servers);
    const failures: Failure<FailureReason>[] = [];
    const failed: FailedTransports = { udp: new Set(), tcpFirst: false };
    let last: ServerResponse | null = null;
    const attempt = async (number: number): Promise<QueryOutcome | ResponseOutcome<T>> => {
      const server = servers[(number - 1) % servers.length] as ServerAddress;
      const request = { server, question, bits, timeoutMs: plan.timeoutMs, signal };
      const { outcome, response } = await this.#attempt(request, failed);
      last = response ?? last;
      if (outcome.kind !== 'failed') return outcome;
      failures.push(outcome.failure);
      throw new FailedAttempt();
    };
    try {
      const outcome = await pRetry(attempt, {
        retries: plan.rounds * servers.length - 1,
        // The next server is asked at once: waiting is left to the poller, on its own clock.
        minTimeout: 0,
        signal,
        // Anything else is not a server's failure, and another server would not help.
        shouldRetry: ({ error }) => error instanceof FailedAttempt,
      });
      return { question, outcome, last };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FailedAttempt)) throw error;
      const failure = withHistory(failures.at(-1) as Failure<FailureReason>, failures.slice(0, -1), plan.advice);
      return { question, outcome: { kind: 'failed', failure }, last };
    }
  }

  /**
   * One attempt: UDP, then TCP where the response did not fit or its id was wrong, and without EDNS where the server
   * cannot handle it; at most two more queries, all within the one timeout.
   *
   * A server that did not respond over UDP is added to `failed.udp`, and its next attempt is made without EDNS: a
   * path that drops large datagrams lets 512 octets through, and a response that does not fit them comes with TC, and
   * so over TCP (RFC 6891 section 6.2.5). TCP is not tried at once, because a NetworkPolicy may forbid it, and a
   * datagram that was merely lost does not need it.
   */
  async #attempt<T extends RecordType>(request: AttemptRequest<T>, failed: FailedTransports): Promise<Attempt<T>> {
    const { server, question } = request;
    const clock = this.#clock;
    const deadline = clock.now() + request.timeoutMs;
    const first = failed.tcpFirst ? 'udp' : this.#transports.first(question);
    let transport: Transport = first;
    let edns = !failed.udp.has(server);
    for (;;) {
      const bits = { ...request.bits, dnssecOk: request.bits.dnssecOk && edns };
      const result = await this.#exchange({
        ...request,
        bits,
        transport,
        edns,
        timeoutMs: Math.max(0, deadline - clock.now()),
        clock,
        emit: this.#emit,
      });
      switch (result.kind) {
        case 'failed': {
          const { reason } = result.failure;
          if (first === 'tcp') failed.tcpFirst = true;
          if (transport === 'udp' && reason === 'timeout') failed.udp.add(server);
          if (reason !== 'malformed') this.#order.recordTimeout(server);
          return { outcome: result, response: null };
        }
        case 'truncated':
          this.#emit({ kind: 'response_truncated' });
          this.#transports.recordTruncation(question);
          transport = 'tcp';
          continue;
        case 'id-mismatch':
          transport = 'tcp';
          continue;
        case 'response': {
          this.#order.recordResponse(server);
          const { rcode } = result.response;
          // Not remembered: the server may be replaced, and then large datagrams are worth having again.
          if (edns && (rcode === 'FORMERR' || rcode === 'BADVERS')) {
            this.#emit({ kind: 'edns_withdrawn' });
            edns = false;
            continue;
          }
          if (transport === 'udp') this.#transports.forget(question);
          const response = { response: result.response, server, transport, bits };
          return { outcome: toOutcome(question, response), response };
        }
      }
    }
  }
}
