/**
 * One question to one server, over UDP or TCP, within one deadline. Each exchange has a socket of its own: an attacker
 * who forges responses has to guess the port and the id, and A and AAAA sent through one UDP socket can lose a packet
 * to a race in Linux's conntrack.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { warmUpIPv6 } from '../address.js';
import type { Clock } from '../runtime.js';
import type { Emit } from '../telemetry/events.js';
import type { Failure } from './failure.js';
import { FrameReader, toFrame } from './frame.js';
import { classify, encodeQuery, type QueryBits, type Question } from './message.js';
import { type Response, readResponse } from './response.js';
import { formatServer, type ServerAddress } from './settings.js';

export type Transport = 'udp' | 'tcp';

export interface ExchangeRequest {
  readonly server: ServerAddress;
  readonly question: Question;
  readonly transport: Transport;
  readonly edns: boolean;
  /** Default: neither bit is set. */
  readonly bits?: QueryBits | undefined;
  /** Total time for the exchange, from the call to the last octet of the response. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** Why an exchange can fail. */
export type ExchangeFailureReason = 'timeout' | 'malformed' | 'unreachable';

export type ExchangeResult =
  | { readonly kind: 'response'; readonly response: Response }
  /** Over UDP only: the response did not fit. The part that arrived was discarded. */
  | { readonly kind: 'truncated' }
  /** Over UDP only: a response with the right source and another id, which may be forged. TCP is not open to this. */
  | { readonly kind: 'id-mismatch' }
  | { readonly kind: 'failed'; readonly failure: Failure<ExchangeFailureReason> };

/**
 * Rejects with the signal's reason once it aborts, and with `ERR_HEADLESS_TARGET` for a name that cannot be asked for;
 * everything else is a result. When it settles its socket is closed.
 */
export type Exchange = (request: ExchangeRequest) => Promise<ExchangeResult>;

export const exchange: Exchange = async (request) => {
  request.signal.throwIfAborted();
  // The id must be unpredictable (RFC 5452 section 9.2); `Random` is for jitter.
  const query = encodeQuery({ ...request.question, ...request.bits, id: randomInt(0x10000), edns: request.edns });
  return request.transport === 'udp' ? exchangeOverUdp(request, query) : exchangeOverTcp(request, query);
};

/** How a transport ends the exchange. Only the first call counts, and it closes the socket. */
interface Completion {
  done(result: ExchangeResult): void;
  failed(reason: ExchangeFailureReason, what: string, cause?: unknown): void;
}

/**
 * Runs `open`, which starts the transport and returns how to close it, until the transport completes, the deadline
 * passes or the signal aborts.
 */
function run(request: ExchangeRequest, open: (completion: Completion) => () => void): Promise<ExchangeResult> {
  const { server, question, transport, timeoutMs, clock, emit, signal } = request;
  return new Promise((resolve, reject) => {
    let ended = false;
    let close: (() => void) | undefined;
    const end = (settle: () => void): void => {
      if (ended) return;
      ended = true;
      deadline.cancel();
      signal.removeEventListener('abort', abort);
      close?.();
      settle();
    };
    const abort = (): void => end(() => reject(signal.reason));
    const completion: Completion = {
      done: (result) => end(() => resolve(result)),
      failed: (reason, what, cause) =>
        end(() => {
          emit({ kind: 'query_failed', transport, reason });
          const { hostname, type } = question;
          const address = formatServer(server);
          const message = `${type} of "${hostname}": ${address} (${transport}) ${what}`;
          resolve({ kind: 'failed', failure: { reason, message, hostname, server: address, cause } });
        }),
    };
    const deadline = clock.setTimer(timeoutMs, () =>
      completion.failed('timeout', `gave no valid response within ${Math.round(timeoutMs)} ms`),
    );
    signal.addEventListener('abort', abort, { once: true });

    emit({ kind: 'query_sent', transport });
    try {
      close = open(completion);
      if (ended) close();
    } catch (error) {
      // No file descriptors left, or no such IPv6 scope: another server or a later attempt may still work.
      completion.failed('unreachable', unreachable(error), error);
    }
  });
}

