/** Connects to one pod as the client would, asks it what it serves, and watches what it does to an idle connection. */
import type { ClientHttp2Session } from 'node:http2';
import { type Address, formatHostPort } from '../../address.js';
import type { Clock } from '../../runtime.js';
import type { PodReport } from './facts.js';
import { openPod, PodFailure, type PodSettings, speaksTls } from './pod-connection.js';
import { askHealth, askServices } from './server-services.js';
import { rounded } from './wording.js';

export interface PodProbeSettings extends PodSettings {
  /** How long the connection is watched while it is idle. */
  readonly idleMs: number;
}

type Failure = NonNullable<PodReport['failure']>;

/** Rejects only with the signal's reason. */
export async function probePod(address: Address, settings: PodProbeSettings): Promise<PodReport> {
  const { clock, authority, timeoutMs } = settings;
  const startedAt = clock.now();
  let connectMs: number | null = null;
  const report = {
    address: formatHostPort(address.host, address.port),
    failure: null,
    maxStreams: null,
    health: null,
    services: null,
    idle: null,
  };
  try {
    const { session, maxStreams } = await openPod(address, settings, () => {
      connectMs = rounded(clock.now() - startedAt);
    });
    const totalMs = rounded(clock.now() - startedAt);
    try {
      const question = { authority, clock, timeoutMs };
      const watch = new IdleWatch(session, clock);
      const [health, services] = await Promise.all([askHealth(session, question), askServices(session, question)]);
      const idle = await watch.next(settings.idleMs, settings.signal);
      return { ...report, connectMs, totalMs, maxStreams, health, services, idle };
    } finally {
      session.destroy();
    }
  } catch (error) {
    settings.signal.throwIfAborted();
    if (!(error instanceof PodFailure)) throw error;
    const totalMs = rounded(clock.now() - startedAt);
    const failure = await explain(error, address, settings);
    return { ...report, connectMs, totalMs, failure };
  }
}

/** A server that expects TLS and gets HTTP/2 in plain text closes the connection, or waits. */
async function explain({ reason, message }: PodFailure, address: Address, settings: PodSettings): Promise<Failure> {
  const silent = reason === 'timeout' && message.startsWith('no HTTP/2');
  if (settings.tls === null && (silent || reason === 'not-http2') && (await speaksTls(address, settings)))
    return { reason: 'wants-tls', message: 'the server speaks TLS' };
  return { reason, message };
}

/** GOAWAY or the end of a connection, from its first moment on. */
class IdleWatch {
  readonly #clock: Clock;
  #event: { readonly kind: 'goaway' | 'closed'; readonly at: number } | null = null;
  #listener: (() => void) | null = null;

  constructor(session: ClientHttp2Session, clock: Clock) {
    this.#clock = clock;
    session.on('goaway', () => this.#record('goaway'));
    session.on('close', () => this.#record('closed'));
  }

  /** What happens within `idleMs` from now, or has happened; null where nothing does. */
  async next(idleMs: number, signal: AbortSignal): Promise<PodReport['idle']> {
    const from = this.#clock.now();
    if (this.#event === null && idleMs > 0)
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => end(() => reject(signal.reason));
        const end = (settle: () => void): void => {
          timer.cancel();
          signal.removeEventListener('abort', abort);
          this.#listener = null;
          settle();
        };
        const timer = this.#clock.setTimer(idleMs, () => end(resolve));
        signal.addEventListener('abort', abort, { once: true });
        this.#listener = () => end(resolve);
      });
    // The compiler takes the field for what it was before the wait.
    const event = this.#event as { readonly kind: 'goaway' | 'closed'; readonly at: number } | null;
    return event && { kind: event.kind, afterMs: rounded(Math.max(0, event.at - from)) };
  }

  #record(kind: 'goaway' | 'closed'): void {
    this.#event ??= { kind, at: this.#clock.now() };
    this.#listener?.();
  }
}
