/**
 * One question to one server, over UDP or TCP, within one deadline. Each has a socket of its own: a fresh port and a
 * fresh id are what a forger must guess, and A and AAAA on one UDP socket lose a packet to a race in Linux's conntrack.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { DnsError, type DnsErrorCode } from '../errors.js';
import type { Clock } from '../runtime.js';
import { classify, encodeQuery, type Question } from './message.js';
import type { DnsCounters } from './resolution.js';
import { type Response, readResponse } from './response.js';
import { formatServer, type ServerAddress } from './settings.js';

export type Transport = 'udp' | 'tcp';

export interface ExchangeRequest {
  readonly server: ServerAddress;
  readonly question: Question;
  readonly transport: Transport;
  readonly edns: boolean;
  /** From now to the end of everything, however the server doles out its octets. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Counted up as things happen. */
  readonly counters: DnsCounters;
  readonly signal: AbortSignal;
}

export type ExchangeResult =
  | { readonly kind: 'reply'; readonly reply: Response }
  /** Over UDP only: the answer did not fit; what came of it was discarded. */
  | { readonly kind: 'truncated' }
  /** Over UDP only: a reply came with our address and another id. Somebody guesses; TCP cannot be guessed into. */
  | { readonly kind: 'suspect' };

/**
 * Rejects with a `DnsError` (`…_TIMEOUT`, `…_MALFORMED` or `…_UNREACHABLE`), with the signal's reason once it aborts,
 * or with `ERR_HEADLESS_TARGET` for a name that cannot be asked for. When it settles its socket is closed.
 */
export type Exchange = (request: ExchangeRequest) => Promise<ExchangeResult>;

export const exchange: Exchange = async (request) => {
  request.signal.throwIfAborted();
  // The id must be unpredictable (RFC 5452 section 9.2); `Random` is for jitter.
  const query = encodeQuery({ ...request.question, id: randomInt(0x10000), edns: request.edns });
  return request.transport === 'udp' ? overUdp(request, query) : overTcp(request, query);
};

/** What a transport may do with its question. Only the first call counts; the socket is closed before it is heard. */
interface Ending {
  done(result: ExchangeResult): void;
  failed(code: DnsErrorCode, what: string, cause?: unknown): void;
}

/** Runs `open`, which returns how to close again, until it ends itself, the deadline passes or the signal aborts. */
function untilEnded(request: ExchangeRequest, open: (ending: Ending) => () => void): Promise<ExchangeResult> {
  const { server, question, transport, timeoutMs, clock, counters, signal } = request;
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
    const ending: Ending = {
      done: (result) => end(() => resolve(result)),
      failed: (code, what, cause) =>
        end(() => {
          if (code === 'ERR_HEADLESS_DNS_TIMEOUT') counters.timeouts += 1;
          else if (code === 'ERR_HEADLESS_DNS_MALFORMED') counters.malformed += 1;
          else counters.unreachable += 1;
          const { hostname, type } = question;
          const from = `${formatServer(server)} (${transport})`;
          reject(
            new DnsError(code, `${type} of "${hostname}": ${from} ${what}`, {
              hostname,
              server: formatServer(server),
              cause,
            }),
          );
        }),
    };
    const deadline = clock.setTimer(timeoutMs, () =>
      ending.failed('ERR_HEADLESS_DNS_TIMEOUT', `gave no valid reply within ${Math.round(timeoutMs)} ms`),
    );
    signal.addEventListener('abort', abort, { once: true });

    counters.queries += 1;
    if (transport === 'udp') counters.udpQueries += 1;
    else counters.tcpQueries += 1;
    try {
      close = open(ending);
      if (ended) close();
    } catch (error) {
      // Out of file descriptors, no such scope: it concerns this server and this moment only.
      ending.failed('ERR_HEADLESS_DNS_UNREACHABLE', unreachable(error), error);
    }
  });
}