function exchangeOverUdp(request: ExchangeRequest, query: Buffer): Promise<ExchangeResult> {
  const { server, emit } = request;
  return run(request, (completion) => {
    const socket = createSocket(server.host.includes(':') ? 'udp6' : 'udp4');
    socket.unref();
    const fail = (error: Error): void => completion.failed('unreachable', unreachable(error), error);
    let peer: { address: string; port: number } | undefined;

    socket.on('error', fail);
    socket.on('message', (message, from) => {
      // The kernel filters for a connected socket; this covers the moment between binding and connecting.
      if (from.address !== peer?.address || from.port !== peer.port) {
        emit({ kind: 'datagram_dropped' });
        return;
      }
      // A message that does not belong to this query is ignored: its sender may not be the server.
      try {
        switch (classify(message, query)) {
          case 'not-a-response':
            emit({ kind: 'datagram_dropped' });
            return;
          case 'question-mismatch':
            emit({ kind: 'question_mismatch' });
            return;
          case 'id-mismatch':
            emit({ kind: 'id_mismatch' });
            completion.done({ kind: 'id-mismatch' });
            return;
          case 'truncated':
            completion.done({ kind: 'truncated' });
            return;
          case 'complete':
            completion.done({ kind: 'response', response: read(message, request) });
        }
      } catch (error) {
        completion.failed('malformed', malformed(error), error);
      }
    });
    socket.once('connect', () => {
      peer = socket.remoteAddress();
      socket.send(query, (error) => error && fail(error));
      warmUpIPv6();
    });
    // The host is a literal address, so `connect` resolves no name. It makes the kernel report an ICMP "unreachable".
    // With a callback its errors would go there and not to `error`.
    socket.connect(server.port, server.host);
    return () => {
      // A `connect` event that is already queued would ask a closed socket for its peer. The `error` listener stays,
      // because the bind may still fail.
      socket.removeAllListeners('connect').removeAllListeners('message');
      socket.close();
    };
  });
}

function exchangeOverTcp(request: ExchangeRequest, query: Buffer): Promise<ExchangeResult> {
  const { server, emit } = request;
  return run(request, (completion) => {
    const frame = new FrameReader();
    const socket = connect({ host: server.host, port: server.port, noDelay: true });
    socket.unref();
    const fail = (what: string, cause?: unknown): void =>
      completion.failed(frame.started ? 'malformed' : 'unreachable', what, cause);

    socket.on('error', (error) => fail(unreachable(error), error));
    socket.on('end', () => fail(frame.started ? 'closed the connection in mid-response' : 'closed the connection'));
    socket.on('data', (chunk) => {
      try {
        const message = frame.add(chunk);
        if (message === undefined) return;
        // Only the server can write to this connection, so a message that does not belong to this query is its fault.
        const kind = classify(message, query);
        if (kind === 'id-mismatch') emit({ kind: 'id_mismatch' });
        if (kind === 'question-mismatch') emit({ kind: 'question_mismatch' });
        if (kind === 'complete' || kind === 'truncated')
          completion.done({ kind: 'response', response: read(message, request) });
        else completion.failed('malformed', MISMATCHES[kind]);
      } catch (error) {
        completion.failed('malformed', malformed(error), error);
      }
    });
    socket.write(toFrame(query));
    return () => socket.destroy();
  });
}

const MISMATCHES = {
  'not-a-response': 'sent something that is not a response',
  'id-mismatch': 'sent a response with another id',
  'question-mismatch': 'sent a response to another question',
} as const;

function read(message: Buffer, { question, transport, emit }: ExchangeRequest): Response {
  const response = readResponse(message, question.type);
  emit({ kind: 'response_received', transport, rcode: response.rcode });
  if (response.refused > 0) emit({ kind: 'addresses_refused', count: response.refused });
  return response;
}

function unreachable(error: unknown): string {
  return `cannot be reached: ${messageOf(error)}`;
}

function malformed(error: unknown): string {
  return `sent a malformed response: ${messageOf(error)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
