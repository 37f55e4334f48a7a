/**
 * Opens one HTTP/2 connection to one pod, step by step, so that what fails is told apart: TCP, TLS and its name check,
 * ALPN, the server's SETTINGS. A channel of grpc-js reports all of these as UNAVAILABLE.
 */
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { type Address, formatHostPort } from '../../address.js';
import type { Clock } from '../../runtime.js';
import type { PodFailureReason } from './facts.js';

export interface PodSettings {
  /** null: plain text. */
  readonly tls: TlsSettings | null;
  /** `:authority`, and without its port the name that a certificate must have. */
  readonly authority: string;
  readonly hostname: string;
  readonly clock: Clock;
  /** Of TCP, TLS and SETTINGS together. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface TlsSettings {
  /** PEM; null: the authorities that Node has. */
  readonly ca: Buffer | null;
}

export class PodFailure extends Error {
  readonly reason: PodFailureReason;

  constructor(reason: PodFailureReason, message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

export interface PodConnection {
  readonly session: ClientHttp2Session;
  /** The server's limit of streams; null where it sets none. */
  readonly maxStreams: number | null;
}

/**
 * @param connected called when TCP is connected.
 * @throws PodFailure, or the signal's reason.
 */
export async function openPod(address: Address, settings: PodSettings, connected: () => void): Promise<PodConnection> {
  const { clock, signal, timeoutMs, tls } = settings;
  const deadline = clock.now() + timeoutMs;
  const socket = connectTcp({ host: address.host, port: address.port, noDelay: true });
  // Errors are read where they are waited for; none may end the process.
  socket.on('error', () => {});
  let secured: TLSSocket | null = null;
  const close = (): void => {
    secured?.destroy();
    socket.destroy();
  };
  const wait = <T>(
    what: string,
    start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> => within(clock, signal, deadline, `${what} within ${timeoutMs} ms`, start);
  try {
    await wait<void>('no TCP connection', (resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('error', (error) => reject(toTcpFailure(error)));
    });
    connected();
    if (tls) {
      secured = connectTls({
        socket,
        host: settings.hostname,
        ...(isIP(settings.hostname) === 0 ? { servername: settings.hostname } : {}),
        ALPNProtocols: ['h2'],
        ...(tls.ca ? { ca: tls.ca } : {}),
      });
      secured.on('error', () => {});
      await handshake(secured, wait);
    }
    return await startHttp2(address, secured ?? socket, wait);
  } catch (error) {
    close();
    throw error;
  }
}

type Wait = <T>(
  what: string,
  start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
) => Promise<T>;

async function handshake(secured: TLSSocket, wait: Wait): Promise<void> {
  await wait<void>('the TLS handshake did not end', (resolve, reject) => {
    secured.once('secureConnect', () => resolve());
    secured.once('error', (error) => reject(toTlsFailure(error)));
    secured.once('close', () =>
      reject(new PodFailure('tls-failed', 'the server closed the connection during the TLS handshake')),
    );
  });
  const protocol = secured.alpnProtocol || 'none';
  if (protocol !== 'h2') throw new PodFailure('not-http2', `TLS agreed on the protocol ${protocol}, not on h2`);
}

async function startHttp2({ host, port }: Address, socket: Socket, wait: Wait): Promise<PodConnection> {
  const session = connectHttp2(`http://${formatHostPort(host, port)}`, { createConnection: () => socket });
  // As above; and `close` tells the end of a session whatever ended it.
  session.on('error', () => {});
  try {
    return await wait<PodConnection>('no HTTP/2 SETTINGS', (resolve, reject) => {
      session.once('remoteSettings', ({ maxConcurrentStreams }) =>
        resolve({ session, maxStreams: toLimit(maxConcurrentStreams) }),
      );
      session.once('error', (error) => reject(toHttp2Failure(error)));
      // With TLS 1.3 the handshake ends before the server has judged the client's certificate.
      socket.once('error', (error) => reject(toHttp2Failure(error)));
      session.once('close', () =>
        reject(new PodFailure('not-http2', 'the server closed the connection before any HTTP/2 SETTINGS')),
      );
    });
  } catch (error) {
    session.destroy();
    throw error;
  }
}

/** Node shows 2^32 - 1 where the server sets no limit. */
function toLimit(maxConcurrentStreams: number | undefined): number | null {
  return maxConcurrentStreams === undefined || maxConcurrentStreams >= 2 ** 32 - 1 ? null : maxConcurrentStreams;
}

function within<T>(
  clock: Clock,
  signal: AbortSignal,
  deadline: number,
  late: string,
  start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => end(() => reject(signal.reason));
    const timer = clock.setTimer(Math.max(0, deadline - clock.now()), () =>
      end(() => reject(new PodFailure('timeout', late))),
    );
    const end = (settle: () => void): void => {
      timer.cancel();
      signal.removeEventListener('abort', abort);
      settle();
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    start(
      (value) => end(() => resolve(value)),
      (error) => end(() => reject(error)),
    );
  });
}

function toTcpFailure(error: Error): PodFailure {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return new PodFailure('refused', 'the connection was refused', error);
  if (code === 'ETIMEDOUT') return new PodFailure('timeout', 'no TCP connection: the system gave up', error);
  return new PodFailure('unreachable', error.message, error);
}

/** OpenSSL's verification errors that are about the chain or the dates, not about the name. */
const UNTRUSTED = /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA|ERR_TLS_CERT_SIGNATURE)/;

/** Errors of OpenSSL and of the name check have a reason in a few words; their messages are long. */
function reasonOf(error: Error & { readonly reason?: unknown }): string {
  return typeof error.reason === 'string' ? error.reason : error.message;
}

function toTlsFailure(error: Error): PodFailure {
  const { code = '' } = error as NodeJS.ErrnoException;
  const message = reasonOf(error);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return new PodFailure('tls-name', message, error);
  if (UNTRUSTED.test(code)) return new PodFailure('tls-untrusted', `${message} (${code})`, error);
  if (/wrong version number|packet length too long|unknown protocol|http request/i.test(message))
    return new PodFailure('plaintext', 'the server answered the TLS handshake with something else than TLS', error);
  if (/no application protocol/i.test(message))
    return new PodFailure('not-http2', 'the server speaks TLS, and not the protocol h2', error);
  return new PodFailure('tls-failed', message, error);
}

function toHttp2Failure(error: Error): PodFailure {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code.startsWith('ERR_SSL')) return new PodFailure('tls-failed', reasonOf(error), error);
  if (code === 'ECONNRESET')
    return new PodFailure('not-http2', 'the server reset the connection before any HTTP/2 SETTINGS', error);
  return new PodFailure('not-http2', `what the server sends is not HTTP/2 (${error.message})`, error);
}

/** Whether a server that did not speak plain HTTP/2 speaks TLS. */
export async function speaksTls(address: Address, { clock, signal, timeoutMs }: PodSettings): Promise<boolean> {
  const socket = connectTls({
    host: address.host,
    port: address.port,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
  });
  socket.on('error', () => {});
  try {
    return await within<boolean>(clock, signal, clock.now() + timeoutMs, 'no TLS handshake', (resolve) => {
      socket.once('secureConnect', () => resolve(true));
      // An alert, for want of a client's certificate for example, is TLS too.
      socket.once('error', (error) => resolve(/alert/i.test(error.message)));
      socket.once('close', () => resolve(false));
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof PodFailure) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}