function overUdp(request: ExchangeRequest, query: Buffer): Promise<ExchangeResult> {
  const { server, question, counters } = request;
  return untilEnded(request, (ending) => {
    const socket = createSocket(server.host.includes(':') ? 'udp6' : 'udp4');
    socket.unref();
    const fail = (error: Error): void => ending.failed('ERR_HEADLESS_DNS_UNREACHABLE', unreachable(error), error);
    let peer: { address: string; port: number } | undefined;

    socket.on('error', fail);
    socket.on('message', (message, from) => {
      // The kernel filters a connected socket; this covers the moment between binding and connecting.
      if (from.address !== peer?.address || from.port !== peer.port) {
        counters.dropped += 1;
        return;
      }
      // Anything but a reply to this very question is passed over: who sent it may not be who we asked.
      try {
        switch (classify(message, query)) {
          case 'noise':
            counters.dropped += 1;
            return;
          case 'wrong-question':
            counters.wrongQuestion += 1;
            return;
          case 'wrong-id':
            counters.wrongId += 1;
            ending.done({ kind: 'suspect' });
            return;
          case 'truncated':
            ending.done({ kind: 'truncated' });
            return;
          case 'complete':
            ending.done({ kind: 'reply', reply: countReply(readResponse(message, question.type), counters) });
        }
      } catch (error) {
        ending.failed('ERR_HEADLESS_DNS_MALFORMED', malformed(error), error);
      }
    });
    socket.once('connect', () => {
      peer = socket.remoteAddress();
      socket.send(query, (error) => error && fail(error));
    });
    // A literal address: `connect` looks nothing up. It makes the kernel report an ICMP "unreachable" to us. Given a
    // callback, it would hand its own errors to that instead of to `error`.
    socket.connect(server.port, server.host);
    return () => {
      // A `connect` already queued would ask a closed socket for its peer. `error` keeps its listener: the bind may
      // still fail.
      socket.removeAllListeners('connect').removeAllListeners('message');
      socket.close();
    };
  });
}

function overTcp(request: ExchangeRequest, query: Buffer): Promise<ExchangeResult> {
  const { server, question, counters } = request;
  return untilEnded(request, (ending) => {
    const frame = new FrameReader();
    const socket = connect({ host: server.host, port: server.port, noDelay: true });
    socket.unref();
    const broken = (what: string, cause?: unknown): void =>
      ending.failed(frame.started ? 'ERR_HEADLESS_DNS_MALFORMED' : 'ERR_HEADLESS_DNS_UNREACHABLE', what, cause);

    socket.on('error', (error) => broken(unreachable(error), error));
    socket.on('end', () => broken(frame.started ? 'closed the connection in mid-reply' : 'closed the connection'));
    socket.on('data', (chunk) => {
      try {
        const message = frame.add(chunk);
        if (message === undefined) return;
        // Nobody else can speak on this connection, so whatever is wrong with the reply is the server's answer. What
        // follows the first frame was not asked for.
        const screening = classify(message, query);
        if (screening === 'wrong-id') counters.wrongId += 1;
        if (screening === 'wrong-question') counters.wrongQuestion += 1;
        if (screening === 'complete' || screening === 'truncated')
          ending.done({ kind: 'reply', reply: countReply(readResponse(message, question.type), counters) });
        else ending.failed('ERR_HEADLESS_DNS_MALFORMED', WRONG_OVER_TCP[screening]);
      } catch (error) {
        ending.failed('ERR_HEADLESS_DNS_MALFORMED', malformed(error), error);
      }
    });
    // One segment, length and message: some servers read the length and the message in one go.
    const length = Buffer.alloc(2);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
    return () => socket.destroy();
  });
}

const WRONG_OVER_TCP = {
  noise: 'sent something that is not a reply',
  'wrong-id': 'sent a reply with another id',
  'wrong-question': 'sent a reply to another question',
} as const;

/** Puts the first frame of a TCP stream together (RFC 1035 section 4.2.2), however it was segmented. */
class FrameReader {
  readonly #prefix = Buffer.alloc(2);
  #body: Buffer | undefined;
  #received = 0;

  /** Whether any octet came. */
  get started(): boolean {
    return this.#received > 0;
  }

  /** The message, once it is whole. */
  add(chunk: Buffer): Buffer | undefined {
    let used = 0;
    while (this.#received < 2 && used < chunk.length) this.#prefix[this.#received++] = chunk[used++] as number;
    if (this.#received < 2) return undefined;
    // At most 64 KiB, so a lying length costs little.
    this.#body ??= Buffer.alloc(this.#prefix.readUInt16BE(0));
    this.#received += chunk.copy(this.#body, this.#received - 2, used);
    return this.#received - 2 === this.#body.length ? this.#body : undefined;
  }
}

function countReply(reply: Response, counters: DnsCounters): Response {
  counters.replies += 1;
  counters.refusedAddresses += reply.refused;
  return reply;
}

function unreachable(error: unknown): string {
  return `cannot be reached: ${messageOf(error)}`;
}

function malformed(error: unknown): string {
  return `sent a malformed reply: ${messageOf(error)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
